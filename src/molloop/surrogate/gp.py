"""An exact Gaussian process on standardised descriptors."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, lapack, solve_triangular
from scipy.optimize import minimize

from molloop.surrogate.model import Features, Floats, Joint, check_shapes, in_blocks, is_spread

# bounds of the search, and the prior that decides while values are few; see `_fit_scales`
LENGTH_SCALE_SQUARED_PER_DESCRIPTOR = (0.3, 1000.0)
PRIOR_LENGTH_SCALE_SQUARED_PER_DESCRIPTOR = 5.0
PRIOR_SIGMA = 2.0  # of its logarithm
NOISE_RATIO = (1e-4, 1.0)
START_NOISE_RATIO = 1e-2
MAX_ITERATIONS = 40
MAX_LIKELIHOOD_POINTS = 600  # of which scales are learnt; the model itself takes all

SCREEN_BLOCK = 2048
EXACT_BLOCK = 256
PADDING = 16
ROUNDING = float(np.finfo(np.float32).eps) / 2
MAX_TELLING = 64


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """Posterior of a Gaussian process with a constant mean and a squared exponential kernel.

    Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press 2006, chapters 2
    and 5. The standard deviation is that of the true value, without the noise.

    Attributes
    ----------
    points
        Standardised descriptors of the training molecules, shape (n, d).
    values
        Shape (n,).
    length_scale
        Of the kernel, in units of the descriptors' standard deviation.
    noise_ratio
        Variance of the noise over that of the process.
    """

    points: NDArray[np.float32]
    values: Floats
    length_scale: float
    noise_ratio: float

    def __post_init__(self) -> None:
        check_shapes(self.points, self.values)

    @classmethod
    def fit(cls, features: Features, values: Floats, rng: np.random.Generator) -> "GaussianProcess":
        """Choose length scale and noise by the marginal likelihood, of up to 600 random points."""
        check_shapes(features, values)
        rows = np.arange(len(values))
        if len(rows) > MAX_LIKELIHOOD_POINTS:
            rows = np.sort(rng.choice(rows, MAX_LIKELIHOOD_POINTS, replace=False))
        length_scale, noise_ratio = _fit_scales(features[rows].astype(np.float64), values[rows])
        return cls(features, values, length_scale, noise_ratio)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what it is made of."""
        return {
            "points": self.points,
            "values": self.values,
            "length_scale": np.array(self.length_scale),
            "noise_ratio": np.array(self.noise_ratio),
        }

    def predict(self, features: Features) -> tuple[Floats, Floats]:
        """Return mean and standard deviation, each of shape (m,), for features of shape (m, d)."""
        mean, std = in_blocks(self._predict_block, features, EXACT_BLOCK)
        return mean, std

    def _predict_block(self, features: Features) -> Floats:
        points, weights, factor = self._padded
        kernel = _squared_exponential(self._scaled(features), points)
        mean = self._mean + kernel @ weights
        explained = np.square(kernel @ factor.T).sum(axis=1)
        return np.stack([mean, self._scale * np.sqrt(np.maximum(1 - explained, 0))])

    def screen(self, features: Features) -> tuple[Floats, Floats]:
        """Return what mean and standard deviation can be at most, each of shape (m,), fast.

        In single precision, with an allowance for its rounding: dot products of n terms are taken
        to be off by at most 8 sqrt(n) roundings of the terms' magnitudes. Were roundings
        independent, that would fail once in 10^13 (Higham and Mary, SIAM J. Sci. Comput. 41, A2815
        (2019), doi:10.1137/18M1226312); the tests look at what is left of it. The deviation is that
        given the most telling of the training molecules alone: others can only lower it.
        """
        mean, std = in_blocks(self._screen_block, features, SCREEN_BLOCK)
        return mean, std

    def _screen_block(self, features: Features) -> Floats:
        screen = self._screen
        queries = features * np.float32(np.sqrt(0.5) / self.length_scale)
        query_squares = np.einsum("ij,ij->i", queries, queries)
        kernel = queries @ (2 * screen.points).T
        kernel -= screen.squares
        kernel -= query_squares[:, None]
        np.minimum(kernel, 0, out=kernel)
        np.exp(kernel, out=kernel)
        # of each element of the kernel, which is at most 1
        n_terms = len(screen.points) + features.shape[1] + 4
        unlikely = 8 * np.sqrt(n_terms) * ROUNDING
        rounding = unlikely * (query_squares + screen.squares.max() + 1)
        weighted = kernel @ screen.weights + rounding * screen.weights_norm
        known = kernel[:, : len(screen.inverse_factor)] @ screen.inverse_factor.T
        explained = np.einsum("ij,ij->i", known, known) - 2 * rounding * screen.factor_norm
        left = 1 - np.clip(explained.astype(np.float64), 0, 1)
        return np.stack([self._mean + weighted.astype(np.float64), self._scale * np.sqrt(left)])

    def joint(self, features: Features) -> Joint:
        """Return the joint prediction, for features of shape (m, d)."""
        mean, std = self.predict(features)
        scaled = self._scaled(features)
        known = self._factor @ self._kernel(scaled).T

        def covariance(row: int) -> Floats:
            prior = _squared_exponential(scaled, scaled[row : row + 1])[:, 0]
            return self._scale**2 * (prior - known.T @ known[:, row])

        return Joint(mean, std**2, self._scale**2 * self.noise_ratio, covariance)

    def _scaled(self, features: Features) -> Floats:
        return features.astype(np.float64) * (np.sqrt(0.5) / self.length_scale)

    def _kernel(self, scaled: Floats) -> Floats:
        return _squared_exponential(scaled, self._scaled_points)

    @cached_property
    def _scaled_points(self) -> Floats:
        return self._scaled(self.points)

    @cached_property
    def _mean(self) -> float:
        return float(self.values.mean())

    @cached_property
    def _factor(self) -> Floats:
        """Inverse of the lower Cholesky factor of the training covariance over the scale."""
        covariance = self._kernel(self._scaled_points)
        covariance[np.diag_indices_from(covariance)] += self.noise_ratio
        return _inverse_factor(covariance)

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
        inverse_factor = _inverse_factor(telling)
        points = self._scaled_points[[*order, *others]].astype(np.float32)
        weights = self._weights[[*order, *others]]
        return _Screen(
            points=points,
            squares=np.einsum("ij,ij->i", points, points),
            weights=weights.astype(np.float32),
            weights_norm=float(np.linalg.norm(weights)),
            inverse_factor=inverse_factor.astype(np.float32),
            factor_norm=float(np.linalg.norm(inverse_factor)),
        )


@dataclass(frozen=True, eq=False)
class _Screen:
    """What screening needs, in single precision; the most telling points come first."""

    points: NDArray[np.float32]
    squares: NDArray[np.float32]
    weights: NDArray[np.float32]
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


def _inverse_factor(covariance: Floats) -> Floats:
    """Return the inverse of the lower Cholesky factor."""
    factor = cholesky(covariance, lower=True)
    return np.asarray(solve_triangular(factor, np.eye(len(factor)), lower=True))


def _squared_exponential(a: Floats, b: Floats) -> Floats:
    """Kernel of points divided by sqrt(2) length scales: shapes (n, d), (m, d) -> (n, m)."""
    exponent = 2 * a @ b.T
    exponent -= np.square(b).sum(axis=1)
    exponent -= np.square(a).sum(axis=1)[:, None]
    return np.exp(np.minimum(exponent, 0, out=exponent), out=exponent)


def _fit_scales(points: Floats, values: Floats) -> tuple[float, float]:
    """Return length scale and noise ratio of the largest marginal likelihood times prior.

    The process's variance is the likeliest one for each pair. A broad log-normal prior of the
    squared length scale decides where values are too few to say.
    """
    n, d = points.shape
    centred = values - values.mean()
    spread = float(np.sqrt(np.mean(centred**2)))
    if not is_spread(values):
        return float(np.sqrt(PRIOR_LENGTH_SCALE_SQUARED_PER_DESCRIPTOR * d)), START_NOISE_RATIO
    centred = centred / spread
    squares = np.square(points).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0) / (2 * d)
    prior_mode = np.log(PRIOR_LENGTH_SCALE_SQUARED_PER_DESCRIPTOR)

    def loss(logarithms: Floats) -> tuple[float, Floats]:
        scale, noise = np.exp(logarithms)
        kernel = np.exp(distances / -scale)
        covariance = kernel.copy()
        covariance[np.diag_indices(n)] += noise
        factor, info = lapack.dpotrf(covariance, lower=True)
        if info:
            return np.inf, np.zeros(2)
        inverse, _ = lapack.dpotri(factor, lower=True)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        weights = inverse @ centred
        quadratic = centred @ weights
        off = (logarithms[0] - prior_mode) / PRIOR_SIGMA
        value = n / 2 * np.log(quadratic / n) + np.log(np.diag(factor)).sum() + off**2 / 2
        inverse -= np.outer(weights, weights * (n / quadratic))
        kernel *= distances
        by_scale = np.einsum("ij,ij->", inverse, kernel) / (2 * scale) + off / PRIOR_SIGMA
        return float(value), np.array([by_scale, noise * np.trace(inverse) / 2])

    bounds = [tuple(np.log(LENGTH_SCALE_SQUARED_PER_DESCRIPTOR)), tuple(np.log(NOISE_RATIO))]
    starts = [(np.log(scale), np.log(START_NOISE_RATIO)) for scale in (1.0, 20.0)]
    fits = [
        minimize(
            loss,
            start,
            jac=True,
            bounds=bounds,
            method="L-BFGS-B",
            options={"maxiter": MAX_ITERATIONS},
        )
        for start in starts
    ]
    best = min(fits, key=lambda fit: fit.fun)
    return float(np.sqrt(np.exp(best.x[0]) * d)), float(np.exp(best.x[1]))
