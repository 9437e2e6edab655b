"""How wrong predictions are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molloop.intervals import mean_interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Errors of predictions, in the property's unit, each with its 95% interval.

    Attributes
    ----------
    n
        Predictions.
    error, error_interval
        Mean absolute difference from the simulated value.
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
        wrong = means - values
        columns = np.stack([np.abs(wrong), np.abs(wrong) <= stds], axis=1).astype(float)
        found = mean_interval(columns, np.random.default_rng(0))
        low, high = found.low.tolist(), found.high.tolist()
        return cls(
            len(values),
            float(found.mean[0]),
            (low[0], high[0]),
            float(wrong.mean()),
            float(found.mean[1]),
            (low[1], high[1]),
        )
