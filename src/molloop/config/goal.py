"""The lists of sections `objectives` and `constraints`: a goal of more than one quantity."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, Strict, ValidationError, field_validator, model_validator

from molloop.config.property import PropertySettings
from molloop.config.section import TableSettings, input_error, one_line
from molloop.errors import InputError
from molloop.goal import (
    GOAL_COLUMNS,
    MOST_OBJECTIVES,
    OTHER_COLUMNS,
    Constraint,
    Direction,
    Goal,
    Objective,
    Quantity,
    slug,
)
from molloop.library.known_names import KNOWN
from molloop.simulate.recipes import RECIPES, recipe_named
from molloop.simulate.simulators import IONIZATION, SIMULATORS

OBJECTIVES, CONSTRAINTS = "objectives", "constraints"
# of [property], what still counts beside objectives
BESIDE_OBJECTIVES = ("simulator", "flagged")


class QuantitySettings(TableSettings):
    """A quantity."""

    quantity: str = Field(
        min_length=1,
        description="A quantity of the simulator, such as ie or orbital_gap (`molloop quantities` "
        "lists those of xTB), or what the library knows of every molecule: "
        + ", ".join(KNOWN)
        + ". That is not predicted, as it is known.",
    )
    unit: str | None = Field(
        None,
        description="Of a quantity of a simulator of your own. Of the others it is known: left "
        "out.",
    )
    title: str = Field(
        "",
        description="What figures call a quantity of a simulator of your own. Left out: its name.",
    )

    @field_validator("quantity")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        return one_line(value)


class ObjectiveSettings(QuantitySettings):
    """A quantity of which large or small values are searched for."""

    OWN: ClassVar[tuple[str, ...]] = ("quantity", "unit", "title", "direction", "threshold")

    direction: Annotated[Direction, Strict(False)] | None = Field(
        None,
        description="maximise or minimise. Left out: as `molloop quantities` lists it; of others "
        "maximise.",
    )
    threshold: float | None = Field(
        None, description="Of the first objective: values beyond it are counted."
    )


class ConstraintSettings(QuantitySettings):
    """Bounds of a quantity, which are allowed themselves."""

    OWN: ClassVar[tuple[str, ...]] = ("quantity", "low", "high")

    low: float | None = Field(None, description="The least that is allowed. Left out: any.")
    high: float | None = Field(None, description="The most that is allowed. Left out: any.")

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("expected low, high or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"expected low ({self.low:g}) to be at most high ({self.high:g})")
        return self


def property_of(objective: Any, given: Any) -> Any:
    """Return the section `property` that is the first objective, with what else counts of it.

    Raises
    ------
    InputError
        The objective is wrong, or the section says something that it says.
    """
    if not isinstance(given, dict) or not isinstance(objective, dict):
        return given  # it is told as wrong
    try:  # before it is told as a section that nobody has written
        ObjectiveSettings.model_validate(objective)
    except ValidationError as error:
        names = list(ObjectiveSettings.model_fields)
        raise input_error(error, names, "`molloop config`", f"{OBJECTIVES}.1.") from error
    _check_first(objective.get("quantity"), given.get("simulator", IONIZATION))
    for name, value in given.items():
        if name not in BESIDE_OBJECTIVES:
            raise InputError(
                f"property.{name}",
                value,
                f"it left out beside [[{OBJECTIVES}]]",
                "[property] is the short form of one objective: say it in the first table "
                f"[[{OBJECTIVES}]].",
            )
    said = {"name": objective.get("quantity")}
    if given.get("simulator", IONIZATION) not in SIMULATORS:
        said["unit"] = ""  # as of the other tables; the section itself has eV
    for name in ("unit", "title", "direction", "threshold"):
        if objective.get(name) is not None:
            said[name] = objective[name]
    return given | said


def objective_of(chosen: PropertySettings) -> Objective:
    """Return the objective that the section `property` is."""
    own = SIMULATORS.get(chosen.simulator)
    title = chosen.title or (own and own.title_of(chosen.name, chosen.unit)) or chosen.name
    quantity = Quantity(chosen.name, chosen.unit, title)
    return Objective(
        quantity,
        chosen.direction,
        chosen.threshold,
        chosen.flagged,
        quantity.name if chosen.simulator == IONIZATION else "",
    )


def goal_of(
    first: Objective,
    objectives: Sequence[ObjectiveSettings],
    constraints: Sequence[ConstraintSettings],
    simulator: str,
) -> Goal:
    """Return what is searched for.

    Parameters
    ----------
    first
        The first objective, or the only one.

    Raises
    ------
    InputError
        A quantity is none, or named twice.
    """
    found = [first]
    for place, one in enumerate(objectives[1:], start=2):
        where = f"{OBJECTIVES}.{place}"
        quantity, recipe = _quantity(where, one, simulator)
        direction = one.direction
        if direction is None:
            known = recipe_named(one.quantity) if recipe else None
            direction = known.direction if known else Direction.MAXIMISE
        if one.threshold is not None:
            raise InputError(
                f"{where}.threshold",
                one.threshold,
                "it left out: the threshold counts values of the first objective",
                f"Make it a bound of the quantity: a table [[{CONSTRAINTS}]].",
            )
        found.append(Objective(quantity, direction, None, first.flagged, recipe))
    bounds = []
    for place, limits in enumerate(constraints, start=1):
        quantity, recipe = _quantity(f"{CONSTRAINTS}.{place}", limits, simulator)
        bounds.append(Constraint(quantity, limits.low, limits.high, recipe))
    for what, some in ((OBJECTIVES, found), (CONSTRAINTS, bounds)):
        names = [one.quantity.name for one in some]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise InputError(
                    f"{what}.{place + 1}.quantity",
                    name,
                    "each quantity once",
                    "Leave one of the two tables out.",
                )
    goal = Goal(tuple(found), tuple(bounds))
    for quantity in () if goal.is_plain else goal.quantities:
        if quantity.column in GOAL_COLUMNS:
            expected = f"another column than {quantity.column}, which tables of a goal have"
            told = "Give it another name or a unit."
            raise InputError("quantity", quantity.symbol, expected, told)
    if len(found) > MOST_OBJECTIVES:
        expected = f"{MOST_OBJECTIVES} at most"
        raise InputError(OBJECTIVES, len(found), expected, "Make some of them constraints.")
    return goal


def _quantity(where: str, one: QuantitySettings, simulator: str) -> tuple[Quantity, str]:
    """Return a quantity, and the recipe that gives it; none where the library or a user's does."""
    known = KNOWN.get(slug(one.quantity))
    recipe = recipe_named(one.quantity) if simulator == IONIZATION and known is None else None
    found = recipe.quantity if recipe else known
    if found is not None:
        if one.unit not in (None, found.unit):
            expected = f"{found.unit or 'no unit'}, or it left out"
            raise InputError(f"{where}.unit", one.unit, expected, "Leave it out.")
        if one.title:
            raise InputError(f"{where}.title", one.title, "it left out", "It has a title already.")
        return found, found.name if recipe else ""
    if simulator == IONIZATION:
        raise _unknown(f"{where}.quantity", one.quantity)
    quantity = Quantity(one.quantity, one.unit or "", one.title or one.quantity)
    if not quantity.column or quantity.column in OTHER_COLUMNS:
        raise InputError(
            f"{where}.quantity",
            one.quantity,
            "a name and unit that make a column of tables, which is not another one",
            "Take other words in a-z and 0-9.",
        )
    return quantity, ""


def _check_first(name: object, simulator: object) -> None:
    """Raise InputError where the first objective is known beforehand, or none."""
    where = f"{OBJECTIVES}.1.quantity"
    if not isinstance(name, str):
        return  # it is told as wrong
    if slug(name) in KNOWN:
        raise InputError(
            where,
            name,
            "a quantity that is computed, in the first table",
            "Put one that the simulator gives first.",
        )
    if simulator == IONIZATION and recipe_named(name) is None:
        raise _unknown(where, name)


def _unknown(where: str, name: str) -> InputError:
    return InputError(
        where,
        name,
        f"one of {', '.join((*RECIPES, *KNOWN))}",
        "`molloop quantities` explains those that are computed.",
    )
