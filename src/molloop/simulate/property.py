"""What is searched for: a property of a molecule, and which end of it is good."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

# what tables say of a molecule beside its value; no property has such a column
OTHER_COLUMNS = frozenset(
    (
        *("molecule_id", "smiles", "level", "fidelity", "flags", "failure", "message", "batch"),
        *("time_s", "seconds", "worker", "numbers", "positions_angstrom"),
    )
)


def column_of(name: str, unit: str) -> str:
    """Return the column of tables that a property has, such as ``ie_ev``."""
    words = f"{name} {unit.replace('/', ' per ')}".lower()
    return re.sub(r"[^0-9a-z]+", "_", words).strip("_")


class Direction(StrEnum):
    """Which values are good."""

    MAXIMISE = "maximise"
    MINIMISE = "minimise"


@dataclass(frozen=True, slots=True)
class Property:
    """A property as configuration, tables and figures name it.

    Attributes
    ----------
    name, unit
        Such as ``IE`` and ``eV``.
    direction
        Whether large or small values are searched for.
    title
        In full, for axes.
    level_label
        How its values were computed; stands wherever one is shown.
    threshold
        Values beyond it, on the good side, are counted.
    """

    name: str
    unit: str
    direction: Direction
    title: str
    level_label: str
    threshold: float | None = None

    @property
    def column(self) -> str:
        """Name of its column in tables: name and unit in lower case, such as ``ie_ev``."""
        return column_of(self.name, self.unit)

    @property
    def heading(self) -> str:
        """Name with unit, such as ``IE (eV)``."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def sign(self) -> int:
        """What values are multiplied with, so that large ones are good."""
        return 1 if self.direction is Direction.MAXIMISE else -1

    def is_beyond_threshold(self, value: float) -> bool:
        """Whether a value is better than the threshold; False without one."""
        return self.threshold is not None and self.sign * (value - self.threshold) > 0

    def best(self, values: Iterable[float]) -> float:
        """Return the best of some values."""
        return max(values, key=lambda value: self.sign * value)
