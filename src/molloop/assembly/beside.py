"""What a ladder that was replayed is measured beside: one stage at a time, for the same time."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from math import nan

import numpy as np

from molloop import results
from molloop.assembly.cases import case_of
from molloop.config.load import override
from molloop.config.settings import Settings
from molloop.replay.campaign import Scenario, replay
from molloop.replay.measures import Truth
from molloop.replay.table import Table
from molloop.results import Results


@dataclass(frozen=True, slots=True)
class Baseline:
    """What something simpler finds.

    Attributes
    ----------
    n_values
        Of the last stage.
    n_found
        Of the true best k.
    best
        The best value of the last stage; NaN where there is none.
    """

    name: str
    n_values: int
    n_found: int
    best: float


def baselines_of_ladder(
    ladder: Results, table: Table, settings: Settings, scenario: Scenario, truth: Truth
) -> list[Baseline]:
    """Return what is found without a ladder in the virtual time that one has taken.

    The first one searches in the last stage alone. Each other one searches for the best of a stage
    below, with as many values there as the ladder has computed, and computes the best of these in
    the last stage for as long as there is time.

    Parameters
    ----------
    ladder
        What it has found.
    """
    time_s = max((item.ended_s for item in ladder.simulated), default=0.0)
    last = {"stopping.time_limit_s": time_s, "campaign.max_training_count": None}
    found = [(f"{table.stages[-1]} alone", _order_of(table, settings, scenario, -1, last)[0])]
    for place, stage in enumerate(table.stages[:-1]):
        n = sum(item.stage == stage for item in ladder.simulated)
        n = max(n, settings.campaign.initial_training_count + 1)
        count = {"campaign.max_training_count": n}
        order, until_s = _order_of(table, settings, scenario, place, count)
        left_s = (time_s - until_s) * scenario.n_workers
        are_in_time = np.cumsum(table.durations_s[order]) <= left_s
        found.append((f"{stage}, the best again by {table.stages[-1]}", order[are_in_time]))
    return [_measured(name, ids, truth) for name, ids in found]


def _order_of(
    table: Table, settings: Settings, scenario: Scenario, place: int, changes: Mapping[str, object]
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], float]:
    """Search in one stage alone; return the molecules with a value, best first, and its time."""
    values, durations_s = table.of_stages[place]
    one = replace(table, values=values, durations_s=durations_s, below=(), stages=())
    alone = override(settings, {"stages": [], "campaign.grace_s": 0.0, **changes})
    case = case_of(alone, one, scenario, alone.campaign.seed)
    played = replay(case, one, scenario)
    with closing(played.store) as store:
        found = results.read(store, alone.goal(), *played.protocols)
    ids = [item.molecule_id for item in found.ranked()]
    until_s = max((item.ended_s for item in found.simulated), default=0.0)
    return np.array(ids, dtype=np.int64), until_s


def _measured(name: str, ids: np.ndarray[tuple[int], np.dtype[np.int64]], truth: Truth) -> Baseline:
    values = truth.values[ids]
    good = truth.sign * values[np.isfinite(values)]
    best = truth.sign * float(good.max()) if len(good) else nan
    return Baseline(name, len(good), int(np.isin(ids, truth.top).sum()), best)
