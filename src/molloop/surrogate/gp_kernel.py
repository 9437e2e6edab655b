"""The kernel of the Gaussian process, and how its scales are learnt."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, lapack, solve_triangular
from scipy.optimize import minimize

from molloop.surrogate.model import Floats, is_spread

# bounds of the search, and the priors that decide while values are few; see `fit_scales`
LENGTH_SCALE_SQUARED_PER_DESCRIPTOR = (0.3, 1000.0)
PRIOR_LENGTH_SCALE_SQUARED_PER_DESCRIPTOR = 5.0
LINEAR_RATIO = (1e-3, 100.0)
PRIOR_LINEAR_RATIO = 1.0
PRIOR_SIGMA = 2.0  # of the logarithms of both
PRIOR_WEIGHT = 0.37  # of a group of descriptors behind the first
PRIOR_WEIGHT_SIGMA = 0.35  # of its logarithm
SQUARED_WEIGHT = (1e-3, 400.0)
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


@dataclass(frozen=True, slots=True)
class Scales:
    """What a fit of the kernel finds.

    Attributes
    ----------
    length_scale
        Of the squared exponential, in units of the descriptors' standard deviation.
    noise_ratio, linear_ratio
        Variances of the noise and of the linear part over that of the squared exponential.
    weights
        Of the groups of descriptors, shape (g,), the first one's 1.
    """

    length_scale: float
    noise_ratio: float
    linear_ratio: float
    weights: Floats


def fit_scales(points: Floats, values: Floats, groups: Sequence[int]) -> Scales:
    """Return the scales of the largest marginal likelihood times prior.

    The process's variance is the likeliest one for each. Log-normal priors of the squared length
    scale, of the linear ratio and of the weights decide where values are too few to say.

    Parameters
    ----------
    points, values
        Shapes (n, d) and (n,).
    groups
        How many descriptors stand in each group, one group behind the other: d in all.
    """
    n, d = points.shape
    centred = values - values.mean()
    spread = float(np.sqrt(np.mean(centred**2)))
    n_weights = len(groups) - 1
    start = [START_NOISE_RATIO, PRIOR_LINEAR_RATIO, *[PRIOR_WEIGHT**2] * n_weights]
    if not is_spread(values):
        return _scales([PRIOR_LENGTH_SCALE_SQUARED_PER_DESCRIPTOR, *start], d)
    centred = centred / spread
    products = _products(points, groups)
    squares = np.diagonal(products, axis1=1, axis2=2)
    distances = (squares[:, :, None] + squares[:, None, :]) / 2 - products
    np.maximum(distances, 0, out=distances)
    modes = np.log([PRIOR_LENGTH_SCALE_SQUARED_PER_DESCRIPTOR, *start])
    precisions = np.array(
        [PRIOR_SIGMA**-2.0, 0, PRIOR_SIGMA**-2.0, *[PRIOR_WEIGHT_SIGMA**-2.0 / 4] * n_weights]
    )

    def loss(logarithms: Floats) -> tuple[float, Floats]:
        scale, noise, linear, *squared = np.exp(logarithms).tolist()
        weights = [1.0, *squared]
        distance, product = (np.tensordot(weights, one, 1) for one in (distances, products))
        kernel = np.exp(distance / -scale)
        covariance = kernel + linear * product
        covariance[np.diag_indices(n)] += noise
        factor, info = lapack.dpotrf(covariance, lower=True)
        if info:
            return np.inf, np.zeros(len(logarithms))
        inverse, _ = lapack.dpotri(factor, lower=True)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        solved = inverse @ centred
        quadratic = centred @ solved
        off = logarithms - modes
        prior = precisions * off
        value = n / 2 * np.log(quadratic / n) + np.log(np.diag(factor)).sum() + prior @ off / 2
        inverse -= np.outer(solved, solved * (n / quadratic))
        noise_slope = noise * np.trace(inverse) / 2
        by_distance = -np.tensordot(distances, inverse * kernel, 2) * weights / (2 * scale)
        by_product = np.tensordot(products, inverse, 2) * weights * (linear / 2)
        slopes = [-by_distance.sum(), noise_slope, by_product.sum()]
        return float(value), np.array([*slopes, *(by_distance + by_product)[1:]]) + prior

    limits = (
        LENGTH_SCALE_SQUARED_PER_DESCRIPTOR,
        NOISE_RATIO,
        LINEAR_RATIO,
        *[SQUARED_WEIGHT] * n_weights,
    )
    fits = [
        minimize(
            loss,
            np.log([scale, *start]),
            jac=True,
            bounds=[tuple(np.log(one)) for one in limits],
            method="L-BFGS-B",
            options={"maxiter": MAX_ITERATIONS},
        )
        for scale in (1.0, 20.0)
    ]
    return _scales(np.exp(min(fits, key=lambda fit: fit.fun).x).tolist(), d)


def _products(points: Floats, groups: Sequence[int]) -> Floats:
    """Return dot products of points over each group of descriptors, by all of them: (g, n, n)."""
    parts = np.split(points, np.cumsum(groups)[:-1], axis=1)
    return np.stack([part @ part.T for part in parts]) / points.shape[1]


def _scales(found: Sequence[float], d: int) -> Scales:
    scale, noise, linear, *squared = found
    return Scales(float(np.sqrt(scale * d)), noise, linear, np.sqrt([1.0, *squared]))
