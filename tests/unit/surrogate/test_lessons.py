import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molloop.surrogate.gp import GaussianProcess
from molloop.surrogate.lessons import drawn_in

numbers = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30)


def test_a_value_far_above_all_others_by_hand():
    # squares of what they are off 6 are 196 + 16 + 25 + 4 + 9 = 250: a deviation of sqrt(50)
    values = np.array([20.0, 2.0, 1.0, 4.0, 3.0])
    assert drawn_in(values) == pytest.approx([4 + 50**0.5, 2, 1, 4, 3])
    assert values[0] == 20


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


def test_a_gaussian_process_learns_such_values():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(30, 4)).astype(np.float32)
    values = points[:, 0].astype(float)
    values[7] = 40.0
    model = GaussianProcess.fit(points, values, rng)
    assert model.values.tolist() == drawn_in(values).tolist()
    assert model.values[7] < 15
