"""molloop finds the molecules of a library that have the largest ionization energy."""

from importlib import import_module, metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from molloop.api import (
        build_library,
        enumerate_library,
        open_library,
        resume,
        run,
        simulate_molecules,
    )
    from molloop.config import load
    from molloop.errors import InputError, MolloopError, RunError, SimulationError
    from molloop.replays import compare_policies, open_known, replay_table, tune_settings
    from molloop.settings import Settings

__version__ = metadata.version("molloop")

_HOMES = {
    "build_library": "molloop.api",
    "enumerate_library": "molloop.api",
    "open_library": "molloop.api",
    "resume": "molloop.api",
    "run": "molloop.api",
    "simulate_molecules": "molloop.api",
    "compare_policies": "molloop.replays",
    "open_known": "molloop.replays",
    "replay_table": "molloop.replays",
    "tune_settings": "molloop.replays",
    "Settings": "molloop.settings",
    "load": "molloop.config",
    "InputError": "molloop.errors",
    "MolloopError": "molloop.errors",
    "RunError": "molloop.errors",
    "SimulationError": "molloop.errors",
}
__all__ = [
    "InputError",
    "MolloopError",
    "RunError",
    "Settings",
    "SimulationError",
    "build_library",
    "compare_policies",
    "enumerate_library",
    "load",
    "open_known",
    "open_library",
    "replay_table",
    "resume",
    "run",
    "simulate_molecules",
    "tune_settings",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: `import molloop` stays fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'molloop' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
