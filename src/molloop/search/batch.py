"""The best molecules of all become a batch, each chosen in the light of those before it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molloop.search.acquisition import LEAST, UNMOVED, Acquisition, Circumstances
from molloop.search.diversity import Apart
from molloop.surrogate.model import Floats, Joint

MAX_BELIEVED = 256
# of a score: what is believed reaches molecules of the same features with other last bits
ROUNDING = 1e-12


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
    apart: Apart | None = None,
) -> Choice:
    """Choose up to n molecules one by one, as a kriging believer does.

    What was chosen before, and what is pending, is believed to turn out as predicted: the means
    stay, the variances shrink. Scores that are equal but for rounding go by the lower id. After 256
    picks the others follow in the order of their scores then, and no more than 256 pending ones are
    believed in: the cost of each grows with those before it. Ginsbourger, Le Riche and Carraro,
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
    apart
        What is far enough from what was chosen before and from what is pending: nothing else is
        chosen, and fewer than n where nothing else is left. None: all.
    """
    ids = given.ids
    if acquisition in UNMOVED:
        score = acquisition(joint.mean, np.sqrt(joint.variance), given)
        if apart is not None:
            return choose_by(ids, [], lambda _draw: score, n, pending, apart=apart)
        order = np.lexsort((ids, -score))
        rows = order[~np.isin(order, pending)][:n]
        return Choice(rows, score[rows])
    variances = Variances(joint)
    return choose_by(
        ids,
        [variances],
        lambda _draw: acquisition(joint.mean, np.sqrt(variances.now), given),
        n,
        pending,
        apart=apart,
    )


def choose_by(
    ids: NDArray[np.int64],
    believed: Sequence["Variances"],
    score: Callable[[int], Floats],
    n: int,
    pending: Sequence[int] = (),
    n_draws: int = 1,
    apart: Apart | None = None,
) -> Choice:
    """Choose up to n molecules one by one, as :func:`choose` does, by scores of one's own.

    Parameters
    ----------
    believed
        What shrinks where a molecule is believed in.
    score
        Draw -> scores now, shape (m,): pick number k, from 0, goes by draw ``k % n_draws``.
    """
    for row in pending[:MAX_BELIEVED]:
        for one in believed:
            one.believe(row)
    is_open = np.ones(len(ids), dtype=bool)
    chosen: list[int] = []
    scores: list[float] = []

    def close(row: int) -> None:
        is_open[row] = False
        if apart is not None:
            is_open[~apart.from_row(row)] = False

    def take(row: int, worth: float) -> None:
        chosen.append(row)
        scores.append(worth)
        close(row)

    for row in pending:
        close(row)
    for pick in range(min(n, MAX_BELIEVED)):
        if not is_open.any():
            break
        now = score(pick % n_draws)
        tied = _best(now, np.flatnonzero(is_open))
        row = int(tied[np.argmin(ids[tied])])
        take(row, float(now[row]))
        for one in believed:
            one.believe(chosen[-1])
    orders: dict[int, Iterator[tuple[int, float]]] = {}
    for pick in range(len(chosen), n):
        if not is_open.any():
            break
        draw = pick % n_draws
        if draw not in orders:
            now = score(draw)
            order = np.lexsort((ids, -now))
            orders[draw] = zip(order.tolist(), now[order].tolist(), strict=True)
        take(*next(pair for pair in orders[draw] if is_open[pair[0]]))
    return Choice(np.array(chosen, dtype=np.intp), np.array(scores))


def _best(scores: Floats, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return those of some rows whose score is the best one, but for rounding."""
    some = scores[rows]
    usual = np.abs(some[some > LEAST])
    rounding = ROUNDING * np.median(usual) if len(usual) else 0.0
    return rows[some >= some.max() - rounding]


class Variances:
    """Variances given the molecules that are believed in; a Cholesky factor grows row by row."""

    def __init__(self, joint: Joint) -> None:
        self._joint = joint
        self._factors: list[Floats] = []
        self.now = np.maximum(joint.variance, 0)

    def believe(self, row: int) -> None:
        """Believe that a molecule turns out as predicted."""
        covariance = self._joint.covariance(row)
        for factor in self._factors:
            covariance = covariance - factor * factor[row]
        pivot = covariance[row] + self._joint.noise[row]
        if pivot > 0:
            self._factors.append(covariance / np.sqrt(pivot))
            self.now = np.maximum(self.now - self._factors[-1] ** 2, 0)
