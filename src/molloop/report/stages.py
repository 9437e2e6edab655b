"""What the stages of a run came to: values, failures, cost, and how well their orders agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from molloop.report.found import Found
from molloop.simulate.outcome import Success
from molloop.texts import counted


@dataclass(frozen=True, slots=True)
class StageCost:
    """What a stage came to.

    Attributes
    ----------
    core_s
        Processor time of its simulations: their seconds times the cores of each.
    n_pairs, agreement
        Molecules that also have a value in the last stage, and Spearman's rank correlation of the
        two; NaN of fewer than three, and of the last stage.
    """

    name: str
    n_values: int
    n_failed: int
    core_s: float
    n_pairs: int = 0
    agreement: float = nan


def stage_costs(results: Found) -> list[StageCost]:
    """Return what each stage came to; nothing where there is one."""
    costs, name, last = [], results.objective.quantity.name, results.values
    for protocol in results.protocols:
        items = [item for item in results.simulated if item.stage == protocol.stage]
        values = {item.molecule_id: item.value(name) for item in items}
        n_values = sum(isinstance(item.outcome, Success) for item in items)
        core_s = protocol.cores * sum(item.outcome.seconds for item in items)
        pairs = [
            (value, last[key]) for key, value in values.items() if value is not None and key in last
        ]
        is_last = protocol is results.protocols[-1]
        costs.append(
            StageCost(
                protocol.stage,
                n_values,
                len(items) - n_values,
                core_s,
                *((0, nan) if is_last else (len(pairs), rank_correlation(pairs))),
            )
        )
    return costs


def stage_lines(results: Found) -> list[str]:
    """Return the same in words."""
    costs = stage_costs(results)
    total_s = sum(one.core_s for one in costs) or 1.0
    return [
        f"Stage {one.name}: {counted(one.n_values, 'value')}, {one.n_failed:,} failed, "
        f"{one.core_s:,.1f} s of processor time ({one.core_s / total_s:.0%})"
        + (
            ""
            if np.isnan(one.agreement)
            else f"; rank correlation with {costs[-1].name} {one.agreement:.2f}, "
            f"of {counted(one.n_pairs, 'molecule')} with both values"
        )
        for one in costs
    ]


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Return Spearman's rank correlation; NaN of fewer than three pairs, or of equal values."""
    values = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    if len(values) < 3 or not np.ptp(values, axis=0).all():
        return nan
    from scipy.stats import spearmanr

    return float(spearmanr(values[:, 0], values[:, 1]).statistic)
