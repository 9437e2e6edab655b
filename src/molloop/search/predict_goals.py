"""What the models of a goal say of a whole library, a part at a time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from molloop.goal import Goal
from molloop.library.features import Scaling
from molloop.library.shard import Shard, ShardRef
from molloop.pareto import front_rows
from molloop.search.aim import holding
from molloop.search.beliefs import Beliefs
from molloop.search.goals import known_of
from molloop.search.predict import meant_features
from molloop.surrogate.model import Floats


@dataclass(frozen=True, eq=False)
class PredictedGoal:
    """Molecule ids, and what is expected of the goal's quantities.

    Attributes
    ----------
    ids
        Of n molecules, shape (n,).
    means, stds
        Of each quantity, times its sign, shape (n, q); what a library knows is certain.
    chance
        That all constraints hold, shape (n,).
    """

    ids: NDArray[np.int64]
    means: Floats
    stds: Floats
    chance: Floats

    def rows(self, rows: NDArray[np.intp]) -> "PredictedGoal":
        """Return some of them."""
        return PredictedGoal(self.ids[rows], self.means[rows], self.stds[rows], self.chance[rows])


def predicted_goal(
    beliefs: Beliefs, kind: str, shards: Sequence[ShardRef], scaling: Scaling
) -> Iterator[PredictedGoal]:
    """Predict every molecule of a library that may be chosen, in its order.

    Parameters
    ----------
    kind
        Of features, from which the models have learned.

    Yields
    ------
    Some thousands at a time, so that memory does not grow with the library.
    """
    beliefs = replace(beliefs, chances=())
    for ref in shards:
        shard = Shard(ref)
        known = known_of(beliefs.goal, shard)
        for rows, features in meant_features(shard, kind, scaling):
            means, stds, log_chance = beliefs.predict(features, known[:, rows])
            yield PredictedGoal(ref.first_id + rows, means.T, stds.T, np.exp(log_chance))


def best_of_goal(goal: Goal, parts: Iterable[PredictedGoal], n: int) -> PredictedGoal:
    """Return the n best, of those that are expected to keep all constraints.

    Of one objective those with the largest means. Of several first the ones that no other is
    expected to beat, then those that only these beat, and so on; within each by the first
    objective. Equal ones go by the lower id.
    """
    n_quantities = len(goal.quantities)
    nothing, none = np.empty((0, n_quantities)), np.empty(0)
    best = PredictedGoal(none.astype(np.int64), nothing, nothing, none)
    for part in parts:
        held = part.rows(np.flatnonzero(holding(goal, part.means)))
        pairs = zip(vars(best).values(), vars(held).values(), strict=True)
        both = PredictedGoal(*(np.concatenate(pair) for pair in pairs))
        best = both.rows(_best_rows(both, len(goal.objectives), n))
    return best.rows(np.arange(min(n, len(best.ids))))


def _best_rows(some: PredictedGoal, n_objectives: int, n: int) -> NDArray[np.intp]:
    """Return the rows of the n best and of all that only as many beat, best first.

    Whoever is left out is beaten by more, whatever comes beside.
    """
    order = np.lexsort((some.ids, -some.means[:, 0]))
    if n_objectives == 1:
        return order[:n]
    points, found = some.means[order, :n_objectives], [np.empty(0, dtype=np.intp)]
    left = np.arange(len(order))
    while len(left) and sum(map(len, found)) < n:
        front = front_rows(points[left])
        found.append(order[left[front]])
        left = np.delete(left, front)
    return np.concatenate(found)
