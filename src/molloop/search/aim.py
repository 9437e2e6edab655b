"""How several quantities become one score: for each pick another weighing of the objectives."""

from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Self

import numpy as np
from numpy.typing import NDArray

from molloop.goal import Constraint, Goal
from molloop.search.acquisition import LEAST, UCB_DEVIATIONS, Circumstances, ei
from molloop.surrogate.model import Floats

AUGMENTATION = 0.05  # how much the sum of all objectives counts beside the least of them
SOFTNESS = 0.1  # what a molecule is worth that is predicted to be no better than the worst
MAX_WEIGHINGS = 16
NOBODY = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Aim:
    """What a ranking goes by where there are several objectives, or constraints.

    Columns are the goal's quantities, in their order, times their signs: large values are good.

    Attributes
    ----------
    goal
        What is searched for.
    acquisition
        ``greedy``, ``ucb``, or with one objective ``ei``.
    weights
        Of the objectives, a row a draw, shape (k, n_objectives); each row adds up to 1.
    worst, span
        Of each objective, what counts as 0, and how much more as 1.
    best
        The best value of the first objective that counts as one.
    """

    goal: Goal
    acquisition: str
    weights: Floats
    worst: Floats
    span: Floats
    best: float

    @classmethod
    def of(
        cls,
        goal: Goal,
        acquisition: str,
        values: Floats,
        best: float,
        n_draws: int,
        rng: np.random.Generator,
    ) -> Self:
        """Draw the weights, and take the scales from what is known.

        Parameters
        ----------
        values
            Of n >= 1 molecules, shape (n, q), NaN where there is none.
        best
            The best value of the first objective that counts as one.
        n_draws
            How many weighings; of one objective there is one.
        """
        n = len(goal.objectives)
        points = values[~np.isnan(values[:, :n]).any(axis=1)]
        kept = points[holding(goal, points)]
        points = (kept if len(kept) else points)[:, :n]
        if not len(points):
            points = np.zeros((1, n))
        worst, most = points.min(axis=0), points.max(axis=0)
        span = np.where(most > worst, most - worst, 1.0)
        weights = drawn_weights(n, n_draws, rng)
        return cls(goal, acquisition, weights, worst, span, best)

    @property
    def n_draws(self) -> int:
        """How many weighings there are."""
        return len(self.weights)

    def score(self, draw: int, means: Floats, stds: Floats, log_chance: Floats | None) -> Floats:
        """Return what molecules are worth by a weighing, shape (m,).

        An augmented Chebyshev scalarisation, whose weights are drawn, of optimistic values:
        Knowles, IEEE Trans. Evol. Comput. 10, 50 (2006), doi:10.1109/TEVC.2005.851274; Paria,
        Kandasamy and Póczos, UAI 2019, arXiv:1805.12168. It falls with no mean, no deviation and
        no chance.

        Parameters
        ----------
        means, stds
            Of each quantity, shapes (q, m).
        log_chance
            Logarithm of the probability that a molecule has a value and keeps all constraints,
            shape (m,); None: it is 1.
        """
        if self.acquisition == "ei":
            score = ei(means[0], stds[0], Circumstances(NOBODY, self.best))
            return score if log_chance is None else np.maximum(score + log_chance, LEAST)
        n = len(self.worst)
        reach = means[:n]
        if self.acquisition == "ucb":
            reach = reach + UCB_DEVIATIONS * stds[:n]
        weighed = (reach - self.worst[:, None]) * (self.weights[draw] / self.span)[:, None]
        scalar = weighed.min(axis=0) + AUGMENTATION * weighed.sum(axis=0)
        if log_chance is None:
            return np.asarray(scalar)
        return np.maximum(_log_soft(scalar / SOFTNESS) + log_chance, LEAST)

    @cached_property
    def bounds(self) -> tuple[tuple[int, float, float], ...]:
        """Of each constraint on what is predicted: column, least and largest value, signed."""
        return tuple(
            (place, *signed_bounds(one, self.goal.signs[place]))
            for one in self.goal.constraints
            if not one.quantity.descriptor
            for place in [self.goal.place(one.quantity)]
        )

    def log_holding(self, means: Floats, stds: Floats) -> Floats:
        """Return the logarithm of the probability that the constraints hold, shape (m,).

        Of normal distributions of the predicted quantities, as if independent.

        Parameters
        ----------
        means, stds
            Of values as they will be simulated, shapes (q, m).
        """
        found = np.zeros(means.shape[1])
        for place, low, high in self.bounds:
            found += log_within(means[place], stds[place], low, high)
        return np.maximum(found, LEAST)

    def most_log_holding(
        self, lows: Floats, highs: Floats, least_stds: Floats, stds: Floats
    ) -> Floats:
        """Return what that can be at most, shape (m,).

        Parameters
        ----------
        lows, highs
            Between which the means lie, shapes (q, m).
        least_stds, stds
            The same of the deviations.
        """
        found = np.zeros(highs.shape[1])
        for place, low, high in self.bounds:
            least, most = lows[place], highs[place]
            # what lies outside comes within by its deviation alone, and by one bound alone
            below = log_within(most, stds[place], low, inf)
            above = log_within(least, stds[place], -inf, high)
            # what lies within goes out by its deviation: the mean nearest to the middle least
            nearest = _nearest(least, most, low, high)
            inside = log_within(nearest, least_stds[place], low, high)
            found += np.where(most < low, below, np.where(least > high, above, inside))
        return np.maximum(found, LEAST)


def n_weighings(goal: Goal, n: int) -> int:
    """Return by how many weighings n picks take turns."""
    return max(1, min(n, MAX_WEIGHINGS)) if goal.has_front else 1


def _nearest(least: Floats, most: Floats, low: float, high: float) -> Floats:
    """Return the means, of an interval each, that are farthest within two bounds."""
    if not np.isfinite(low):
        return least
    return most if not np.isfinite(high) else np.clip((low + high) / 2, least, most)


def signed_bounds(one: Constraint, sign: int) -> tuple[float, float]:
    """Return the least and the largest value that a constraint allows, times a sign."""
    low = -inf if one.low is None else one.low
    high = inf if one.high is None else one.high
    return (low, high) if sign > 0 else (-high, -low)


def holding(goal: Goal, values: Floats, *, only_known: bool = False) -> NDArray[np.bool_]:
    """Return which molecules keep all constraints, shape (n,), of signed values, shape (n, q).

    Parameters
    ----------
    only_known
        Look at the constraints alone on what a library knows.
    """
    found = np.ones(len(values), dtype=np.bool_)
    for one in goal.constraints:
        if only_known and not one.quantity.descriptor:
            continue
        place = goal.place(one.quantity)
        low, high = signed_bounds(one, goal.signs[place])
        found &= (values[:, place] >= low) & (values[:, place] <= high)
    return found


def log_within(means: Floats, stds: Floats, low: float, high: float) -> Floats:
    """Return the logarithm of the probability that values lie between two bounds, shape (m,)."""
    from scipy.special import log_ndtr

    # a mirror puts the mean above the middle: of what is small nothing is lost then
    is_mirrored = means < (low + high) / 2 if np.isfinite(low + high) else means < inf
    if not np.isfinite(low):
        is_mirrored = ~is_mirrored
    centre = np.where(is_mirrored, -means, means)
    near, far = np.where(is_mirrored, -low, high), np.where(is_mirrored, -high, low)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = log_ndtr((near - centre) / stds)
        if np.isfinite(low) and np.isfinite(high):
            beyond = log_ndtr((far - centre) / stds)
            found = found + np.log1p(-np.exp(np.minimum(beyond - found, 0.0)))
    certain = np.where((means >= low) & (means <= high), 0.0, LEAST)
    return np.asarray(np.maximum(np.where(stds > 0, found, certain), LEAST))


def drawn_weights(n: int, n_draws: int, rng: np.random.Generator) -> Floats:
    """Draw points of the simplex, spread evenly, shape (n_draws, n); rows add up to 1.

    A Latin hypercube's coordinates, in order, cut the unit length into n pieces.
    """
    cells = np.stack([rng.permutation(n_draws) for _ in range(n - 1)], axis=1) if n > 1 else None
    if cells is None:
        return np.ones((n_draws, 1))
    cuts = np.sort((cells + rng.random(cells.shape)) / n_draws, axis=1)
    edges = np.pad(cuts, ((0, 0), (1, 1)), constant_values=((0, 0), (0.0, 1.0)))
    return np.diff(edges, axis=1)


def _log_soft(numbers: Floats) -> Floats:
    """Return log(log(1 + exp(x))): log x for large x, x for small ones."""
    with np.errstate(divide="ignore", under="ignore"):
        soft = np.log(np.logaddexp(0.0, np.maximum(numbers, -30.0)))
    return np.where(numbers < -30.0, numbers, soft)
