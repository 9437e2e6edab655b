"""The best molecules of all become a batch, each chosen in the light of those before it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molloop.search.acquisition import UNMOVED, Acquisition, Circumstances
from molloop.surrogate.model import Floats, Joint

MAX_BELIEVED = 256


@dataclass(frozen=True, eq=False)
class Choice:
    """Rows of the molecules that were chosen, and the score of each when it was, shapes (n,)."""

    rows: NDArray[np.intp]
    scores: Floats


def choose(
    joint: Joint,
    given: Circumstances,
    acquisition: Acquisition,
    n: int,
    pending: Sequence[int] = (),
) -> Choice:
    """Choose up to n molecules one by one, as a kriging believer does.

    What was chosen before, and what is pending, is believed to turn out as predicted: the means
    stay, the variances shrink. Equal scores go by the lower id. After 256 picks the others follow
    in the order of their scores then, and no more than 256 pending ones are believed in: the cost
    of each grows with those before it. Ginsbourger, Le Riche and Carraro,
    in Computational Intelligence in Expensive Optimization Problems, Springer 2010,
    doi:10.1007/978-3-642-10701-6_6.

    Parameters
    ----------
    joint
        Prediction for m molecules together.
    given
        Their ids, shape (m,), and what else the acquisition looks at.
    pending
        Rows of those that are being simulated: they are no candidates.
    """
    ids = given.ids
    if acquisition in UNMOVED:
        score = acquisition(joint.mean, np.sqrt(joint.variance), given)
        order = np.lexsort((ids, -score))
        rows = order[~np.isin(order, pending)][:n]
        return Choice(rows, score[rows])
    variances = _Variances(joint)
    for row in pending[:MAX_BELIEVED]:
        variances.believe(row)
    is_open = np.ones(len(ids), dtype=bool)
    is_open[list(pending)] = False
    chosen: list[int] = []
    scores: list[float] = []
    n_chosen = min(n, int(is_open.sum()))
    for _ in range(min(n_chosen, MAX_BELIEVED)):
        score = acquisition(joint.mean, np.sqrt(variances.now), given)
        best = score[is_open].max()
        tied = np.flatnonzero(is_open & (score == best))
        row = int(tied[np.argmin(ids[tied])])
        chosen.append(row)
        scores.append(float(best))
        is_open[row] = False
        variances.believe(row)
    if len(chosen) < n_chosen:
        score = acquisition(joint.mean, np.sqrt(variances.now), given)
        order = np.lexsort((ids, -score))
        others = order[is_open[order]][: n_chosen - len(chosen)]
        chosen += others.tolist()
        scores += score[others].tolist()
    return Choice(np.array(chosen, dtype=np.intp), np.array(scores))


class _Variances:
    """Variances given the molecules that are believed in; a Cholesky factor grows row by row."""

    def __init__(self, joint: Joint) -> None:
        self._joint = joint
        self._factors: list[Floats] = []
        self.now = np.maximum(joint.variance, 0)

    def believe(self, row: int) -> None:
        covariance = self._joint.covariance(row)
        for factor in self._factors:
            covariance = covariance - factor * factor[row]
        pivot = covariance[row] + self._joint.noise[row]
        if pivot > 0:
            self._factors.append(covariance / np.sqrt(pivot))
            self.now = np.maximum(self.now - self._factors[-1] ** 2, 0)
