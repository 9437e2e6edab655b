"""Means over seeds, and how sure they are."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CONFIDENCE = 0.95
Z = 1.959964  # of that confidence


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


def mean_interval(values: Floats) -> Interval:
    """Return the mean over n seeds of m numbers, shape (n, m), with Student's t interval.

    Student, Biometrika 6, 1 (1908), doi:10.1093/biomet/6.1.1. Of the difference of two campaigns
    with the same seeds, it is the paired interval. Where a seed has no number, NaN, it is left out;
    one number has no interval.
    """
    from scipy.special import stdtrit

    is_there = np.isfinite(values)
    n = is_there.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(is_there, values, 0.0).sum(axis=0) / n
        square = np.where(is_there, values - mean, 0.0) ** 2
        error = np.sqrt(square.sum(axis=0) / (n - 1) / n)
        half = stdtrit(n - 1.0, (1 + CONFIDENCE) / 2) * error
    return Interval(mean, mean - half, mean + half)


def share_interval(n_yes: int, n: int) -> tuple[float, float]:
    """Return the bounds of a share's 95% interval: E. B. Wilson, JASA 22, 209 (1927).

    doi:10.1080/01621459.1927.10502953. It has a width where all are alike.
    """
    # scipy.stats has it too, but its import takes longer than a small run's figures
    share = n_yes / n
    centre = share + Z**2 / (2 * n)
    half = Z * sqrt(share * (1 - share) / n + (Z / (2 * n)) ** 2)
    whole = 1 + Z**2 / n
    return max(0.0, (centre - half) / whole), min(1.0, (centre + half) / whole)
