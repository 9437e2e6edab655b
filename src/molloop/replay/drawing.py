"""Figures of comparisons and searches."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from molloop.goal import Objective
from molloop.intervals import mean_interval
from molloop.replay.compare import Comparison
from molloop.replay.tune import C, Trial, Tuned
from molloop.report.curves import Line, Panel, Point, write_curves, write_front

_LABELS = {
    "recall": "Share of the best {k} found",
    "best": "Best value found",
    "regret": "Short of the best of all by",
    "n_above": "Values beyond {limit}",
    "hypervolume": "Share of the true front's hypervolume",
}
# of what can be; an interval may go beyond
_LIMITS = {"recall": (0, 1), "hypervolume": (0, 1), "regret": (0, None), "n_above": (0, None)}


def draw_comparison(found: Comparison, objective: Objective, path: Path) -> None:
    """Draw all measures over simulations and over time, as a .png and a .svg.

    Of ladders over time alone, as simulations of their stages are not alike.
    """
    has_threshold = objective.threshold is not None
    names = [one for one in found.measures if one != "n_above" or has_threshold]
    k = len(found.truth.top)
    labels = {name: _label(name, objective, k) for name in names}
    if found.truth.points is not None:
        labels["recall"] = f"Share of the {k} on the true Pareto front found"
    times_s = found.times_s()

    def lines(name: str, over_time: bool) -> Mapping[str, Line]:
        drawn = {}
        for policy in found.curves:
            values = (
                found.over_time(policy, name, times_s)
                if over_time
                else found.over_simulations(policy, name)
            )
            x = times_s if over_time else np.arange(1, values.shape[1] + 1)
            band = mean_interval(values)
            low, high = np.clip((band.low, band.high), *_LIMITS.get(name, (None, None)))
            drawn[policy] = Line(x, band.mean, low, high)
        return drawn

    rows = [
        [Panel(xlabel, labels[name], lines(name, over_time)) for name in names]
        for xlabel, over_time in (("Simulations", False), ("Time (s)", True))
        if over_time or not found.is_of_ladders
    ]
    n = len(found.seeds)
    title = f"{found.table.name}: " + (
        f"means over {n} seeds, with their 95% intervals" if n > 1 else "one seed"
    )
    write_curves(rows, title, path)


def draw_search(
    found: Tuned[C],
    objective: str,
    searched: Objective,
    top_k: int,
    describe: Callable[[C], str],
    path: Path,
) -> None:
    """Draw configurations by what they find and how soon, as a .png and a .svg.

    Parameters
    ----------
    describe
        Configuration -> what varies of it, in a line.
    """

    def point(trial: Trial[C]) -> Point:
        return Point(trial.time_s, trial.value, describe(trial.settings))

    chosen, begun_with = map(point, found.unseen)
    write_front(
        list(map(point, found.trials)),
        list(map(point, found.front)),
        chosen,
        begun_with,
        _label(objective, searched, top_k),
        path,
    )


def _label(measure: str, objective: Objective, k: int) -> str:
    """Return what an axis says, with the unit of a value."""
    unit = objective.quantity.unit
    limit = f"{objective.threshold or 0.0:g} {unit}".rstrip()
    label = _LABELS[measure].format(k=k, limit=limit)
    is_value = measure in ("best", "regret")
    return f"{label} ({unit})" if is_value and unit else label
