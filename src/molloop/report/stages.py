"""What the stages of a run came to: values, failures, cost, and what each changed in the order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from molloop.goal import Goal
from molloop.report.accuracy import Accuracy
from molloop.report.found import Found
from molloop.report.tables import write_table
from molloop.simulate.protocol import SimulationProtocol
from molloop.store.stages import Tallies
from molloop.texts import counted

Floats = NDArray[np.float64]
INTERVAL_STDS = 1.96  # of a 95% interval of a normal distribution, to each side
COLUMNS = (
    *("place", "stage", "level", "fidelity", "n_values", "n_failed", "processor_s", "share"),
    *("n_both", "rank_correlation", "moved_places", "n_predicted", "mean_error", "within_std"),
)


@dataclass(frozen=True, slots=True)
class StageCost:
    """What a stage came to.

    Attributes
    ----------
    core_s, share
        Processor time of its simulations, their seconds times the cores of each; its part of that
        of all stages.
    n_both
        Molecules that also have a value in the last stage.
    agreement, moved
        Of these, Spearman's rank correlation of the two values, and by how many places the last one
        moves a molecule, in the mean; NaN of fewer than three, and of the last stage.
    predictions
        What the stage's rankings expected of the last value; None where nothing can be compared.
    """

    protocol: SimulationProtocol
    n_values: int
    n_failed: int
    core_s: float
    share: float
    n_both: int
    agreement: float
    moved: float
    predictions: Accuracy | None

    @property
    def name(self) -> str:
        """Of the stage."""
        return self.protocol.stage


def stage_costs(
    tallies: Tallies, protocols: Sequence[SimulationProtocol], of_last: Floats
) -> list[StageCost]:
    """Return what each stage came to, the first one first.

    Parameters
    ----------
    of_last
        Predicted mean, standard deviation and value of what the last stage's rankings chose, shape
        (n, 3).
    """
    spent_s = [one.cores * tallies[one.stage].seconds for one in protocols]
    total_s = sum(spent_s) or 1.0
    costs = []
    for protocol, core_s in zip(protocols, spent_s, strict=True):
        tally, is_last = tallies[protocol.stage], protocol is protocols[-1]
        both = in_rows(tally.both, 2)
        rows = of_last if is_last else in_rows(tally.pairs, 3)
        costs.append(
            StageCost(
                protocol,
                tally.n_values,
                tally.n_failed,
                core_s,
                core_s / total_s,
                len(both),
                *orders(both),
                Accuracy.of(*rows.T) if len(rows) else None,
            )
        )
    return costs


def in_rows(numbers: Sequence[float], width: int) -> Floats:
    """Return numbers that stand one after the other as rows, shape (n, width)."""
    return np.array(numbers, dtype=np.float64).reshape(-1, width)


def orders(pairs: Floats) -> tuple[float, float]:
    """Return the rank correlation of two values, shape (n, 2), and the mean move in places.

    Spearman's. NaN of fewer than three pairs, or of equal values. Equal values share the mean of
    their places.
    """
    if len(pairs) < 3 or not np.ptp(pairs, axis=0).all():
        return nan, nan
    from scipy.stats import rankdata, spearmanr

    places = rankdata(pairs, axis=0)
    moved = float(np.abs(places[:, 0] - places[:, 1]).mean())
    return float(spearmanr(*pairs.T).statistic), moved


def costs_of(results: Found) -> list[StageCost]:
    """Return what each stage of a run came to; nothing where there is one."""
    return stage_costs(results.of_stages, results.protocols, results.predictions)


def order_words(one: StageCost, last: str) -> str:
    """Return how well the order of a stage agrees with that of the last one; nothing of that."""
    if np.isnan(one.agreement):
        return ""
    return (
        f"rank correlation with {last} {one.agreement:.2f}, places moved {one.moved:.1f} in the "
        f"mean, of {counted(one.n_both, 'molecule')} with both values"
    )


def stage_lines(results: Found) -> list[str]:
    """Return the same in words, and how many values of each but the last go no further."""
    costs, flagged = costs_of(results), _flagged_below(results)
    return [
        f"Stage {one.name}: {counted(one.n_values, 'value')}, {one.n_failed:,} failed, "
        f"{one.core_s:,.1f} s of processor time ({one.share:.0%})"
        + (
            f"; {counted(n, 'flagged value')} not computed again"
            if (n := flagged[one.name])
            else ""
        )
        + (f"; {words}" if (words := order_words(one, costs[-1].name)) else "")
        for one in costs
    ]


def _flagged_below(results: Found) -> Counter[str]:
    """Return how many values of each stage but the last a flag keeps from the next one."""
    if not results.protocols or results.objective.keeps_flagged:
        return Counter()
    goal, last = results.goal or Goal((results.objective,)), results.protocols[-1].stage
    return Counter(
        item.stage
        for item in results.simulated
        if item.stage != last
        and item.value(results.objective.quantity.name) is not None
        and item.is_flagged_for(goal)
    )


def write_stages(results: Found, path: Path) -> None:
    """Write a row a stage; what cannot be said is empty."""
    rows = [
        (
            *(place, one.name, one.protocol.outcome_level, one.protocol.outcome_fidelity),
            *(one.n_values, one.n_failed, f"{one.core_s:.3f}", _number(one.share), one.n_both),
            *(_number(one.agreement), _number(one.moved)),
            *(
                (one.predictions.n, _number(one.predictions.error), _number(one.predictions.within))
                if one.predictions
                else (0, "", "")
            ),
        )
        for place, one in enumerate(costs_of(results), start=1)
    ]
    write_table(path, COLUMNS, (), rows)


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4g}"
