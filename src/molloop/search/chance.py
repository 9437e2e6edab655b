"""The chance that a molecule has a value, learnt from those that failed.

Light to fit and to ask: with failures a ranking shall take hardly longer than without.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from molloop.surrogate.model import Features, Floats, in_blocks

MAX_POINTS = 4000  # learnt from; time grows with them
N_BEFORE = 4.0  # values that the mean molecule is taken to have had before the first
VARIANCES = np.geomspace(1e-4, 10, 6)  # of the weights
LIKELY_VARIANCE = 0.001  # with a log-normal prior: see `Chance.fit`
SIGMA = 2.0
TOLERANCE = 1e-9  # twice what another step would gain of the loss
MAX_STEPS = 50
LEAST = 1e-9  # nothing is given up for good
BLOCK = 2048
MAX_WEIGHTS = 1024  # time grows with the cube of them


@dataclass(frozen=True, eq=False)
class Chance:
    """The mean of some logistic regressions whose weights have normal priors.

    Attributes
    ----------
    weights
        Of the features, shape (k, d); of bits, one for each.
    intercepts
        Logarithms of the odds where all features are 0, shape (k,).
    shares
        What each counts, shape (k,).
    """

    weights: Floats
    intercepts: Floats
    shares: Floats

    @classmethod
    def fit(cls, with_value: Features, failed: Features, rng: np.random.Generator) -> Self:
        """Learn from molecules with a value and from such as failed, of up to 4,000 random ones.

        Each variance of the weights counts by its marginal likelihood, by Laplace's approximation,
        times a broad prior: where failures have nothing in common small ones do, and all molecules
        have nearly the same chance. MacKay, Neural Comput. 4, 720 (1992),
        doi:10.1162/neco.1992.4.5.720; Bishop, Pattern Recognition and Machine Learning, Springer
        2006, sections 4.4, 4.5 and 14.1. Some values that the mean molecule is taken to have had
        keep every chance near 1 while failures are few.

        Parameters
        ----------
        with_value, failed
            Features of n and f >= 1 molecules, shapes (n, width) and (f, width).
        """
        n, n_failed = len(with_value), len(failed)
        rows = np.arange(n + n_failed)
        if len(rows) > MAX_POINTS:
            rows = np.sort(rng.choice(rows, MAX_POINTS, replace=False))
        points = np.concatenate(
            [_numbers(with_value[rows[rows < n]]), _numbers(failed[rows[rows >= n] - n])]
        )
        # standardised numbers are 0 in the mean of a library; bits are not
        mean = points.mean(axis=0) if with_value.dtype == np.uint8 else 0.0
        posterior = _Posterior.of(points.astype(np.float64), rows < n, mean)
        found, evidence = [np.zeros(1 + points.shape[1])], []
        for variance in VARIANCES:
            most, likelihood = posterior.at_most(variance, found[-1])
            off = np.log(variance / LIKELY_VARIANCE) / SIGMA
            found.append(most)
            evidence.append(likelihood - off**2 / 2)
        parameters, shares = np.array(found[1:]), np.exp(np.array(evidence) - max(evidence))
        return cls(parameters[:, 1:], parameters[:, 0], shares / shares.sum())

    @staticmethod
    def can_learn(features: Features) -> bool:
        """Whether there are molecules, shape (n, width), and their features are few enough."""
        return (
            len(features) > 0
            and features.shape[1] * (8 if features.dtype == np.uint8 else 1) <= MAX_WEIGHTS
        )

    def of(self, features: Features) -> Floats:
        """Return the chance of each of m molecules, above 0, for features of shape (m, width)."""
        return np.asarray(np.maximum(in_blocks(self._of_block, features, BLOCK)[0], LEAST))

    def _of_block(self, features: Features) -> Floats:
        from scipy.special import expit

        log_odds = _numbers(features) @ self.weights.T.astype(np.float32)
        return np.asarray(expit(log_odds + self.intercepts) @ self.shares)[None]

    def write(self, path: Path) -> None:
        """Save it to a file of numbers."""
        np.savez(path, weights=self.weights, intercepts=self.intercepts, shares=self.shares)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read it back."""
        with np.load(path, allow_pickle=False) as file:
            return cls(**file)


def chances_of(
    tried: Iterable[tuple[Features, Features]], rng: np.random.Generator
) -> list[Chance]:
    """Return what is learnt of each stage in which something has failed.

    Parameters
    ----------
    tried
        Of each stage, features of the molecules with a value and of those that failed.
    """
    return [Chance.fit(*one, rng) for one in tried if Chance.can_learn(one[1])]


@dataclass(frozen=True, eq=False)
class _Posterior:
    """Of the intercept and the weights.

    Attributes
    ----------
    points
        A one and the features of each molecule, shape (n, 1 + d); the last is the mean one.
    signs
        1 where it has a value, -1 where it failed, shape (n,).
    counts
        How often it is there, shape (n,).
    """

    points: Floats
    signs: Floats
    counts: Floats

    @classmethod
    def of(cls, features: Floats, has_value: NDArray[np.bool_], mean: Floats | float = 0.0) -> Self:
        points = np.pad(features, ((0, 1), (1, 0)))
        points[:, 0] = 1
        points[-1, 1:] = mean
        signs = np.where([*has_value, True], 1.0, -1.0)
        return cls(points, signs, np.array([*np.ones(len(features)), N_BEFORE]))

    def at_most(self, variance: float, start: Floats) -> tuple[Floats, float]:
        """Return where it is largest, shape (1 + d,), and the logarithm of the evidence.

        By Newton's method: the loss is convex, and there are few weights.
        """
        precision = np.full(len(start), 1 / variance)
        precision[0] = 0
        here, loss = start, self._loss(start, precision)
        for _ in range(MAX_STEPS):
            gradient, curvature = self._derivatives(here, precision)
            step = np.linalg.solve(curvature, gradient)
            if gradient @ step < TOLERANCE:
                break
            while (there := self._loss(here - step, precision)) > loss:
                step /= 2
            here, loss = here - step, there
        determinant = np.linalg.slogdet(curvature).logabsdet
        return here, float(-loss - ((len(here) - 1) * np.log(variance) + determinant) / 2)

    def _loss(self, parameters: Floats, precision: Floats) -> float:
        log_odds = self.signs * (self.points @ parameters)
        value = self.counts @ np.logaddexp(0, -log_odds) + precision @ parameters**2 / 2
        return float(value)

    def _derivatives(self, parameters: Floats, precision: Floats) -> tuple[Floats, Floats]:
        from scipy.special import expit

        wrong = expit(-self.signs * (self.points @ parameters))
        gradient = precision * parameters - (self.counts * self.signs * wrong) @ self.points
        curvature = (self.points.T * (self.counts * wrong * (1 - wrong))) @ self.points
        curvature[np.diag_indices_from(curvature)] += precision
        return gradient, curvature


def _numbers(features: Features) -> NDArray[np.float32]:
    """Return features as numbers, each bit one: shape (n, width) -> (n, d)."""
    if features.dtype != np.uint8:
        return features
    return np.unpackbits(features, axis=1, bitorder="little").astype(np.float32)
