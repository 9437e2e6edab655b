"""Choices for the stages above the first, where there is more than one objective."""

import numpy as np
import pytest

from molloop.goal import Constraint, Direction, Goal, Objective, Quantity
from molloop.search.difference import Pairs
from molloop.search.promote import Promotion
from molloop.search.promote_goal import promote_goal

IE, GAP = Quantity("IE", "eV"), Quantity("gap", "eV")
MASS = Quantity("mass", descriptor="amw")


def pairs_of(place, below, gain):
    """Three molecules whose value rises by nearly as much."""
    below = np.array(below)
    features = np.zeros((3, 2), dtype=np.float32)
    return Pairs(features, below, below + gain + [0.01, 0.0, -0.01], 0.01, features[:0], place)


def given(below, pairs, pending=()):
    below, pending = np.array(below), np.array(pending).reshape(-1, np.shape(below)[1])
    features = np.random.default_rng(1).normal(size=(len(below) + len(pending), 2))
    features = features.astype(np.float32)
    n = len(below)
    return Promotion(np.arange(100, 100 + n), features[:n], below, features[n:], pending, pairs)


def test_what_holds_below_need_not_hold_in_the_last_stage():
    goal = Goal((Objective(IE),), (Constraint(GAP, low=-1.0, high=1.0),))
    # gaps fall by 2: of 2.0 and 0.5 only the first lies within the bounds then
    pairs = [pairs_of(0, [9.0, 9.5, 10.0], -1.0), pairs_of(1, [1.0, 2.0, 3.0], -2.0)]
    below = [[9.0, 2.0], [12.0, 0.5]]
    found = promote_goal(given(below, pairs), goal, np.array(below), "ucb", 2, None, (1, 1))
    assert found.ids.tolist() == [100, 101]
    assert found.means == pytest.approx(np.array([[8.0, 0.0], [11.0, -1.5]]))
    assert found.unresolved_std == 0.0
    # without the constraint the larger value is the better one
    free = Goal((Objective(IE),), (Constraint(GAP, low=-9.0),))
    found = promote_goal(given(below, pairs), free, np.array(below), "ucb", 1, None, (1, 1))
    assert found.ids.tolist() == [101]


def test_picks_of_several_objectives_take_turns_along_the_front():
    goal = Goal((Objective(IE), Objective(MASS, Direction.MINIMISE)))
    # masses are known, and signed; the last molecule is beaten by the first in both
    below = [[12.0, -90.0], [11.0, -60.0], [10.0, -30.0], [9.0, -95.0]]
    choice = given(below, [pairs_of(0, [9.0, 9.5, 10.0], -1.0)])
    found = promote_goal(choice, goal, np.array(below), "ucb", 3, None, (1, 1))
    assert sorted(found.ids.tolist()) == [100, 101, 102]
    assert found.stds[:, 1].tolist() == [0.0, 0.0, 0.0]
    assert set(found.means[:, 1].tolist()) == {-90.0, -60.0, -30.0}


def test_what_failed_above_is_promoted_later():
    goal = Goal((Objective(IE),), (Constraint(GAP, low=-9.0),))
    features = np.array([[3.0, 0.0], [-3.0, 0.0]], dtype=np.float32)
    tried = np.repeat(features, 20, axis=0)
    values = np.arange(20.0)
    pairs = [
        Pairs(tried[20:], values, values - 1.0, 1.0, tried[:20], 0),
        Pairs(tried[20:], values, values, 1.0, tried[:20], 1),
    ]
    # the larger value belongs to what is like the failures
    below = np.array([[19.5, 1.0], [19.0, 1.0]])
    choice = Promotion(np.array([7, 8]), features, below, features[:0], below[:0], pairs)
    found = promote_goal(choice, goal, below, "greedy", 2, None, (1, 1))
    assert found.ids.tolist() == [8, 7]
    found = promote_goal(choice, goal, below, "greedy", 2, None, (1, 1), learns_failures=False)
    assert found.ids.tolist() == [7, 8]
