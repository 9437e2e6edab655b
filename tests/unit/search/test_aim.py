"""Probabilities of constraints, and weights of objectives."""

from math import erf, inf, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molloop.goal import Constraint, Goal, Objective, Quantity
from molloop.search.aim import Aim, drawn_weights, log_within

X, Y = Quantity("x"), Quantity("y")
NUMBERS = st.floats(-5, 5)
WIDTHS = st.floats(0.01, 5)


def below(z):
    return (1 + erf(z / sqrt(2))) / 2


@pytest.mark.parametrize("mean", [-3.0, -0.5, 0.0, 0.7, 2.0])
def test_probabilities_by_hand(mean):
    means, stds = np.array([mean]), np.array([0.8])
    high, low = below((1 - mean) / 0.8), 1 - below((-1 - mean) / 0.8)
    assert log_within(means, stds, -inf, 1.0)[0] == pytest.approx(log(high))
    assert log_within(means, stds, -1.0, inf)[0] == pytest.approx(log(low))
    both = high + low - 1
    assert log_within(means, stds, -1.0, 1.0)[0] == pytest.approx(log(both))


def test_what_is_hardly_possible_keeps_its_order_and_what_is_certain_is_certain():
    far = log_within(np.array([50.0, 60.0]), np.ones(2), -1.0, 1.0)
    assert -2000 < far[1] < far[0] < -1000
    assert log_within(np.array([0.0, 2.0]), np.zeros(2), -1.0, 1.0).tolist() == [0.0, -1e300]


@given(NUMBERS, NUMBERS, WIDTHS, WIDTHS, st.floats(0, 1), st.floats(0, 1), NUMBERS, NUMBERS)
def test_no_probability_is_above_its_bound(one, other, least, more, at, wide, first, second):
    low, high = sorted((first, second))
    mean_low, mean_high = sorted((one, other))
    mean = mean_low + at * (mean_high - mean_low)
    std = least + wide * more
    for bounds in ((low, high), (low, None), (None, high)):
        goal = Goal((Objective(X),), (Constraint(Y, *bounds),))
        aim = Aim(goal, "ucb", np.ones((1, 1)), np.zeros(1), np.ones(1), 0.0)
        sign = goal.signs[1]
        signed = sorted((sign * mean_low, sign * mean_high))

        def column(number):
            return np.array([[0.0], [number]])

        most = aim.most_log_holding(
            column(signed[0]), column(signed[1]), column(least), column(least + more)
        )
        assert aim.log_holding(column(sign * mean), column(std))[0] <= most[0] + 1e-9


@pytest.mark.parametrize("n", [1, 2, 3])
def test_weights_are_spread_evenly(n):
    weights = drawn_weights(n, 8, np.random.default_rng(0))
    assert weights.shape == (8, n)
    assert (weights >= 0).all()
    assert weights.sum(axis=1) == pytest.approx(np.ones(8))
    if n == 2:  # one in each eighth
        assert sorted((weights[:, 0] * 8).astype(int)) == list(range(8))


def test_scales_are_those_of_molecules_that_keep_the_constraints():
    goal = Goal((Objective(X), Objective(Y)), (Constraint(X, high=5.0),))
    values = np.array([[1.0, 10.0], [4.0, 30.0], [9.0, 99.0], [np.nan, 500.0]])
    aim = Aim.of(goal, "ucb", values, 4.0, 4, np.random.default_rng(0))
    assert (aim.worst.tolist(), aim.span.tolist(), aim.best) == ([1.0, 10.0], [3.0, 20.0], 4.0)
    none = Aim.of(goal, "ucb", values[2:], 4.0, 4, np.random.default_rng(0))
    assert (none.worst.tolist(), none.span.tolist()) == ([9.0, 99.0], [1.0, 1.0])


def test_a_molecule_is_worth_the_least_of_its_weighted_objectives_and_a_part_of_their_sum():
    goal = Goal((Objective(X), Objective(Y)))
    aim = Aim(goal, "ucb", np.array([[0.25, 0.75]]), np.zeros(2), np.array([1.0, 10.0]), 0.0)
    means, stds = np.array([[2.0], [4.0]]), np.array([[0.4], [8.0]])
    # 2.2 and 8: weighted 0.55 and 0.6
    assert aim.score(0, means, stds, None)[0] == pytest.approx(0.55 + 0.05 * 1.15)
