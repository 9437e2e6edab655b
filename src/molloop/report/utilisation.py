"""What workers did with their time."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.engine import Task, Work


@dataclass(frozen=True, slots=True)
class Utilisation:
    """Shares of all workers' time between the first simulation's beginning and the last one's end.

    Attributes
    ----------
    n_workers
        Those at the same time, at most.
    duration_s
        Of that time, pauses left out.
    shares
        By kind of work, 0 to 1.
    gaps_s
        Between the end of a task and the beginning of the next one on the same worker.
    """

    n_workers: int
    duration_s: float
    shares: dict[Work, float]
    gaps_s: tuple[float, ...]

    @property
    def busy(self) -> float:
        """Share of the time in which workers did anything."""
        return sum(self.shares.values())

    @property
    def median_gap_s(self) -> float:
        """Median of the idle times between two tasks; 0 where there is none."""
        return statistics.median(self.gaps_s) if self.gaps_s else 0.0


def utilisation(tasks: Sequence[Task], resumed_s: Sequence[float] = ()) -> Utilisation | None:
    """Sum up tasks; None without a simulation.

    Parameters
    ----------
    resumed_s
        When another process went on, with workers of its own.
    """
    edges = [-inf, *resumed_s, inf]
    parts = [
        _of_process([task for task in tasks if since <= task.began_s < until])
        for since, until in pairwise(edges)
    ]
    parts = [part for part in parts if part.n_workers]
    if not parts:
        return None
    total_s = sum(part.n_workers * part.duration_s for part in parts)
    weights = [part.n_workers * part.duration_s / max(total_s, 1e-9) for part in parts]
    return Utilisation(
        max(part.n_workers for part in parts),
        sum(part.duration_s for part in parts),
        {
            work: sum(
                weight * part.shares[work] for weight, part in zip(weights, parts, strict=True)
            )
            for work in Work
        },
        tuple(gap for part in parts for gap in part.gaps_s),
    )


def _of_process(tasks: Sequence[Task]) -> Utilisation:
    shares = dict.fromkeys(Work, 0.0)
    simulations = [task for task in tasks if task.work is Work.SIMULATE]
    if not simulations:
        return Utilisation(0, 0.0, shares, ())
    began_s = min(task.began_s for task in simulations)
    ended_s = max(task.ended_s for task in simulations)
    by_worker: dict[str, list[Task]] = defaultdict(list)
    for task in sorted(tasks, key=lambda task: task.began_s):
        by_worker[task.worker].append(task)
    # a worker that was replaced is not another one beside it
    lives = [Task(Work.SIMULATE, "", one[0].began_s, one[-1].ended_s) for one in by_worker.values()]
    n_workers = max(n_working(lives, Work.SIMULATE)[1])
    duration_s = ended_s - began_s
    for task in tasks:
        inside_s = min(task.ended_s, ended_s) - max(task.began_s, began_s)
        shares[task.work] += max(0.0, inside_s) / max(n_workers * duration_s, 1e-9)
    gaps_s = [
        max(0.0, after.began_s - before.ended_s)
        for chain in by_worker.values()
        for before, after in pairwise(chain)
        if began_s <= before.ended_s and after.began_s <= ended_s
    ]
    return Utilisation(n_workers, duration_s, shares, tuple(gaps_s))


def first_s(tasks: Iterable[Task]) -> float:
    """Return when the first task began: before, workers start; 0 without any."""
    return min((task.began_s for task in tasks), default=0.0)


def n_working(tasks: Sequence[Task], work: Work) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return times, and how many workers do a kind of work from each of them on, shapes (n,)."""
    began = np.fromiter((task.began_s for task in tasks if task.work is work), np.float64)
    ended = np.fromiter((task.ended_s for task in tasks if task.work is work), np.float64)
    times, places = np.unique(np.concatenate([began, ended]), return_inverse=True)
    steps = np.concatenate([np.ones(len(began)), -np.ones(len(ended))])
    return times, np.cumsum(np.bincount(places, steps)).round().astype(np.int64)
