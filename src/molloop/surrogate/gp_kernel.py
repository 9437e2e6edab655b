"""The kernel of the Gaussian process, and how its scales are learnt."""

import numpy as np
from scipy.linalg import cholesky, lapack, solve_triangular
from scipy.optimize import minimize

from molloop.surrogate.model import Floats, is_spread

# bounds of the search, and the prior that decides while values are few; see `fit_scales`
LENGTH_SCALE_SQUARED_PER_DESCRIPTOR = (0.3, 1000.0)
PRIOR_LENGTH_SCALE_SQUARED_PER_DESCRIPTOR = 5.0
LINEAR_RATIO = (1e-3, 100.0)
PRIOR_LINEAR_RATIO = 1.0
PRIOR_SIGMA = 2.0  # of both logarithms
NOISE_RATIO = (1e-4, 1.0)
START_NOISE_RATIO = 1e-2
MAX_ITERATIONS = 40


def inverse_factor(covariance: Floats) -> Floats:
    """Return the inverse of the lower Cholesky factor."""
    factor = cholesky(covariance, lower=True)
    return np.asarray(solve_triangular(factor, np.eye(len(factor)), lower=True))


def covariances(a: Floats, b: Floats, slope: float) -> Floats:
    """Kernel of points divided by sqrt(2) length scales: shapes (n, d), (m, d) -> (n, m)."""
    products = a @ b.T
    exponent = 2 * products
    exponent -= np.square(b).sum(axis=1)
    exponent -= np.square(a).sum(axis=1)[:, None]
    both = np.exp(np.minimum(exponent, 0, out=exponent), out=exponent)
    both += np.multiply(products, slope, out=products)
    return both


def variances(a: Floats, slope: float) -> Floats:
    """Kernel of each point with itself, shape (n,)."""
    return 1 + slope * np.square(a).sum(axis=1)


def fit_scales(points: Floats, values: Floats) -> tuple[float, float, float]:
    """Return length scale, noise and linear ratio of the largest marginal likelihood times prior.

    The process's variance is the likeliest one for each. Broad log-normal priors of the squared
    length scale and of the linear ratio decide where values are too few to say.
    """
    n, d = points.shape
    centred = values - values.mean()
    spread = float(np.sqrt(np.mean(centred**2)))
    if not is_spread(values):
        length_scale = float(np.sqrt(PRIOR_LENGTH_SCALE_SQUARED_PER_DESCRIPTOR * d))
        return length_scale, START_NOISE_RATIO, PRIOR_LINEAR_RATIO
    centred = centred / spread
    squares = np.square(points).sum(axis=1)
    products = points @ points.T
    distances = np.maximum(squares[:, None] + squares - 2 * products, 0) / (2 * d)
    products /= d
    modes = np.log([PRIOR_LENGTH_SCALE_SQUARED_PER_DESCRIPTOR, PRIOR_LINEAR_RATIO])

    def loss(logarithms: Floats) -> tuple[float, Floats]:
        scale, noise, linear = np.exp(logarithms)
        kernel = np.exp(distances / -scale)
        covariance = kernel + linear * products
        covariance[np.diag_indices(n)] += noise
        factor, info = lapack.dpotrf(covariance, lower=True)
        if info:
            return np.inf, np.zeros(3)
        inverse, _ = lapack.dpotri(factor, lower=True)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        weights = inverse @ centred
        quadratic = centred @ weights
        off = (logarithms[[0, 2]] - modes) / PRIOR_SIGMA
        value = n / 2 * np.log(quadratic / n) + np.log(np.diag(factor)).sum() + off @ off / 2
        inverse -= np.outer(weights, weights * (n / quadratic))
        kernel *= distances
        by_scale = np.einsum("ij,ij->", inverse, kernel) / (2 * scale) + off[0] / PRIOR_SIGMA
        by_linear = np.einsum("ij,ij->", inverse, products) * linear / 2 + off[1] / PRIOR_SIGMA
        return float(value), np.array([by_scale, noise * np.trace(inverse) / 2, by_linear])

    limits = (LENGTH_SCALE_SQUARED_PER_DESCRIPTOR, NOISE_RATIO, LINEAR_RATIO)
    starts = [np.log([scale, START_NOISE_RATIO, PRIOR_LINEAR_RATIO]) for scale in (1.0, 20.0)]
    fits = [
        minimize(
            loss,
            start,
            jac=True,
            bounds=[tuple(np.log(one)) for one in limits],
            method="L-BFGS-B",
            options={"maxiter": MAX_ITERATIONS},
        )
        for start in starts
    ]
    scale, noise, linear = np.exp(min(fits, key=lambda fit: fit.fun).x).tolist()
    return float(np.sqrt(scale * d)), noise, linear
