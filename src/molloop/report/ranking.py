"""What a ranking has chosen, as reports show it."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Self

from molloop.campaign.events import Ranked


@dataclass(frozen=True, slots=True)
class TimedRanking:
    """A ranking's best molecules, when it began and when they were known."""

    batch: int
    began_s: float
    time_s: float
    molecule_ids: tuple[int, ...]
    means: tuple[float, ...]
    stds: tuple[float, ...]
    more_means: tuple[tuple[float, ...], ...] = ()
    more_stds: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def of(cls, event: Ranked, began_s: float, time_s: float, left_out: Container[int]) -> Self:
        """Take what an event tells, but of molecules that are left out."""
        rows = [row for row, key in enumerate(event.molecule_ids) if key not in left_out]

        def kept(numbers: tuple[float, ...]) -> tuple[float, ...]:
            return tuple(numbers[row] for row in rows) if numbers else ()

        return cls(
            *(event.batch, began_s, time_s),
            tuple(event.molecule_ids[row] for row in rows),
            *(kept(event.means), kept(event.stds)),
            *(tuple(map(kept, event.more_means)), tuple(map(kept, event.more_stds))),
        )
