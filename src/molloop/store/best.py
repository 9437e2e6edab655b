"""The best outcomes of a run: by one value, or those that no other beats in several."""

import heapq
from dataclasses import dataclass, field
from math import inf

from molloop.campaign.best import point_of
from molloop.campaign.jobs import Simulated
from molloop.goal import Goal, Objective
from molloop.pareto import Point, dominates
from molloop.simulate.outcome import Success
from molloop.texts import counted

# values times their signs; minus proposal, as of equal ones the first proposed comes first; outcome
Entry = tuple[Point, int, Simulated]


@dataclass
class Best:
    """Some of the best outcomes by one value, or the whole front of several.

    Attributes
    ----------
    n_kept
        How many by one value.
    """

    n_kept: int
    _all: list[Entry] = field(default_factory=list)
    _unflagged: list[Entry] = field(default_factory=list)

    def add(self, point: Point, item: Simulated, *, is_flagged: bool) -> None:
        """Take in an outcome.

        Parameters
        ----------
        point
            Its values, times their signs.
        """
        entry = (point, -item.proposal, item)
        for entries in (self._all,) if is_flagged else (self._all, self._unflagged):
            if len(point) == 1:
                push = heapq.heappush if len(entries) < self.n_kept else heapq.heappushpop
                push(entries, entry)
            elif not any(dominates(one, point) for one, *_ in entries):
                entries[:] = [one for one in entries if not dominates(point, one[0])]
                entries.append(entry)

    def entries(self, *, with_flagged: bool, n: float = inf) -> list[Entry]:
        """Return the best, the best first; of a front by the first value."""
        found = sorted(self._all if with_flagged else self._unflagged, reverse=True)
        return found if n == inf else found[: int(n)]

    def __copy__(self) -> "Best":
        """Return one that later outcomes do not change."""
        return Best(self.n_kept, [*self._all], [*self._unflagged])


def looked_at(
    item: Simulated, value: float, objective: Objective, goal: Goal | None
) -> tuple[bool, Point]:
    """Return whether a value is flagged, and what may be among the best; see `point_of`."""
    if goal is None or not isinstance(item.outcome, Success):
        return item.is_flagged(objective), (objective.sign * value,)
    values = goal.values(item.outcome.named)
    return item.is_flagged_for(goal), point_of(goal, objective.sign, value, values)


def excluded_words(
    n_values: int, n_flagged: int = 0, n_broken: int = 0, n_left_out: int = 0
) -> str:
    """Say how many values are never among the best; nothing where there are none."""
    told, values = [], counted(n_values, "value")
    if n_flagged:
        are = "is" if n_flagged == 1 else "are"
        told.append(
            f"{n_flagged:,} of {values} {are} flagged, and never among the best "
            "(property.flagged = exclude)."
        )
    if n_broken:
        are = "is" if n_broken == 1 else "are"
        told.append(
            f"{n_broken:,} of {values} {are} outside a constraint or without a quantity of the "
            "goal, and never among the best."
        )
    if n_left_out:
        are = "is" if n_left_out == 1 else "are"
        told.append(
            f"{n_left_out:,} of {values} {are} outside the conditions, and never among the best."
        )
    return " ".join(told)
