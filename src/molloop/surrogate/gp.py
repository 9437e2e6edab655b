"""An exact Gaussian process on standardised descriptors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from molloop.surrogate.gp_kernel import covariances, fit_scales, inverse_factor, variances
from molloop.surrogate.lessons import worth_learning
from molloop.surrogate.model import (
    Features,
    Floats,
    Joint,
    Surrogate,
    check_shapes,
    in_blocks,
    is_spread,
)
from molloop.surrogate.widening import Widening

MAX_LIKELIHOOD_POINTS = 600  # of which scales are learnt
MAX_POINTS = 4000  # time grows with the cube of them, memory with the square

SCREEN_BLOCK, EXACT_BLOCK = 2048, 256
PADDING = 16
ROUNDING = float(np.finfo(np.float32).eps) / 2
MAX_TELLING = 64
LEAST_VARIANCE = 1e-9  # of a value that is left out, where rounding leaves none


@dataclass(frozen=True, eq=False)
class GaussianProcess(Surrogate):
    """Posterior of a Gaussian process with a constant mean, whose kernel has two parts.

    A squared exponential, which learns what is near, and a linear one, which goes on where nothing
    is near: extremes lie there. Rasmussen and Williams, Gaussian Processes for Machine Learning,
    MIT Press 2006, chapters 2, 4 and 5. The standard deviation is that of simulated values: that of
    the process without the noise, times a factor that is learnt from errors of such values; see
    :class:`molloop.surrogate.widening.Widening`.

    Attributes
    ----------
    points
        Standardised descriptors of the training molecules, shape (n, d).
    values
        Shape (n,).
    length_scale
        Of the squared exponential, in units of the descriptors' standard deviation.
    noise_ratio, linear_ratio
        Variances of the noise and, where all descriptors are a standard deviation off, of the
        linear part, over that of the squared exponential.
    weights
        Of each descriptor, shape (d,): it counts as if multiplied by that.
    widening
        Of the standard deviations, as an array.
    """

    acquisition = "ucb"
    draws_in = True

    points: NDArray[np.float32]
    values: Floats
    length_scale: float
    noise_ratio: float
    linear_ratio: float
    weights: Floats
    widening: Floats

    def __post_init__(self) -> None:
        check_shapes(self.points, self.values)

    @classmethod
    def fit(cls, features: Features, values: Floats, rng: np.random.Generator) -> Self:
        """Learn from descriptors that all weigh the same; see :meth:`fit_groups`."""
        return cls.fit_groups(features, values, rng, features.shape[1:])

    @classmethod
    def fit_groups(
        cls, features: Features, values: Floats, rng: np.random.Generator, groups: Sequence[int]
    ) -> Self:
        """Choose scales and weights by the marginal likelihood, of up to 600 random points.

        Of more than 4,000 molecules it learns from the 2,000 largest values, as a search for the
        largest wants those parts of the space known best, and from as many random others.
        """
        check_shapes(features, values)
        if len(values) > MAX_POINTS:
            rows = worth_learning(values, MAX_POINTS, rng)
            features, values = features[rows], values[rows]
        rows = np.arange(len(values))
        if len(rows) > MAX_LIKELIHOOD_POINTS:
            rows = np.sort(rng.choice(rows, MAX_LIKELIHOOD_POINTS, replace=False))
        found = fit_scales(features[rows].astype(np.float64), values[rows], groups)
        model = cls(
            features,
            values,
            found.length_scale,
            found.noise_ratio,
            found.linear_ratio,
            np.repeat(found.weights, groups),
            Widening().as_array(),
        )
        part = replace(model, points=features[rows], values=values[rows])
        return replace(model, widening=part._learnt_widening().as_array())

    def _learnt_widening(self) -> Widening:
        """Return what errors say of values that are left out; chapter 5.4.2, equation 5.12.

        The scales and the mean are those of all values.
        """
        precisions = np.square(self._factor).sum(axis=0)
        errors = self._weights / precisions
        stds = self._scale * np.sqrt(np.maximum(1 / precisions - self.noise_ratio, LEAST_VARIANCE))
        return Widening.learnt(errors, stds, self.values - errors, self.values)

    def predict(self, features: Features) -> tuple[Floats, Floats]:
        """Return mean and standard deviation, each of shape (m,), for features of shape (m, d)."""
        mean, std = in_blocks(self._predict_block, features, EXACT_BLOCK)
        return mean, std

    def _predict_block(self, features: Features) -> Floats:
        points, weights, factor = self._padded
        scaled = self._scaled(features)
        kernel = covariances(scaled, points, self._slope)
        mean = self._mean + kernel @ weights
        explained = np.square(kernel @ factor.T).sum(axis=1)
        variance = variances(scaled, self._slope) - explained
        std = self._scale * np.sqrt(np.maximum(variance, 0))
        return np.stack([mean, self._widening.factors(mean) * std])

    def screen(self, features: Features) -> tuple[Floats, Floats]:
        """Return what mean and standard deviation can be at most, each of shape (m,), fast.

        In single precision, with an allowance for its rounding: dot products of n terms are taken
        to be off by at most 8 sqrt(n) roundings of the terms' magnitudes. Were roundings
        independent, that would fail once in 10^13 (Higham and Mary, SIAM J. Sci. Comput. 41, A2815
        (2019), doi:10.1137/18M1226312); the tests look at what is left of it. The deviation is that
        given the most telling of the training molecules alone: others can only lower it.
        """
        return self.interval(features)[1:]

    def interval(self, features: Features) -> tuple[Floats, Floats, Floats]:
        """Return the same, and before it the least that the mean can be, each of shape (m,)."""
        return tuple(in_blocks(self._screen_block, features, SCREEN_BLOCK))

    def _screen_block(self, features: Features) -> Floats:
        screen, slope = self._screen, np.float32(self._slope)
        queries = features * self._units.astype(np.float32)
        query_squares = np.einsum("ij,ij->i", queries, queries)
        kernel = queries @ (2 * screen.points).T
        n_telling = len(screen.inverse_factor)
        linear = (slope / 2) * kernel[:, :n_telling]
        kernel -= screen.squares
        kernel -= query_squares[:, None]
        np.minimum(kernel, 0, out=kernel)
        np.exp(kernel, out=kernel)
        # of each element of the kernel: its first part is at most 1, its second grows with both
        n_terms = len(screen.points) + features.shape[1] + 4
        unlikely = 8 * np.sqrt(n_terms) * ROUNDING
        rounding = unlikely * (1 + slope) * (query_squares + screen.squares.max() + 1)
        weighted = (kernel @ screen.weights + queries @ screen.slopes).astype(np.float64)
        doubt = rounding * screen.weights_norm
        known = (kernel[:, :n_telling] + linear) @ screen.inverse_factor.T
        explained = np.einsum("ij,ij->i", known, known).astype(np.float64)
        prior = 1 + self._slope * query_squares.astype(np.float64) * (1 + unlikely)
        explained -= 2 * np.sqrt(prior) * rounding * screen.factor_norm
        left = prior - np.clip(explained, 0, prior)
        mean = self._mean + weighted + doubt
        widest = mean if self._widening.growth > 0 else mean - 2 * doubt
        std = self._widening.factors(widest) * self._scale * np.sqrt(left)
        return np.stack([mean - 2 * doubt, mean, std])

    def scatter(self, std: Floats) -> Floats:
        """Return the deviation of simulated values, shape (m,): that of the noise at least."""
        return np.maximum(std, self._scale * np.sqrt(self.noise_ratio))

    def joint(self, features: Features) -> Joint:
        """Return the joint prediction, for features of shape (m, d)."""
        (mean, std), scaled = self.predict(features), self._scaled(features)
        known = self._factor @ self._kernel(scaled).T
        scales = self._widening.factors(mean) * self._scale

        def covariance(row: int) -> Floats:
            prior = covariances(scaled, scaled[row : row + 1], self._slope)[:, 0]
            return scales * scales[row] * (prior - known.T @ known[:, row])

        return Joint(mean, std**2, scales**2 * self.noise_ratio, covariance)

    def _scaled(self, features: Features) -> Floats:
        return features.astype(np.float64) * self._units

    def _kernel(self, scaled: Floats) -> Floats:
        return covariances(scaled, self._scaled_points, self._slope)

    @cached_property
    def _units(self) -> Floats:
        """What scales each descriptor, shape (d,)."""
        return self.weights * (np.sqrt(0.5) / self.length_scale)

    @cached_property
    def _slope(self) -> float:
        """Of the linear part, for points that are scaled."""
        return self.linear_ratio * 2 * self.length_scale**2 / self.points.shape[1]

    @cached_property
    def _scaled_points(self) -> Floats:
        return self._scaled(self.points)

    @cached_property
    def _widening(self) -> Widening:
        return Widening(*self.widening.tolist())

    @cached_property
    def _mean(self) -> float:
        return float(self.values.mean())

    @cached_property
    def _factor(self) -> Floats:
        """Inverse of the lower Cholesky factor of the training covariance over the scale."""
        covariance = self._kernel(self._scaled_points)
        covariance[np.diag_indices_from(covariance)] += self.noise_ratio
        return inverse_factor(covariance)

    @cached_property
    def _weights(self) -> Floats:
        return self._factor.T @ (self._factor @ (self.values - self._mean))

    @cached_property
    def _padded(self) -> tuple[Floats, Floats, Floats]:
        """Points, weights and factor with points that weigh nothing, to a round number of them.

        With an odd number, BLAS treats rows of one block differently in their last bits.
        """
        n_more = -len(self.points) % PADDING
        return (
            np.pad(self._scaled_points, ((0, n_more), (0, 0))),
            np.pad(self._weights, (0, n_more)),
            np.pad(self._factor, (0, n_more)),
        )

    @cached_property
    def _scale(self) -> float:
        """Standard deviation of the process, the likeliest one."""
        variance = float((self.values - self._mean) @ self._weights) / len(self.values)
        return float(np.sqrt(variance)) if is_spread(self.values) else 1.0

    @cached_property
    def _screen(self) -> "_Screen":
        covariance = self._kernel(self._scaled_points)
        order = _most_telling(covariance, MAX_TELLING, self.noise_ratio)
        others = np.setdiff1d(np.arange(len(covariance)), order)
        telling = covariance[np.ix_(order, order)]
        telling[np.diag_indices_from(telling)] += self.noise_ratio
        telling_factor = inverse_factor(telling)
        points = self._scaled_points[[*order, *others]]
        weights = self._weights[[*order, *others]]
        return _Screen(
            points=points.astype(np.float32),
            squares=np.square(points).sum(axis=1).astype(np.float32),
            weights=weights.astype(np.float32),
            slopes=(self._slope * (weights @ points)).astype(np.float32),
            weights_norm=float(np.linalg.norm(weights)),
            inverse_factor=telling_factor.astype(np.float32),
            factor_norm=float(np.linalg.norm(telling_factor)),
        )


@dataclass(frozen=True, eq=False)
class _Screen:
    """What screening needs, in single precision; the most telling points come first."""

    points: NDArray[np.float32]
    squares: NDArray[np.float32]
    weights: NDArray[np.float32]
    slopes: NDArray[np.float32]
    weights_norm: float
    inverse_factor: NDArray[np.float32]
    factor_norm: float


def _most_telling(covariance: Floats, n: int, noise: float) -> list[int]:
    """Return up to n points, each the one that is least known given those before it.

    A Cholesky decomposition with pivots; it ends where no variance above the noise is left.
    """
    left = covariance.diagonal().copy()
    rows: list[Floats] = []
    order: list[int] = []
    while len(order) < min(n, len(left)) and left.max() > noise:
        pivot = int(np.argmax(left))
        row = covariance[pivot] - sum(done * done[pivot] for done in rows)
        rows.append(row / np.sqrt(row[pivot] + noise))
        left = left - rows[-1] ** 2
        left[pivot] = 0
        order.append(pivot)
    return order
