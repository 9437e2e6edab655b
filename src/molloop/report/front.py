"""The molecules that no other beats in all objectives, and who beats the others."""

from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.jobs import Simulated
from molloop.goal import Goal
from molloop.pareto import Point, front_rows, hypervolume, reference_point
from molloop.report.found import Found
from molloop.report.kept import kept_cells, kept_columns
from molloop.report.numbers import rounded
from molloop.report.tables import number_text, write_table
from molloop.texts import counted


@dataclass(frozen=True, eq=False)
class Front:
    """What a run with several objectives has found.

    Attributes
    ----------
    items
        Outcomes that may be among the best: those of the front, then the others, each by the first
        objective.
    points
        Their values times the signs, shape (n, d).
    n
        Molecules of the front.
    """

    goal: Goal
    items: tuple[Simulated, ...]
    points: NDArray[np.float64]
    n: int

    @classmethod
    def of(cls, results: Found, goal: Goal) -> "Front":
        """Take the outcomes of a run."""
        points = results.points()
        eligible = ~np.isnan(points[:, 0])
        items, points = list(compress(results.successes, eligible)), points[eligible]
        is_front = np.zeros(len(items), dtype=np.bool_)
        is_front[front_rows(points)] = True
        proposals = np.array([item.proposal for item in items])
        order = np.lexsort((proposals, -points[:, 0], ~is_front))
        return cls(goal, tuple(items[row] for row in order), points[order], int(is_front.sum()))

    def reference(self) -> Point:
        """Return the point from which the hypervolume is measured: see `reference_point`."""
        return reference_point(self.points)

    def hypervolume(self) -> float:
        """Return the volume that the front dominates above the reference point."""
        return hypervolume(self.points[: self.n].tolist(), self.reference())

    def dominating(self) -> NDArray[np.bool_]:
        """Return which molecules of the front beat which of all, shape (n_front, n)."""
        front = self.points[: self.n, None]
        return np.asarray(
            (front >= self.points).all(axis=2) & (front > self.points).any(axis=2), dtype=np.bool_
        )

    def words(self) -> str:
        """Say how large the front is, and how much it covers."""
        objectives = self.goal.objectives
        worst = ", ".join(
            f"{rounded(one.sign * limit)} {one.quantity.unit}".strip()
            for one, limit in zip(objectives, self.reference(), strict=True)
        )
        return (
            f"Pareto front: {counted(self.n, 'molecule')} of {len(self.items):,}, hypervolume "
            f"{rounded(self.hypervolume())} above the reference point ({worst})"
        )


def front_of(results: Found) -> Front | None:
    """Return the front of a run; None where it has one objective, or nothing is among the best."""
    goal = results.goal
    if goal is None or not goal.has_front:
        return None
    found = Front.of(results, goal)
    return found if found.n else None


def write_front(results: Found, front: Front, path: Path) -> None:
    """Write a row a molecule that may be among the best, the front first: who beats whom.

    Those of the front have a rank. `dominates` counts the molecules that one of the front beats;
    `dominated_by` has the ranks of those that beat it.
    """
    beats, quantities = front.dominating(), front.goal.quantities
    columns = tuple(one.column for one in quantities)
    own = ("rank", "smiles", "name", *columns, "dominates", "dominated_by", "batch", "level")
    kept = kept_columns(results.library, own)
    rows = []
    for row, item in enumerate(front.items):
        is_front = row < front.n
        by = " ".join(str(rank + 1) for rank in np.flatnonzero(beats[:, row]).tolist())
        rows.append(
            (
                *(row + 1 if is_front else "", item.smiles, item.name),
                *(number_text(item.value(one.name)) for one in quantities),
                *(int(beats[row].sum()) if is_front else "", by),
                *(item.batch, results.stage(item).level),
                *kept_cells(results.library, item.molecule_id, kept),
            )
        )
    write_table(path, own, kept.values(), rows)
