"""What makes a molecule worth a simulation, one table: name -> function.

Each is a function of mean and standard deviation that falls with neither; large is good.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
UCB_DEVIATIONS = 0.5  # what finds most of the best hundred: docs/benchmarks/search.md
LEAST = -1e300  # minus infinity is for what is no candidate
LOW_SHARE = 0.1  # of the values, lie below what a failure counts as: docs/benchmarks/failures.md


@dataclass(frozen=True, eq=False)
class Circumstances:
    """What an acquisition may look at beside the predictions.

    Attributes
    ----------
    ids
        Of the n molecules, shape (n,).
    best
        The largest value that counts as one so far.
    seed
        Of what is drawn.
    chance
        That a simulation gives a value, above 0, shape (n,); None where nothing has failed.
    if_failed
        The value that a failure counts as: see `failure_value`.
    """

    ids: NDArray[np.int64]
    best: float = 0.0
    seed: tuple[int, int] = (0, 0)
    chance: Floats | None = None
    if_failed: float = 0.0


def failure_value(values: Floats) -> float:
    """Return what a failure counts as beside n >= 1 values: a tenth of them lie below it.

    A search lifts their mean above the molecules that it still looks for: it would be too much.
    """
    return float(np.quantile(values, LOW_SHARE))


Acquisition = Callable[[Floats, Floats, Circumstances], Floats]


def greedy(mean: Floats, _std: Floats, given: Circumstances) -> Floats:
    """Return the prediction itself, shape (n,)."""
    return _expected(mean, given)


def ucb(mean: Floats, std: Floats, given: Circumstances) -> Floats:
    """Return the upper confidence bound of half a standard deviation, shape (n,).

    Auer, J. Mach. Learn. Res. 3, 397 (2002).
    """
    return _expected(mean + UCB_DEVIATIONS * std, given)


def _expected(score: Floats, given: Circumstances) -> Floats:
    """Return what is expected of a score that a molecule only has if it does not fail.

    Scores below what a failure counts as stay: to fail is no better than they are.
    """
    if given.chance is None:
        return score
    low = given.if_failed
    return np.where(score > low, low + given.chance * (score - low), score)


def ei(mean: Floats, std: Floats, given: Circumstances) -> Floats:
    """Return the logarithm of the expected improvement on the best value, shape (n,).

    Jones, Schonlau and Welch, J. Global Optim. 13, 455 (1998), doi:10.1023/A:1008306431147; the
    logarithm, so that molecules far below the best still differ: Ament et al., NeurIPS 2023,
    arXiv:2310.20708. A molecule that fails improves nothing.
    """
    from scipy.special import erfcx, ndtr

    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        z = (mean - given.best) / std
        near = np.log(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) + z * ndtr(z))
        # below, both terms nearly cancel: log phi(z) + log(1 + z Phi(z) / phi(z))
        ratio = z * np.sqrt(np.pi / 2) * erfcx(-z / np.sqrt(2))
        log_density = -(z**2) / 2 - np.log(2 * np.pi) / 2
        far = log_density + np.where(z > -1e5, np.log1p(ratio), -2 * np.log(-z))
        score = np.log(std) + np.where(z > -1, near, far)
        certain = np.log(np.maximum(mean - given.best, 0.0))
    is_unsure = (std > 0) & (np.abs(z) < 1e100)  # beyond, the square is none any more
    score = np.where(is_unsure, np.maximum(score, certain), certain)
    if given.chance is not None:
        score = score + np.log(given.chance)
    return np.maximum(score, LEAST)


def random(_mean: Floats, _std: Floats, given: Circumstances) -> Floats:
    """Return a number between 0 and 1 that depends on molecule and seed alone, shape (n,)."""
    keys = np.random.default_rng(given.seed).integers(0, 2**64, 2, dtype=np.uint64)
    numbers = mix(mix(given.ids.astype(np.uint64) ^ keys[0]) ^ keys[1])
    return numbers / 2.0**64


def mix(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return hashes of 64 bits: the finaliser of SplitMix64.

    Steele, Lea and Flood, OOPSLA 2014, doi:10.1145/2660193.2660195.
    """
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


ACQUISITIONS: dict[str, Acquisition] = {"greedy": greedy, "ucb": ucb, "ei": ei, "random": random}
# their scores do not change with what is chosen or pending
UNMOVED = (greedy, random)
