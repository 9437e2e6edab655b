"""Which molecules are computed again in the next stage, and what a further value would gain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molloop.search.acquisition import ACQUISITIONS, Circumstances, ei, failure_value
from molloop.search.batch import choose
from molloop.search.chain import Certain, Chain, chained
from molloop.search.chance import chances_of
from molloop.search.difference import Pairs
from molloop.surrogate.model import Features, Floats

WIDEST, N_STEPS = 6.0, 241  # of a sum over a normal distribution, in standard deviations


@dataclass(frozen=True, eq=False)
class Promotion:
    """What a choice for a stage above the first is made of; large values are good.

    Attributes
    ----------
    ids, features, below
        Of the n molecules that have a value in the stage below and may be chosen: shapes (n,),
        (n, width) and (n, 1), the value.
    pending_features, pending_below
        Of those that are being computed in this stage, shapes (p, width) and (p, 1).
    pairs
        From the stage below to this one, from this one to the next, ... to the last.
    """

    ids: NDArray[np.int64]
    features: Features
    below: Floats
    pending_features: Features
    pending_below: Floats
    pairs: Sequence[Pairs]


@dataclass(frozen=True, eq=False)
class Promoted:
    """The chosen molecules, best first, and what is expected of their last value, shapes (n,).

    Attributes
    ----------
    means, stds
        Of a goal's quantities shape (n, q).
    unresolved_std
        Mean of the deviation that is left once the value of this stage is known.
    """

    ids: NDArray[np.int64]
    means: Floats
    stds: Floats
    unresolved_std: float


def promote(
    given: Promotion,
    acquisition: str,
    n: int,
    best: float | None,
    seed: tuple[int, int],
    *,
    learns_failures: bool = True,
) -> Promoted:
    """Choose up to n molecules for a stage, by their value below and what it is expected to become.

    One by one, as the library's molecules are chosen: what was chosen before, and what is pending,
    is believed to turn out as predicted. Equal scores go by the lower id.

    Parameters
    ----------
    acquisition
        A key of ``molloop.search.acquisition.ACQUISITIONS``.
    best
        The best value of the last stage; None: there is none yet.
    learns_failures
        Whether the choice also goes by the chance of a value, which failures in the stages above
        teach.
    """
    n_open, n_pending = len(given.ids), len(given.pending_below)
    features = np.concatenate([given.features, given.pending_features])
    ids = np.concatenate([given.ids, np.full(n_pending, -1)])
    below = given.below[:, 0]
    known = Certain(np.concatenate([below, given.pending_below[:, 0]]))
    least = float(below.min()) if best is None else best
    rng = np.random.default_rng(seed)
    chain = chained(known, given.pairs, rng)
    joint = chain.joint(features)
    tried = [one.tried for one in given.pairs if learns_failures]
    chances = chances_of(tried, rng)
    of_each = np.prod([one.of(features) for one in chances], axis=0) if chances else None
    choice = choose(
        joint,
        Circumstances(ids, least, seed, of_each, _if_failed(given, chain)),
        ACQUISITIONS[acquisition],
        n,
        pending=range(n_open, n_open + n_pending),
    )
    rows = choice.rows
    left = Chain(known, chain.differences[1:]).unresolved(features[rows])
    return Promoted(
        given.ids[rows],
        joint.mean[rows],
        np.sqrt(joint.variance[rows]),
        float(left.mean()) if len(rows) else 0.0,
    )


def _if_failed(given: Promotion, chain: Chain) -> float:
    """Return what a failure counts as, by the stage's values; without any, by those below."""
    above = given.pairs[0].above
    if len(above):
        return Chain(chain.first, chain.differences[1:]).usual(failure_value(above))
    return chain.usual(failure_value(given.below[:, 0]))


def expect(
    values: Floats, features: Features, pairs: Sequence[Pairs], seed: tuple[int, int]
) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of the last value, from values of one stage, shapes (n,).

    Parameters
    ----------
    pairs
        From that stage to the next, ... to the last; nothing where it is the last one.
    """
    chain = chained(Certain(values), pairs, np.random.default_rng(seed))
    return chain.predict(features)


def improvement(mean: Floats, std: Floats, best: float) -> Floats:
    """Return the expected improvement on a value, shape (n,); see `molloop.search.acquisition`."""
    nobody = np.zeros(len(mean), dtype=np.int64)
    return np.asarray(np.exp(ei(mean, std, Circumstances(nobody, best))))


def gain_of_value(mean: float, std: float, unresolved: float, best: float, rival: float) -> float:
    """Return what a value of a stage below the last is expected to gain for the next choice above.

    Once it is known, the molecule's expected improvement is another one, and it is worth what that
    exceeds the one of the molecule that would be chosen otherwise: the value of information,
    one step ahead (Frazier, Powell and Dayanik, SIAM J. Control Optim. 47, 2410 (2008),
    doi:10.1137/070693424).

    Parameters
    ----------
    mean, std
        What is expected of its last value.
    unresolved
        The part of the deviation that the value leaves.
    best
        Value of the last stage on which an improvement counts.
    rival
        Expected improvement of the molecule that would be chosen otherwise.
    """
    resolved = np.sqrt(max(std**2 - unresolved**2, 0.0))
    steps = np.linspace(-WIDEST, WIDEST, N_STEPS)
    weights = np.exp(-(steps**2) / 2)
    means = mean + resolved * steps
    found = improvement(means, np.full(N_STEPS, min(unresolved, std)), best)
    return float(weights @ np.maximum(found - rival, 0.0) / weights.sum())
