"""How wrong predictions are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molloop.intervals import mean_interval, share_interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Errors of predictions, in the property's unit, each with its 95% interval.

    Attributes
    ----------
    n
        Predictions.
    error, error_interval
        Mean absolute difference from the simulated value; one prediction has no interval, NaN.
    bias
        Mean of prediction minus value.
    within, within_interval
        Share of the values within one predicted standard deviation; 0.68 would be right.
    """

    n: int
    error: float
    error_interval: tuple[float, float]
    bias: float
    within: float
    within_interval: tuple[float, float]

    @classmethod
    def of(cls, means: Floats, stds: Floats, values: Floats) -> "Accuracy":
        """Compare predictions with values, each of shape (n,), n at least 1."""
        n, wrong = len(values), means - values
        error = mean_interval(np.abs(wrong)[:, None])
        n_within = int((np.abs(wrong) <= stds).sum())
        return cls(
            n,
            float(error.mean[0]),
            (float(np.maximum(error.low[0], 0)), float(error.high[0])),
            float(wrong.mean()),
            n_within / n,
            share_interval(n_within, n),
        )
