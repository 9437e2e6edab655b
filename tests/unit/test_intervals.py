import numpy as np
import pytest

from molloop.intervals import mean_interval, share_interval


def test_what_does_not_vary_is_certain():
    found = mean_interval(np.full((5, 2), [1.5, -2.0]), np.random.default_rng(0))
    for bound in (found.mean, found.low, found.high):
        assert bound.tolist() == [1.5, -2.0]


def test_what_is_missing_is_left_out():
    values = np.array([[1.0, np.nan], [3.0, np.nan]])
    found = mean_interval(values, np.random.default_rng(0))
    assert found.mean[0] == 2.0
    assert np.isnan(found.mean[1])
    assert np.isnan(found.low[1])
    found = mean_interval(np.array([[1.0], [np.nan], [3.0]]), np.random.default_rng(0))
    assert found.mean.tolist() == [2.0]
    assert 1.0 <= found.low[0] < found.high[0] <= 3.0


# of a mean of n normal numbers, 95% lie within 1.96 / sqrt(n)
@pytest.mark.parametrize(("n", "tolerance"), [(400, 0.02), (5000, 0.005)])
def test_of_many_it_is_the_normal_interval(n, tolerance):
    values = np.random.default_rng(1).normal(size=(n, 1))
    found = mean_interval(values, np.random.default_rng(0))
    half = 1.96 / np.sqrt(n)
    assert found.high[0] - found.mean[0] == pytest.approx(half, abs=tolerance)
    assert found.mean[0] - found.low[0] == pytest.approx(half, abs=tolerance)
    assert found.mean[0] == pytest.approx(values.mean())


def test_one_number_has_no_interval():
    found = mean_interval(np.array([[2.0, 1.0], [np.nan, 3.0]]), np.random.default_rng(0))
    assert found.mean.tolist() == [2.0, 2.0]
    assert found.is_known.tolist() == [False, True]


# all alike: z^2 / (n + z^2), z = 1.96; 81 of 263: Newcombe, Stat. Med. 17, 857 (1998), table I
@pytest.mark.parametrize(
    ("n_yes", "n", "expected"),
    [(0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (81, 263, (0.2553, 0.3662))],
)
def test_a_share_has_an_interval_of_some_width(n_yes, n, expected):
    assert share_interval(n_yes, n) == pytest.approx(expected, abs=1e-4)
