"""What a replay has found, measured against all that there was to find."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import nan

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.events import End
from molloop.intervals import Floats
from molloop.pareto import (
    Point,
    front_rows,
    hypervolume,
    reference_point,
    running_hypervolume,
)
from molloop.replay.campaign import Played

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Truth:
    """The values of a whole table.

    Attributes
    ----------
    values
        By molecule id, NaN where there is none, shape (n,).
    sign
        1 where large values are good, -1 where small ones are.
    top
        Ids of the best k; of equal ones, the lower.
    threshold
        Values beyond it are counted.
    points
        Of several objectives, their values times their signs by molecule id, shape (n, d), NaN of
        those that may not be among the best; `top` is the front of them, and `values` are of the
        first objective.
    """

    values: Floats
    sign: int
    top: NDArray[np.int64]
    threshold: float | None
    points: Floats | None = None

    @classmethod
    def of(cls, values: Floats, sign: int, k: int, threshold: float | None = None) -> "Truth":
        """Find the best k of some values."""
        order = np.argsort(np.where(np.isnan(values), np.inf, -sign * values), kind="stable")
        return cls(values, sign, order[: min(k, int(np.isfinite(values).sum()))], threshold)

    @classmethod
    def of_front(cls, points: Floats, sign: int, threshold: float | None = None) -> "Truth":
        """Find the front of some points; `sign` is that of the first objective."""
        return cls(sign * points[:, 0], sign, front_rows(points), threshold, points)

    @cached_property
    def reference(self) -> Point:
        """From which hypervolumes are measured: a tenth of the front's range below its worst."""
        assert self.points is not None
        return reference_point(self.points[self.top])

    @cached_property
    def hypervolume(self) -> float:
        """That of the whole front."""
        assert self.points is not None
        return hypervolume(self.points[self.top].tolist(), self.reference)

    @property
    def best(self) -> float:
        """The best value of all."""
        return float(self.sign * np.nanmax(self.sign * self.values))

    @property
    def worst(self) -> float:
        """The worst one."""
        return float(self.sign * np.nanmin(self.sign * self.values))


@dataclass(frozen=True, eq=False)
class Curves:
    """How far a campaign was after its first, second, ... simulation; each of shape (m,).

    Molecules of the table whose values were known beforehand count as found from the first one on.

    Attributes
    ----------
    times_s
        When that simulation's outcome was known.
    recall
        Share of the true top k among the values until then.
    best
        The best value until then, NaN before the first.
    regret
        What the best of all is better by.
    n_above
        Values beyond the threshold.
    failure
        Why it failed; nothing where it did not.
    hypervolume
        Of several objectives, share of the hypervolume of the true front.
    within_chosen, within_others
        Share of the values within one predicted deviation: of the molecules that it chose, as they
        were predicted then, and of all others, as a model of all that was found predicts them. NaN
        where nothing was predicted.
    n_values
        Values in each stage that was played, the first one first.
    """

    times_s: Floats
    recall: Floats
    best: Floats
    regret: Floats
    n_above: Counts
    failure: str = ""
    within_chosen: float = nan
    within_others: float = nan
    n_values: tuple[int, ...] = ()
    hypervolume: Floats | None = None


def measure(played: Played, truth: Truth) -> Curves:
    """Read how a campaign went from its store."""
    done = sorted(played.store.simulated(), key=lambda item: (item.ended_s, item.proposal))
    known = [one.molecule_id for one in played.store.known() if one.molecule_id is not None]
    stages = [one.stage for one in played.protocols]
    if len(stages) > 1:
        known = []  # they are values of the first stage
    quantity = played.protocol.quantity.name
    with_value = [item.stage if item.value(quantity) is not None else "" for item in done]
    stopped = played.stopped
    return curves_of(
        truth,
        np.array([item.ended_s for item in done]),
        np.array([item.molecule_id for item in done], dtype=np.int64),
        np.array([one == stages[-1] for one in with_value], dtype=bool),
        known,
        failure=stopped.reason if stopped.end is End.FAILED else "",
        n_values=tuple(map(with_value.count, stages)),
    )


def curves_of(
    truth: Truth,
    times_s: Floats,
    ids: NDArray[np.int64],
    is_value: NDArray[np.bool_],
    known: Sequence[int] = (),
    failure: str = "",
    n_values: tuple[int, ...] = (),
) -> Curves:
    """Return how far a campaign was after each of m simulations.

    Parameters
    ----------
    times_s, ids, is_value
        When each has ended, its molecule, and whether it gave a value that counts, shape (m,).
    known
        Ids of molecules whose values were known beforehand.
    failure, n_values
        As of :class:`Curves`.
    """
    n_known = len(known)
    ids = np.concatenate([np.array(known, dtype=np.int64), ids])
    is_value = np.concatenate([np.ones(n_known, dtype=bool), is_value])
    good = np.where(
        is_value & ~np.isnan(truth.values[ids]), truth.sign * truth.values[ids], -np.inf
    )
    best = np.maximum.accumulate(good)
    best = truth.sign * np.where(np.isinf(best), np.nan, best)
    limit = np.inf if truth.threshold is None else truth.sign * truth.threshold
    return Curves(
        times_s=times_s,
        recall=np.cumsum(is_value & np.isin(ids, truth.top))[n_known:] / len(truth.top),
        best=best[n_known:],
        regret=truth.sign * (truth.best - best[n_known:]),
        n_above=np.cumsum(good > limit, dtype=np.int64)[n_known:],
        failure=failure,
        n_values=n_values,
        hypervolume=None if truth.points is None else _hypervolumes(truth, ids, is_value)[n_known:],
    )


def _hypervolumes(truth: Truth, ids: NDArray[np.int64], is_value: NDArray[np.bool_]) -> Floats:
    """Return the share of the true hypervolume after each of some outcomes, shape (m,)."""
    assert truth.points is not None
    points = np.where(is_value[:, None], truth.points[ids], nan)
    return running_hypervolume(points, truth.reference) / truth.hypervolume
