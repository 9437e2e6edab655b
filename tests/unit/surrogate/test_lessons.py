import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molloop.library.registry import feature_kind
from molloop.search.policy import best_as_learnt, fitted, policy_named
from molloop.surrogate.lessons import drawn_in

numbers = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30)


def test_a_value_far_above_all_others_by_hand():
    # median 3, median absolute deviation 1: 20 counts as 3 + 3 x 1.4826 = 7.4478. Then the
    # mean is 3.48956, and squares of what they are off it add up to 24.5846: a deviation of 2.21741
    values = np.array([20.0, 2.0, 1.0, 4.0, 3.0])
    assert drawn_in(values) == pytest.approx([6.21741, 2, 1, 4, 3], abs=1e-5)
    assert values[0] == 20


@pytest.mark.parametrize("far", [1e3, 1e6, 1e12])
def test_however_far_it_is_it_comes_as_near(far):
    """So do two of them, whose order stays; the deviation of all is 1.17, whatever `far` is."""
    values = np.array([*np.linspace(-1.5, 1.5, 41), far, 2 * far])
    found = drawn_in(values)
    assert found[41] == pytest.approx(1.5 + 1.17, abs=0.01)
    assert found[42] == pytest.approx(1.5 + 2 * 1.17, abs=0.02)


def test_what_stands_above_it_moves_with_it():
    # the mean is 8.05; 4 x 64.8025 + 254.4025 + 264.0625 = 777.675, a sixth of it is 129.6125
    values = np.array([0.0, 0.0, 0.0, 0.0, 24.0, 24.3])
    assert drawn_in(values) == pytest.approx([0, 0, 0, 0, 129.6125**0.5, 129.6125**0.5 + 0.3])


def test_values_below_the_median_and_those_that_stand_close_stay():
    far_below = np.array([-50.0, 1.0, 2.0, 3.0, 4.0])
    assert drawn_in(far_below).tolist() == far_below.tolist()


@pytest.mark.parametrize("values", [[3.0], [3.0, 8.0], [5.0, 5.0, 5.0]])
def test_few_values_and_equal_ones_stay(values):
    assert drawn_in(np.array(values)).tolist() == values


@given(numbers)
def test_the_order_stays_and_nothing_rises(numbers):
    values = np.array(numbers)
    found = drawn_in(values)
    order = np.argsort(values, kind="stable")
    assert (np.diff(found[order]) >= -1e-9).all()
    assert (found <= values).all()
    assert (found >= np.median(values) - 1e-9)[values >= np.median(values)].all()


def test_a_gaussian_process_learns_such_values_where_large_ones_are_sought():
    rng = np.random.default_rng(0)
    policy = policy_named("gp")
    points = rng.normal(size=(30, sum(feature_kind(policy.features).groups))).astype(np.float32)
    values = points[:, 0].astype(float)
    values[7] = 40.0
    model = fitted(policy, points, values, rng)
    assert model.values.tolist() == drawn_in(values).tolist()
    assert model.values[7] < 4
    assert best_as_learnt(policy, values, 40.0) == model.values[7]
    assert best_as_learnt(policy, values, values[3]) == values[3]
    as_they_are = fitted(policy, points, values, rng, are_sought=False)
    assert as_they_are.values.tolist() == values.tolist()
    assert fitted(policy_named("ridge"), points, values, rng).values.tolist() == values.tolist()
