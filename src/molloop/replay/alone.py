"""One stage of a ladder alone: what a ladder is measured beside."""

import heapq
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.jobs import Simulated
from molloop.goal import Objective
from molloop.replay.campaign import Case, Scenario, replay
from molloop.replay.measures import Curves, Truth, curves_of, measure
from molloop.replay.table import Table


@dataclass(frozen=True, slots=True)
class Alone:
    """A search in one stage of a table of several.

    Of a stage below the last one, the best of what it finds are computed again in the last stage.

    Attributes
    ----------
    case
        Of one stage.
    place
        Of the stage, from 0.
    time_s
        That both take together.
    """

    case: Case
    place: int
    time_s: float


def play_alone(one: Alone, table: Table, scenario: Scenario, truth: Truth) -> Curves:
    """Play it.

    Parameters
    ----------
    truth
        Of the last stage.
    """
    values, durations_s = table.of_stages[one.place]
    own = replace(table, values=values, durations_s=durations_s, below=(), stages=())
    played = replay(one.case, own, scenario)
    with closing(played.store) as store:
        if one.place == len(table.stages) - 1:
            return measure(played, truth)
        done = sorted(store.simulated(), key=lambda item: (item.ended_s, item.proposal))
    ids = best_first(done, one.case.objective)
    began_s = [max(item.ended_s for item in done)] * scenario.n_workers
    ends_s = in_turn(table.durations_s[ids], began_s)
    order = np.argsort(ends_s, kind="stable")
    order = order[ends_s[order] <= one.time_s]
    again = ids[order]
    has_value = np.isfinite(table.values[again])
    return curves_of(
        truth,
        np.concatenate([[item.ended_s for item in done], ends_s[order]]),
        np.concatenate([[item.molecule_id for item in done], again]).astype(np.int64),
        np.concatenate([np.zeros(len(done), dtype=bool), has_value]),
        n_values=(len(ids), int(has_value.sum())),
    )


def best_first(done: Sequence[Simulated], objective: Objective) -> NDArray[np.int64]:
    """Return the molecules with a value that may be the best, the best first."""
    name = objective.quantity.name
    found = [
        (-objective.sign * value, item.proposal, item.molecule_id)
        for item in done
        if (value := item.value(name)) is not None
        and (objective.keeps_flagged or not item.is_flagged(objective))
    ]
    return np.array([key for *_, key in sorted(found)], dtype=np.int64)


def in_turn(durations_s: NDArray[np.float64], began_s: Sequence[float]) -> NDArray[np.float64]:
    """Return when jobs end that the next free worker takes one after the other, shape (n,).

    Parameters
    ----------
    began_s
        When each worker is free.
    """
    free_s = list(began_s)
    heapq.heapify(free_s)
    ends_s = []
    for duration_s in durations_s.tolist():
        ends_s.append(free_s[0] + duration_s)
        heapq.heapreplace(free_s, ends_s[-1])
    return np.array(ends_s)
