import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molloop.search.acquisition import (
    ACQUISITIONS,
    Circumstances,
    ei,
    failure_value,
    greedy,
    random,
    ucb,
)

FINITE = st.floats(-1e6, 1e6)
DEVIATION = st.floats(0, 1e4)


def of(mean, std, best, function=ei, chance=None, if_failed=0.0):
    arrays = np.array([mean], dtype=float), np.array([std], dtype=float)
    chances = None if chance is None else np.array([chance])
    circumstances = Circumstances(np.array([0]), best, chance=chances, if_failed=if_failed)
    return float(function(*arrays, circumstances)[0])


# phi(0) = 0.398942; phi(1) = 0.241971, Phi(1) = 0.841345, Phi(-1) = 0.158655; phi(2) = 0.0539910,
# Phi(-2) = 0.0227501: tables of the normal distribution
@pytest.mark.parametrize(
    ("mean", "std", "best", "expected"),
    [
        (5, 1, 5, 0.398942),
        (5, 2, 5, 0.797885),
        (6, 1, 5, 0.841345 + 0.241971),
        (4, 1, 5, 0.241971 - 0.158655),
        (3, 1, 5, 0.0539910 - 2 * 0.0227501),
        (7, 0, 5, 2),
    ],
)
def test_expected_improvement_by_hand(mean, std, best, expected):
    assert math.exp(of(mean, std, best)) == pytest.approx(expected, rel=1e-4)


def test_far_below_the_best_it_falls_as_the_density_over_the_square():
    # phi(z) / z^2 as z goes to minus infinity: Abramowitz and Stegun 26.2.12
    for z in (-50.0, -1e3, -1e6):
        expected = -(z**2) / 2 - math.log(2 * math.pi) / 2 - 2 * math.log(-z)
        assert of(z, 1, 0) == pytest.approx(expected, rel=2e-3 / abs(z))


@pytest.mark.parametrize(
    ("mean", "chance", "greedily", "with_deviation"),
    [
        (13, 1.0, 13, 14),
        (13, 0.5, 11.5, 12),
        (13, 0.1, 10.3, 10.4),
        (9.5, 0.5, 9.5, 10.25),  # to fail is no better than a value below that of a failure
        (7, 0.1, 7, 8),
    ],
)
def test_what_is_expected_of_a_molecule_that_may_fail(mean, chance, greedily, with_deviation):
    failing = {"chance": chance, "if_failed": 10.0}
    assert of(mean, 2, 0, greedy, **failing) == pytest.approx(greedily)
    assert of(mean, 2, 0, ucb, **failing) == pytest.approx(with_deviation)
    # what fails improves nothing
    whole = math.exp(of(mean, 2, 12))
    assert math.exp(of(mean, 2, 12, **failing)) == pytest.approx(chance * whole)


def test_a_likely_failure_is_behind_a_sure_molecule_below_the_mean_of_the_values():
    values = np.array([15.0] * 10 + [11.0, 10.0])  # a search has already lifted the mean to 14.25
    low = failure_value(values)
    assert low == pytest.approx(11.4)  # a tenth of the way from the lowest: 11 + 0.1 * (15 - 11)
    likely_failure = of(16, 0, 15, greedy, chance=0.1, if_failed=low)
    assert likely_failure == pytest.approx(11.86)
    assert likely_failure < of(14, 0, 15, greedy, chance=0.99, if_failed=low)


@given(
    FINITE,
    FINITE,
    DEVIATION,
    DEVIATION,
    FINITE,
    st.sampled_from(list(ACQUISITIONS)),
    st.none() | st.floats(1e-9, 1),
    FINITE,
)
def test_none_falls_with_mean_or_deviation_or_is_no_number(
    low, high, std, more, best, name, chance, if_failed
):
    low, high = sorted((low, high))
    others = best, ACQUISITIONS[name], chance, if_failed
    here = of(low, std, *others)
    assert math.isfinite(here)
    slack = 1e-9 * (1 + abs(here) + abs(if_failed))
    assert of(high, std, *others) >= here - slack
    assert of(low, std + more, *others) >= here - slack


def test_random_depends_on_molecule_and_seed_alone():
    nothing = np.zeros(1000)
    whole = random(nothing, nothing, Circumstances(np.arange(1000), seed=(1, 2)))
    part = random(nothing[:10], nothing[:10], Circumstances(np.arange(500, 510), seed=(1, 2)))
    assert np.array_equal(whole[500:510], part)
    other = random(nothing, nothing, Circumstances(np.arange(1000), seed=(1, 3)))
    assert abs(np.corrcoef(whole, other)[0, 1]) < 0.15
    # the mean of 1,000 uniform numbers has a deviation of 0.009
    assert whole.mean() == pytest.approx(0.5, abs=0.05)
    assert whole.min() >= 0
    assert whole.max() < 1
