"""Means over seeds, and how sure they are."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
N_RESAMPLES = 2000
CONFIDENCE = 0.95
Z = 1.959964  # of that confidence
MOST_RESAMPLED = 1000


@dataclass(frozen=True, eq=False)
class Interval:
    """Means and the bounds of their 95% intervals, each of shape (m,); NaN where not known."""

    mean: Floats
    low: Floats
    high: Floats

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Where there are bounds."""
        return np.isfinite(self.low)


def mean_interval(values: Floats, rng: np.random.Generator) -> Interval:
    """Return the mean over n seeds of m numbers, shape (n, m), with a bootstrap interval.

    The percentile interval of Efron, Ann. Stat. 7, 1 (1979), doi:10.1214/aos/1176344552. Of the
    difference of two campaigns with the same seeds, it is the paired interval. Where a seed has
    no number, NaN, it is left out; one number has no interval. Of more than 1,000, the normal
    interval, which is the same then.
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
    is_known = present.sum(axis=0) > 1
    low, high = np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    tail = 50 * (1 - CONFIDENCE)
    if is_known.any():
        bounds = np.nanpercentile(means[:, is_known], [tail, 100 - tail], axis=0)
        low[is_known], high[is_known] = bounds
    return Interval(mean, low, high)


def share_interval(n_yes: int, n: int) -> tuple[float, float]:
    """Return the bounds of a share's 95% interval: E. B. Wilson, JASA 22, 209 (1927).

    doi:10.1080/01621459.1927.10502953. Unlike a bootstrap's it has a width where all are alike.
    """
    # scipy.stats has it too, but its import takes longer than a small run's figures
    share = n_yes / n
    centre = share + Z**2 / (2 * n)
    half = Z * sqrt(share * (1 - share) / n + (Z / (2 * n)) ** 2)
    whole = 1 + Z**2 / n
    return max(0.0, (centre - half) / whole), min(1.0, (centre + half) / whole)
