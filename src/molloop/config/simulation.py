"""The section `simulation`: options of the simulator, and what a molecule may cost."""

import keyword
import math
from typing import Any

from pydantic import Field, field_validator

from molloop.config.section import Section
from molloop.errors import InputError
from molloop.simulate.levels import LEVELS
from molloop.simulate.options import IonizationOptions
from molloop.simulate.protocol import RELAXED
from molloop.simulate.recipes import RECIPES
from molloop.simulate.simulators import IONIZATION

IONIZATION_OPTIONS = tuple(IonizationOptions.model_fields)
OWN_OPTIONS = "options"
ALL_OPTIONS = (*IONIZATION_OPTIONS, OWN_OPTIONS)
MOST_CHARACTERS = 1000  # of one's own options as written: they stand wherever the level does


def unread_by(simulator: object) -> tuple[str, ...]:
    """Return the settings that are options of other simulators than this one."""
    return (OWN_OPTIONS,) if simulator == IONIZATION else IONIZATION_OPTIONS


class SimulationSettings(Section, IonizationOptions):
    """How a value is computed, and what it may cost."""

    options: dict[str, Any] = Field(
        {},
        description="Options of a simulator of your own, by name: strings, numbers, booleans, and "
        "lists of those. It is a table of a file, [simulation.options], or "
        "--set simulation.options.NAME=VALUE.",
    )
    timeout_s: float = Field(600.0, gt=0, description="A molecule that takes longer is a failure.")
    memory_limit_gib: float = Field(
        4.0, gt=0, description="A molecule whose processes take more is a failure."
    )
    cores: int = Field(
        1,
        ge=1,
        description="That a molecule is computed on: levels of DFT can use more than one, and so "
        "may a simulator of your own. Where site.workers is left out there are fewer workers.",
    )

    @field_validator("options")
    @classmethod
    def _plain(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name, option in value.items():
            if not name.isidentifier() or keyword.iskeyword(name):
                raise ValueError(f"expected names that Python's arguments can have, not {name!r}")
            if not all(map(_is_plain, option if type(option) is list else [option])):
                raise ValueError(
                    "expected a string, a finite number, true, false or a list of those for "
                    f"{name}, not {option!r}"
                )
        kept = {name: value[name] for name in sorted(value)}
        if len(str(kept)) > MOST_CHARACTERS:
            raise ValueError(f"expected options of at most {MOST_CHARACTERS} characters in all")
        return kept

    def __hash__(self) -> int:
        # configurations are compared by sets; options are a dict, which has none
        return hash((self.timeout_s, self.memory_limit_gib, self.level, self.fidelity))

    def options_of(self, simulator: str) -> dict[str, Any]:
        """Return what a simulator is called with."""
        if simulator == IONIZATION:
            return {name: getattr(self, name) for name in IONIZATION_OPTIONS}
        return self.options

    def require_options_for(self, quantity: str) -> None:
        """Raise InputError where ionization cannot compute a quantity, or a further one, so."""
        if self.cores > 1 and LEVELS[self.level].kohn_sham is None:
            raise InputError(
                "simulation.cores",
                self.cores,
                f"1 at the level {self.level}",
                "xTB is computed on one core a molecule; several molecules go abreast.",
            )
        for name in (quantity, *self.quantities):
            recipe = RECIPES.get(name)
            if recipe is None:
                continue
            if recipe.is_adiabatic and self.fidelity != RELAXED:
                raise InputError(
                    "simulation.fidelity",
                    self.fidelity,
                    f"{RELAXED}, as {name} wants relaxed ions",
                    "Leave it out, or take a vertical quantity.",
                )
            if recipe.against_electrode and not LEVELS[self.level].has_solvents:
                raise InputError(
                    "simulation.level",
                    self.level,
                    f"a level that has solvents, as {name} is a potential",
                    "Take gfn2 or gfn1.",
                )
            if recipe.against_electrode and not self.solvent:
                raise InputError(
                    "simulation.solvent",
                    self.solvent,
                    f"a solvent, as {name} is a potential",
                    "Set one, such as acetonitrile; `molloop config` lists them.",
                )

    def require_options_of(self, simulator: str) -> None:
        """Raise InputError where an option is set that this simulator does not read."""
        for name in unread_by(simulator):
            value = getattr(self, name)
            if name in self.model_fields_set and value not in ({}, ()):
                raise InputError(
                    f"simulation.{name}",
                    value,
                    "it left out",
                    f"The options of the simulator ionization are {', '.join(IONIZATION_OPTIONS)}."
                    if simulator == IONIZATION
                    else f"It is an option of the simulator ionization, and this one is "
                    f"{simulator}, whose options stand in [simulation.options].",
                )


def _is_plain(option: object) -> bool:
    return type(option) in (str, bool, int) or (type(option) is float and math.isfinite(option))
