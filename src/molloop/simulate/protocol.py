"""How a molecule becomes a value: what a configuration decides, and every worker is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from molloop.goal import Quantity
from molloop.simulate.levels import LEVELS
from molloop.simulate.options import IonizationOptions
from molloop.simulate.recipes import RECIPES
from molloop.simulate.resources import Resources
from molloop.simulate.simulators import IE, IONIZATION

DEFAULTS = IonizationOptions().model_dump()
RELAXED = "relaxed"
OWN = "own"  # the fidelity of a simulator of the user's
WHOLE = (RELAXED, OWN)  # fidelities that a stage's name and a label do not say


def stage_name(level: str, fidelity: str) -> str:
    """Return the name of a stage: its level, and its fidelity where it is not the whole protocol.

    Values of different stages are never taken for one another.
    """
    return level if fidelity in WHOLE else f"{level} {fidelity}"


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
    cores
        That a molecule is computed on.
    name
        Of the stage; empty: it is called by level and fidelity.
    beside
        Further quantities of the goal, of which some may be known of the library.
    """

    simulator: str = IONIZATION
    options: Mapping[str, Any] = field(default_factory=dict)
    quantity: Quantity = IE
    timeout_s: float = 600.0
    memory_limit_gib: float = 4.0
    cores: int = 1
    name: str = ""
    beside: tuple[Quantity, ...] = ()

    @property
    def resources(self) -> Resources:
        """What a simulation may take."""
        return Resources(self.cores, self.memory_limit_gib)

    @cached_property
    def further(self) -> tuple[Quantity, ...]:
        """Quantities beside that one, which tables have columns of."""
        if self.simulator != IONIZATION:
            return self.beside  # of others of a user's simulator nobody knows the units
        there = {self.quantity.name, *(one.name for one in self.beside)}
        names = (name for name in self._options["quantities"] if name not in there)
        return (*self.beside, *(RECIPES[name].quantity for name in names))

    @cached_property
    def outcome_level(self) -> str:
        """What outcomes are stored under: the level, or a simulator's own name and options."""
        if self.simulator == IONIZATION:
            return str(", ".join((self._options["level"], *self._circumstances)))
        options = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"{self.simulator}({options})" if options else self.simulator

    @cached_property
    def _options(self) -> dict[str, Any]:
        return {**DEFAULTS, **self.options}

    @property
    def _circumstances(self) -> Iterator[str]:
        """What values of one level do not share, in words."""
        options = self._options
        if options["solvent"]:
            yield f"in {options['solvent']}"
        if options["multiplicity"] is not None:
            yield f"multiplicity {options['multiplicity']}"
        names = (self.quantity.name, *options["quantities"])
        if any(RECIPES[name].against_electrode for name in names if name in RECIPES):
            yield f"against {options['reference']}"

    @property
    def packages(self) -> tuple[str, ...]:
        """Distributions beyond molloop's own that values depend on."""
        level = LEVELS.get(self._options["level"]) if self.simulator == IONIZATION else None
        return () if level is None else level.packages

    @property
    def stage(self) -> str:
        """Name of the stage, such as ``gfn2`` or ``gfn2 mmff-geometry``."""
        return self.name or stage_name(self.outcome_level, self.outcome_fidelity)

    @property
    def usual_s(self) -> float:
        """Seconds that a simulation is reckoned to take, before any was measured."""
        level = LEVELS.get(self._options["level"]) if self.simulator == IONIZATION else None
        return 1.0 if level is None else level.usual_s / self.cores

    @cached_property
    def outcome_fidelity(self) -> str:
        """The fidelity, and whether a relaxation started from the molecule's own geometry."""
        if self.simulator != IONIZATION:
            return OWN
        options = self._options
        is_from_input = options["fidelity"] == RELAXED and options["start_geometry"] == "input"
        return "relaxed-from-input" if is_from_input else str(options["fidelity"])

    @property
    def label(self) -> str:
        """What figures and tables call the way in which values were computed."""
        if self.simulator != IONIZATION or self._options["level"] not in LEVELS:
            return self.outcome_level
        level, fidelity = LEVELS[self._options["level"]], self.outcome_fidelity
        recipe = RECIPES.get(self.quantity.name)
        if recipe is None or recipe.has_shift:
            label = level.label
        elif recipe.against_electrode:
            label = f"{level.methods} ΔSCF, shifted by {-level.electron_ev} eV"
        else:
            label = level.methods
        if self._options["fidelity"] != RELAXED:  # nothing is relaxed by the other method
            label = label.replace(f" on {level.geometry_method} geometry", "")
        parts = [label, *self._circumstances, *([] if fidelity == RELAXED else [fidelity])]
        return ", ".join(parts).replace(", in ", ", equilibrium solvation (ALPB) in ")
