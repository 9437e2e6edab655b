"""How a molecule becomes a value: what a configuration decides, and every worker is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from molloop.goal import Quantity
from molloop.simulate.levels import LEVELS
from molloop.simulate.simulators import IE, IONIZATION, IonizationOptions

DEFAULTS = IonizationOptions().model_dump()


@dataclass(frozen=True)
class SimulationProtocol:
    """A simulation protocol.

    Attributes
    ----------
    simulator
        A name in ``molloop.simulate.simulators``, or ``package.module:function``.
    options
        Of this simulator: strings, numbers, booleans, and lists of those.
    quantity
        What it computes.
    timeout_s
        Of a molecule; one that takes longer is a failure.
    memory_limit_gib
        Of a molecule, with all processes that it starts.
    """

    simulator: str = IONIZATION
    options: Mapping[str, Any] = field(default_factory=dict)
    quantity: Quantity = IE
    timeout_s: float = 600.0
    memory_limit_gib: float = 4.0

    @cached_property
    def outcome_level(self) -> str:
        """What outcomes are stored under: the level, or a simulator's own name and options."""
        if self.simulator == IONIZATION:
            return str({**DEFAULTS, **self.options}["level"])
        options = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"{self.simulator}({options})" if options else self.simulator

    @property
    def stage(self) -> str:
        """Name of the stage: its level."""
        return self.outcome_level

    @cached_property
    def outcome_fidelity(self) -> str:
        """The fidelity; a simulator of the user's has one of its own."""
        is_ionization = self.simulator == IONIZATION
        return str({**DEFAULTS, **self.options}["fidelity"]) if is_ionization else "own"

    @property
    def label(self) -> str:
        """What figures and tables call the way in which values were computed."""
        level, fidelity = self.outcome_level, self.outcome_fidelity
        if self.simulator != IONIZATION or level not in LEVELS:
            return level
        label = LEVELS[level].label
        return label if fidelity == DEFAULTS["fidelity"] else f"{label}, {fidelity}"
