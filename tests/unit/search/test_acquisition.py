import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molloop.search.acquisition import ACQUISITIONS, Circumstances, ei, random

FINITE = st.floats(-1e6, 1e6)
DEVIATION = st.floats(0, 1e4)


def of(mean, std, best, function=ei):
    arrays = np.array([mean], dtype=float), np.array([std], dtype=float)
    return float(function(*arrays, Circumstances(np.array([0]), best))[0])


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


@given(FINITE, FINITE, DEVIATION, DEVIATION, FINITE, st.sampled_from(list(ACQUISITIONS)))
def test_none_falls_with_mean_or_deviation_or_is_no_number(low, high, std, more, best, name):
    low, high = sorted((low, high))
    function = ACQUISITIONS[name]
    here = of(low, std, best, function)
    assert math.isfinite(here)
    slack = 1e-9 * (1 + abs(here))
    assert of(high, std, best, function) >= here - slack
    assert of(low, std + more, best, function) >= here - slack


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
