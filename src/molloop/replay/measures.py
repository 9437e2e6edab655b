"""What a replay has found, measured against all that there was to find."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.store import Store
from molloop.simulate.outcome import Success

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Truth:
    """The values of a whole table.

    Attributes
    ----------
    values
        By molecule id, NaN where there is none, shape (n,).
    sign
        1 where large values are good, -1 where small ones are.
    top
        Ids of the best k; of equal ones, the lower.
    threshold
        Values beyond it are counted.
    """

    values: Floats
    sign: int
    top: NDArray[np.int64]
    threshold: float | None

    @classmethod
    def of(cls, values: Floats, sign: int, k: int, threshold: float | None = None) -> "Truth":
        """Find the best k of some values."""
        order = np.argsort(np.where(np.isnan(values), np.inf, -sign * values), kind="stable")
        return cls(values, sign, order[: min(k, int(np.isfinite(values).sum()))], threshold)

    @property
    def best(self) -> float:
        """The best value of all."""
        return float(self.values[self.top[0]])


@dataclass(frozen=True, eq=False)
class Curves:
    """How far a campaign was after its first, second, ... simulation; each of shape (m,).

    Attributes
    ----------
    times_s
        When that simulation's outcome was known.
    recall
        Share of the true top k among the values until then.
    best
        The best value until then, NaN before the first.
    regret
        What the best of all is better by.
    n_above
        Values beyond the threshold.
    """

    times_s: Floats
    recall: Floats
    best: Floats
    regret: Floats
    n_above: Counts


def measure(store: Store, truth: Truth) -> Curves:
    """Read how a campaign went from its store."""
    done = sorted(store.simulated(), key=lambda item: (item.ended_s, item.proposal))
    ids = np.array([item.molecule_id for item in done], dtype=np.int64)
    is_value = np.array([isinstance(item.outcome, Success) for item in done], dtype=bool)
    good = np.where(is_value, truth.sign * truth.values[ids], -np.inf)
    best = truth.sign * np.maximum.accumulate(good)
    best[~np.logical_or.accumulate(is_value)] = np.nan
    limit = np.inf if truth.threshold is None else truth.sign * truth.threshold
    return Curves(
        times_s=np.array([item.ended_s for item in done]),
        recall=np.cumsum(is_value & np.isin(ids, truth.top)) / len(truth.top),
        best=best,
        regret=truth.sign * (truth.best - best),
        n_above=np.cumsum(good > limit),
    )
