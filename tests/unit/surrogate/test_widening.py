import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molloop.surrogate.widening import BEYOND_LEFT_OUT, Widening


def learnt(odds, means):
    """Return what is learnt where the error of each is so many standard deviations."""
    means = np.asarray(means, dtype=float)
    stds = np.linspace(0.5, 2.0, len(means))
    return Widening.learnt(np.asarray(odds) * stds, stds, means, means)


def test_errors_that_are_all_so_many_deviations_are_the_factor():
    # of Student's t with 2 degrees of freedom: 1 = 3 u^2 / (2 + u^2) where u, over the scale, is 1
    means = np.tile([9.0, 11.0], 2000)
    widening = learnt(np.tile([3.0, 3.0, -3.0, -3.0], 1000), means)
    assert widening.factors(np.array([9.0, 10.0, 11.0])) == pytest.approx(
        [3 * BEYOND_LEFT_OUT] * 3, rel=2e-3
    )


def test_errors_that_grow_with_the_mean_make_the_factor_grow_and_no_further_than_they_are_seen():
    means = np.repeat([9.0, 11.0], 2000)  # one standard deviation to each side of 10
    widening = learnt(np.where(means > 10, 2.0, 0.5), means)
    factors = widening.factors(np.array([1.0, 9.0, 10.0, 11.0, 100.0])) / BEYOND_LEFT_OUT
    assert factors == pytest.approx([0.5, 0.5, 1.0, 2.0, 2.0], rel=1e-2)
    shrinking = learnt(np.where(means > 10, 0.5, 2.0), means)
    assert shrinking.factors(np.array([9.0, 11.0])) / BEYOND_LEFT_OUT == pytest.approx(
        [2.0, 0.5], rel=1e-2
    )


def test_values_that_are_all_the_same_tell_nothing():
    widening = Widening.learnt(np.zeros(3), np.ones(3), np.full(3, 7.0), np.full(3, 7.0))
    assert widening.factors(np.array([3.0])) == pytest.approx([BEYOND_LEFT_OUT])


def test_a_wild_error_counts_little():
    means = np.linspace(9, 11, 100)
    odds = np.where(np.arange(100) == 40, 1e4, 1.0)
    assert learnt(odds, means).factors(means) == pytest.approx([BEYOND_LEFT_OUT] * 100, rel=0.15)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30), st.floats(-1e6, 1e6))
def test_any_errors_give_a_finite_factor_that_does_not_depend_on_the_unit(odds, middle):
    means = middle + np.arange(len(odds))
    stds = np.linspace(1.0, 3.0, len(odds))
    errors = odds * stds
    one = Widening.learnt(errors, stds, means, means).factors(means)
    assert np.all(np.isfinite(one))
    assert np.all(one > 0)
    other = Widening.learnt(8 * errors, 8 * stds, 8 * means, 8 * means).factors(8 * means)
    assert other == pytest.approx(one, rel=1e-6)
