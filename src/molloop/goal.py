"""What is searched for: quantities, and which of their values are good."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

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
    """

    symbol: str
    unit: str = ""
    title: str = ""

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
    """Bounds that a quantity of a good molecule keeps; None: there is none."""

    quantity: Quantity
    low: float | None = None
    high: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a value lies within the bounds, which belong to it."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True)
class Goal:
    """What a campaign searches for: one objective or several, within constraints."""

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = field(default=())

    @property
    def objective(self) -> Objective:
        """The one objective; ValueError where there are several."""
        [only] = self.objectives
        return only
