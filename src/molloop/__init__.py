"""molloop finds the molecules of a library that have the largest ionization energy."""

from importlib import import_module, metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from molloop.api import (
        build_library,
        enumerate_library,
        open_library,
        read_results,
        resume,
        run,
        simulate_molecules,
        suggest,
    )
    from molloop.assembly.replays import compare_policies, open_known, replay_table, tune_settings
    from molloop.config.load import load
    from molloop.config.settings import Settings
    from molloop.errors import InputError, MolloopError, RunError, SimulationError
    from molloop.library.shards import Library
    from molloop.report.results import Results
    from molloop.simulate.outcome import Failure, Success

__version__ = metadata.version("molloop")

_HOMES = {
    "build_library": "molloop.api",
    "enumerate_library": "molloop.api",
    "open_library": "molloop.api",
    "read_results": "molloop.api",
    "resume": "molloop.api",
    "run": "molloop.api",
    "simulate_molecules": "molloop.api",
    "suggest": "molloop.api",
    "compare_policies": "molloop.assembly.replays",
    "open_known": "molloop.assembly.replays",
    "replay_table": "molloop.assembly.replays",
    "tune_settings": "molloop.assembly.replays",
    "Library": "molloop.library.shards",
    "Results": "molloop.report.results",
    "Success": "molloop.simulate.outcome",
    "Failure": "molloop.simulate.outcome",
    "Settings": "molloop.config.settings",
    "load": "molloop.config.load",
    "InputError": "molloop.errors",
    "MolloopError": "molloop.errors",
    "RunError": "molloop.errors",
    "SimulationError": "molloop.errors",
}
__all__ = [
    "Failure",
    "InputError",
    "Library",
    "MolloopError",
    "Results",
    "RunError",
    "Settings",
    "SimulationError",
    "Success",
    "build_library",
    "compare_policies",
    "enumerate_library",
    "load",
    "open_known",
    "open_library",
    "read_results",
    "replay_table",
    "resume",
    "run",
    "simulate_molecules",
    "suggest",
    "tune_settings",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: `import molloop` stays fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'molloop' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
