"""Bayesian linear regression on standardised descriptors."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize_scalar

from molloop.surrogate.model import (
    Features,
    Floats,
    Joint,
    Surrogate,
    check_shapes,
    in_blocks,
    is_spread,
)

PENALTY = (1e-4, 1e6)
N_GRID = 47
BLOCK_SIZE = 2048
PADDING = 16


@dataclass(frozen=True, eq=False)
class Ridge(Surrogate):
    """Linear regression whose coefficients have a normal prior.

    Bishop, Pattern Recognition and Machine Learning, Springer 2006, section 3.5. The standard
    deviation is that of the true value, without the noise.

    Attributes
    ----------
    points
        Standardised descriptors of the training molecules, shape (n, d).
    values
        Shape (n,).
    penalty
        Variance of the noise over that of a coefficient.
    """

    points: NDArray[np.float32]
    values: Floats
    penalty: float

    def __post_init__(self) -> None:
        check_shapes(self.points, self.values)

    @classmethod
    def fit(cls, features: Features, values: Floats, rng: np.random.Generator) -> Self:
        """Choose the penalty by the marginal likelihood."""
        del rng
        check_shapes(features, values)
        return cls(features, values, _fit_penalty(features.astype(np.float64), values))

    def predict(self, features: Features) -> tuple[Floats, Floats]:
        """Return mean and standard deviation, each of shape (m,), for features of shape (m, d)."""
        mean, std = in_blocks(self._predict_block, features, BLOCK_SIZE)
        return mean, std

    def _predict_block(self, features: Features) -> Floats:
        centred = features - self._centre
        std = np.sqrt(np.square(centred @ self._padded_factor).sum(axis=1))
        return np.stack([self.values.mean() + centred @ self._coefficients, std])

    def scatter(self, std: Floats) -> Floats:
        """Return the deviation of simulated values, of that of the true ones, shapes (m,)."""
        return np.hypot(std, np.sqrt(self._noise))

    def joint(self, features: Features) -> Joint:
        """Return the joint prediction, for features of shape (m, d)."""
        mean, std = self.predict(features)
        factors = (features - self._centre) @ self._factor
        noise = np.full_like(mean, self._noise)
        return Joint(mean, std**2, noise, lambda row: factors @ factors[row])

    @cached_property
    def _centre(self) -> Floats:
        return self.points.astype(np.float64).mean(axis=0)

    @cached_property
    def _precision_factor(self) -> Floats:
        """Inverse of the lower Cholesky factor of the coefficients' precision times the noise."""
        centred = self.points - self._centre
        precision = centred.T @ centred
        precision[np.diag_indices_from(precision)] += self.penalty
        factor = cholesky(precision, lower=True)
        return np.asarray(solve_triangular(factor, np.eye(len(factor)), lower=True))

    @cached_property
    def _coefficients(self) -> Floats:
        residual = self.values - self.values.mean()
        right = (self.points - self._centre).T @ residual
        return self._precision_factor.T @ (self._precision_factor @ right)

    @cached_property
    def _noise(self) -> float:
        """Variance of the noise, the likeliest one."""
        residual = self.values - self.values.mean()
        fitted = (self.points - self._centre) @ self._coefficients
        variance = float(residual @ (residual - fitted)) / len(residual)
        return variance if variance > 0 and is_spread(self.values) else 1.0

    @cached_property
    def _factor(self) -> Floats:
        """A square root of the coefficients' covariance."""
        return np.sqrt(self._noise) * self._precision_factor.T

    @cached_property
    def _padded_factor(self) -> Floats:
        """The same with columns of zeros, to a round number of them.

        With an odd number, BLAS treats rows of one block differently in their last bits.
        """
        return np.pad(self._factor, ((0, 0), (0, -self._factor.shape[1] % PADDING)))


def _fit_penalty(points: Floats, values: Floats) -> float:
    """Return the penalty of the largest marginal likelihood, with the likeliest noise."""
    residual = values - values.mean()
    if not is_spread(values):
        return 1.0
    left, singular, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    projected = (left.T @ residual) ** 2
    outside = max(float(residual @ residual - projected.sum()), 0.0)

    def loss(log_penalty: float) -> float:
        growth = 1 + singular**2 / np.exp(log_penalty)
        quadratic = (projected / growth).sum() + outside
        return float(len(values) / 2 * np.log(quadratic) + np.log(growth).sum() / 2)

    # there may be more than one minimum: the best of a grid is refined
    grid = np.log(np.geomspace(*PENALTY, N_GRID))
    place = int(np.argmin([loss(one) for one in grid]))
    bounds = (grid[max(place - 1, 0)], grid[min(place + 1, N_GRID - 1)])
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))
