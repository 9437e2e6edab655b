"""How much larger errors are than a model says: learnt from those of values that were left out.

A model whose scales are the likeliest ones is too sure of itself: it takes them for known, and the
molecules that it is asked about are not like those that it chose. So its standard deviations are
multiplied by a factor that depends on the mean that it predicts.
"""

from dataclasses import astuple, dataclass

import numpy as np
from scipy.optimize import minimize

from molloop.surrogate.model import Floats, is_spread

# Student's t has the heavy tails of such errors; its middle 58% lie within one scale
DEGREES_OF_FREEDOM = 2
# Of molecules that are not known over those of values left out. Chosen by replays of six tables
# (benchmarks/halves.py, half choose), as the priors: they decide where values are few.
BEYOND_LEFT_OUT = 1.58
PRIOR_SIGMA = 1.0  # of the factor's logarithm
PRIOR_GROWTH_SIGMA = 1.0  # of its growth over a standard deviation of the values


@dataclass(frozen=True, slots=True)
class Widening:
    """A factor that grows or falls, exponentially, with the predicted mean, between two means.

    Attributes
    ----------
    logarithm
        Of the factor where the mean is `middle`.
    growth
        Of the logarithm, a unit of the mean.
    middle, least, most
        Means; below the least and above the most the factor stays as it is there.
    """

    logarithm: float = 0.0
    growth: float = 0.0
    middle: float = 0.0
    least: float = 0.0
    most: float = 0.0

    @classmethod
    def learnt(cls, errors: Floats, stds: Floats, means: Floats, values: Floats) -> "Widening":
        """Fit it to n >= 1 values, each predicted from the others.

        The likeliest one, with normal priors around a factor of 1 that does not grow. Values that
        are all the same tell nothing.

        Parameters
        ----------
        errors, stds, means
            Value minus mean, standard deviation without the noise, and mean of each prediction,
            shape (n,).
        values
            Shape (n,).
        """
        middle, beyond = float(values.mean()), float(np.log(BEYOND_LEFT_OUT))
        if not is_spread(values):
            return cls(beyond, 0.0, middle, middle, middle)
        spread = float(values.std())
        place, squares = (means - middle) / spread, np.square(errors / stds)
        precisions = np.array([PRIOR_SIGMA, PRIOR_GROWTH_SIGMA]) ** -2.0

        def loss(found: Floats) -> tuple[float, Floats]:
            logarithms = found[0] + found[1] * place
            odd = squares * np.exp(-2 * logarithms) / DEGREES_OF_FREEDOM
            each = logarithms + (DEGREES_OF_FREEDOM + 1) / 2 * np.log1p(odd)
            slope = 1 - (DEGREES_OF_FREEDOM + 1) * odd / (1 + odd)
            slopes = np.array([slope.sum(), slope @ place])
            prior = precisions * found
            return float(each.sum() + prior @ found / 2), slopes + prior

        logarithm, growth = minimize(loss, np.zeros(2), jac=True, method="BFGS").x.tolist()
        least, most = float(means.min()), float(means.max())
        return cls(logarithm + beyond, growth / spread, middle, least, most)

    def factors(self, means: Floats) -> Floats:
        """Return the factor where a model predicts some means, shape (m,)."""
        place = np.clip(means, self.least, self.most) - self.middle
        return np.asarray(np.exp(self.logarithm + self.growth * place))

    def as_array(self) -> Floats:
        """Return what the constructor takes, shape (5,)."""
        return np.array(astuple(self))
