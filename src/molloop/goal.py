"""What is searched for: quantities, and which of their values are good."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

MOST_OBJECTIVES = 3
# what tables say of a molecule beside its values; no quantity has such a column
OTHER_COLUMNS = frozenset(
    (
        *(
            "molecule_id",
            "smiles",
            "name",
            "charge",
            "n_unpaired",
            "level",
            "fidelity",
            "flags",
            "versions",
            "failure",
            "message",
            "batch",
        ),
        *("time_s", "seconds", "worker", "numbers", "positions_angstrom"),
    )
)

# what tables say beside these of several objectives, of constraints and of other conditions
GOAL_COLUMNS = frozenset(("conditions", "constraints", "rank", "dominates", "dominated_by"))


@lru_cache(maxsize=256)  # it is asked for with each outcome
def slug(text: str) -> str:
    """Return a text as a name: lower case, letters and digits of ASCII, ``_`` between them."""
    return re.sub(r"[^0-9a-z]+", "_", text.lower()).strip("_")


class Direction(StrEnum):
    """Which values are good."""

    MAXIMISE = "maximise"
    MINIMISE = "minimise"


class Flagged(StrEnum):
    """What becomes of a value that a flag casts doubt on; it is stored and trained on in any case.

    ``keep``: it may be the best. ``exclude``: it is never among the best.
    """

    KEEP = "keep"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is computed of a molecule.

    Attributes
    ----------
    symbol
        What figures and tables for people call it, such as ``IE``.
    unit
        Such as ``eV``; empty where it has none.
    title
        In full, for axes.
    descriptor
        What a library knows of every molecule under this name; empty where it is computed.
    """

    symbol: str
    unit: str = ""
    title: str = ""
    descriptor: str = ""

    @property
    def name(self) -> str:
        """What values are stored under: the symbol as a name, such as ``ie``."""
        return slug(self.symbol) or self.symbol  # a word without any letter of ASCII

    @property
    def column(self) -> str:
        """Name of its column in tables: name and unit, such as ``ie_ev``."""
        return slug(f"{self.symbol} {self.unit.replace('/', ' per ')}")

    @property
    def heading(self) -> str:
        """Symbol with unit, such as ``IE (eV)``."""
        return f"{self.symbol} ({self.unit})" if self.unit else self.symbol


@dataclass(frozen=True, slots=True)
class Objective:
    """A quantity of which large or small values are searched for.

    Attributes
    ----------
    threshold
        Values beyond it, on the good side, are counted.
    flagged
        Whether a value that a flag casts doubt on may be among the best.
    recipe
        Which of molloop's own recipes gives the value: a flag of a calculation that is no part of
        it casts no doubt on it. Empty where a user's simulator does.
    """

    quantity: Quantity
    direction: Direction = Direction.MAXIMISE
    threshold: float | None = None
    flagged: Flagged = Flagged.EXCLUDE
    recipe: str = ""

    @property
    def sign(self) -> int:
        """What values are multiplied with, so that large ones are good."""
        return 1 if self.direction is Direction.MAXIMISE else -1

    @property
    def keeps_flagged(self) -> bool:
        """Whether a flagged value may be among the best."""
        return self.flagged is Flagged.KEEP

    def is_beyond_threshold(self, value: float) -> bool:
        """Whether a value is better than the threshold; False without one."""
        return self.threshold is not None and self.sign * (value - self.threshold) > 0


@dataclass(frozen=True, slots=True)
class Constraint:
    """Bounds that a quantity of a good molecule keeps; None: there is none.

    Attributes
    ----------
    recipe
        As of an objective.
    """

    quantity: Quantity
    low: float | None = None
    high: float | None = None
    recipe: str = ""

    def holds(self, value: float) -> bool:
        """Whether a value lies within the bounds, which belong to it."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @property
    def words(self) -> str:
        """What it asks, such as ``2 <= gap (eV) <= 5``."""
        low = "" if self.low is None else f"{self.low:g} <= "
        high = "" if self.high is None else f" <= {self.high:g}"
        return f"{low}{self.quantity.heading}{high}"


Values = Sequence[float | None]  # of a goal's quantities, in their order; None where there is none


@dataclass(frozen=True, slots=True)
class Goal:
    """What a campaign searches for: one objective or several, within constraints.

    The first objective is a quantity that is computed.
    """

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = field(default=())

    @property
    def objective(self) -> Objective:
        """The first objective."""
        return self.objectives[0]

    @property
    def is_plain(self) -> bool:
        """Whether it is one objective, without constraints."""
        return len(self.objectives) == 1 and not self.constraints

    @property
    def wider(self) -> "Goal | None":
        """Itself where it is more than one objective, else None."""
        return None if self.is_plain else self

    @property
    def has_front(self) -> bool:
        """Whether there are several objectives: then many molecules may be the best."""
        return len(self.objectives) > 1

    @property
    def parts(self) -> "tuple[Objective | Constraint, ...]":
        """Its objectives, then its constraints."""
        return (*self.objectives, *self.constraints)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Each once: those of the objectives, then those of constraints alone."""
        # the first one counts: a constraint of an objective's quantity need not repeat its unit
        names = dict.fromkeys(one.quantity.name for one in self.parts)
        found = {one.quantity.name: one.quantity for one in reversed(self.parts)}
        return tuple(found[name] for name in names)

    @property
    def computed(self) -> tuple[Quantity, ...]:
        """Those of its quantities that no library knows."""
        return tuple(one for one in self.quantities if not one.descriptor)

    @property
    def shown(self) -> tuple[Quantity, ...]:
        """Those beside the first that say how good a molecule is; known bounds all keep."""
        names = {one.quantity.name for one in self.objectives}
        others = self.quantities[1:]
        return tuple(one for one in others if one.name in names or not one.descriptor)

    @property
    def sought(self) -> frozenset[int]:
        """Places of the quantities of which the more is the better: objectives without bounds."""
        bounded = {one.quantity.name for one in self.constraints}
        names = {one.quantity.name for one in self.objectives} - bounded
        return frozenset(self.place(one) for one in self.quantities if one.name in names)

    @property
    def signs(self) -> tuple[int, ...]:
        """What values of each quantity are multiplied with, so that large ones are good.

        Of a constraint alone: -1 where it has an upper bound only.
        """
        of = {one.quantity.name: 1 if one.low is not None else -1 for one in self.constraints}
        of |= {one.quantity.name: one.sign for one in self.objectives}
        return tuple(of[one.name] for one in self.quantities)

    @property
    def recipes(self) -> tuple[str, ...]:
        """Which of molloop's own recipes give its quantities, each once; see `Objective`."""
        return tuple(dict.fromkeys(one.recipe for one in self.parts if one.recipe))

    def place(self, quantity: Quantity) -> int:
        """Return which of its quantities one is."""
        return [one.name for one in self.quantities].index(quantity.name)

    def values(self, named: Mapping[str, float]) -> tuple[float | None, ...]:
        """Return the values of its quantities, of all values of a molecule."""
        return tuple(named.get(one.name) for one in self.quantities)

    def broken(self, values: Values) -> tuple[Constraint, ...]:
        """Return the constraints that do not hold, or of which a value is missing."""
        found = []
        for one in self.constraints:
            value = values[self.place(one.quantity)]
            if value is None or not one.holds(value):
                found.append(one)
        return tuple(found)

    def point(self, values: Values) -> tuple[float, ...] | None:
        """Return the values of the objectives, large ones good, where all constraints hold.

        None where one does not, or a value is missing.
        """
        point = [
            value * one.sign
            for one, value in zip(self.objectives, values, strict=False)
            if value is not None
        ]
        is_whole = len(point) == len(self.objectives) and not self.broken(values)
        return tuple(point) if is_whole else None
