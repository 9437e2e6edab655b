import numpy as np
import pytest

from molloop.intervals import mean_interval, share_interval


def test_what_does_not_vary_is_certain():
    found = mean_interval(np.full((5, 2), [1.5, -2.0]))
    for bound in (found.mean, found.low, found.high):
        assert bound.tolist() == [1.5, -2.0]
    found = mean_interval(np.full((3, 1), 0.1))
    assert [found.low[0], found.high[0]] == pytest.approx([0.1, 0.1], abs=1e-15)


def test_what_is_missing_is_left_out():
    values = np.array([[1.0, np.nan], [3.0, np.nan]])
    found = mean_interval(values)
    assert found.mean[0] == 2.0
    assert np.isnan(found.mean[1])
    assert np.isnan(found.low[1])
    found = mean_interval(np.array([[1.0], [np.nan], [3.0]]))
    assert found.mean.tolist() == [2.0]
    # of two numbers the error of the mean is 1, and t is 12.706
    assert [found.low[0], found.high[0]] == pytest.approx([-10.706, 14.706], abs=1e-3)


# the quantiles of t for 4, 19 and infinitely many degrees of freedom: 2.776, 2.093 and 1.960
@pytest.mark.parametrize(("n", "quantile"), [(5, 2.776), (20, 2.093), (100_000, 1.960)])
def test_the_interval_is_as_wide_as_few_seeds_allow(n, quantile):
    values = np.linspace(-3, 7, n)[:, None]
    error = values.std(ddof=1) / np.sqrt(n)
    found = mean_interval(values)
    assert found.mean[0] == pytest.approx(2)
    assert found.high[0] - 2 == pytest.approx(quantile * error, rel=1e-3)
    assert 2 - found.low[0] == pytest.approx(quantile * error, rel=1e-3)


def test_one_number_has_no_interval():
    found = mean_interval(np.array([[2.0, 1.0], [np.nan, 3.0]]))
    assert found.mean.tolist() == [2.0, 2.0]
    assert found.is_known.tolist() == [False, True]


# all alike: z^2 / (n + z^2), z = 1.96; 81 of 263: Newcombe, Stat. Med. 17, 857 (1998), table I
@pytest.mark.parametrize(
    ("n_yes", "n", "expected"),
    [(0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (81, 263, (0.2553, 0.3662))],
)
def test_a_share_has_an_interval_of_some_width(n_yes, n, expected):
    assert share_interval(n_yes, n) == pytest.approx(expected, abs=1e-4)
