"""Means over seeds, and how sure they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
N_RESAMPLES = 2000
CONFIDENCE = 0.95
Z = 1.959964  # of that confidence
MOST_RESAMPLED = 1000


@dataclass(frozen=True, eq=False)
class Interval:
    """Means and the bounds of their 95% intervals, each of shape (m,)."""

    mean: Floats
    low: Floats
    high: Floats


def mean_interval(values: Floats, rng: np.random.Generator) -> Interval:
    """Return the mean over n seeds of m numbers, shape (n, m), with a bootstrap interval.

    The percentile interval of Efron, Ann. Stat. 7, 1 (1979), doi:10.1214/aos/1176344552. Of the
    difference of two campaigns with the same seeds, it is the paired interval. Where a seed has
    no number, NaN, it is left out. Of more than 1,000, the normal interval, which is the same then.
    """
    n = len(values)
    present = np.isfinite(values)
    if n > MOST_RESAMPLED and present.all():
        error = values.std(axis=0, ddof=1) / np.sqrt(n)
        mean = values.mean(axis=0)
        return Interval(mean, mean - Z * error, mean + Z * error)
    filled = np.where(present, values, 0.0)
    weights = rng.multinomial(n, np.full(n, 1 / n), N_RESAMPLES)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (weights @ filled) / (weights @ present)
        mean = filled.sum(axis=0) / present.sum(axis=0)
    is_known = present.any(axis=0)
    low, high = np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    tail = 50 * (1 - CONFIDENCE)
    low[is_known], high[is_known] = np.nanpercentile(means[:, is_known], [tail, 100 - tail], axis=0)
    return Interval(mean, low, high)
