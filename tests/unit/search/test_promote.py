"""Differences between stages, and choices for the stages above the first."""

import numpy as np
import pytest

from molloop.search.chain import Chain
from molloop.search.difference import Difference, Pairs
from molloop.search.promote import Promotion, expect, gain_of_value, improvement, promote
from molloop.surrogate.gp import GaussianProcess
from molloop.surrogate.ridge import Ridge


def pairs_of(below, above, spread=2.0, seed=0):
    below, above = np.array(below, dtype=float), np.array(above, dtype=float)
    features = np.random.default_rng(seed).normal(size=(len(below), 3)).astype(np.float32)
    return Pairs(features, below, above, spread, features[:0])


def rng():
    return np.random.default_rng(1)


def test_without_a_pair_a_difference_is_as_wide_as_the_values():
    found = Difference.fit(pairs_of([], []), rng())
    assert (found.offset, found.slope, found.std, found.model) == (0.0, 1.0, 2.0, None)


def test_with_few_pairs_it_is_a_constant_with_their_scatter():
    found = Difference.fit(pairs_of([1.0, 2.0, 3.0], [-2.0, -2.0, 0.0]), rng())
    # differences -3, -4, -3: mean -10/3, squares about it 2/3, which with a width of 2 are three
    # squares; the mean itself is in doubt by a third of that
    assert found.offset == pytest.approx(-10 / 3)
    assert found.slope == 1.0
    assert found.std == pytest.approx(np.sqrt((4 + 2 / 3) / 3 * 4 / 3))
    assert found.model is None


def test_one_pair_says_nothing_of_the_scatter():
    found = Difference.fit(pairs_of([1.0], [-2.0], spread=3.0), rng())
    # a width of 3 for the molecule, and of 3 for the offset
    assert (found.offset, found.std) == (-3.0, pytest.approx(np.sqrt(9 + 9)))


def test_with_eight_pairs_it_is_a_line_and_a_process():
    below = np.linspace(8.0, 12.0, 40)
    features = np.random.default_rng(3).normal(size=(40, 3)).astype(np.float32)
    above = 0.8 * below - 1.0 + 0.5 * features[:, 0]
    found = Difference.fit(Pairs(features, below, above, 1.2, features[:0]), rng())
    assert isinstance(found.model, GaussianProcess)
    assert 0.7 < found.slope < 1.0
    new = np.random.default_rng(4).normal(size=(30, 3)).astype(np.float32)
    values = np.linspace(8.5, 11.5, 30)
    mean, std = found.add(values, np.zeros(30), found.rest(new))
    truth = 0.8 * values - 1.0 + 0.5 * new[:, 0]
    assert np.abs(mean - truth).mean() < 0.15  # the line alone is off by 0.4
    assert (std > 0).all()


def test_bits_are_not_learnt_from():
    below = np.arange(10.0)
    bits = np.zeros((10, 4), dtype=np.uint8)
    found = Difference.fit(Pairs(bits, below, below - 3.0, 1.0, bits[:0]), rng())
    assert (found.model, found.slope) == (None, pytest.approx(1.0))
    assert found.offset == pytest.approx(-3.0)


def test_a_slope_is_never_below_zero():
    below = np.arange(10.0)
    assert Difference.fit(pairs_of(below, -5.0 * below), rng()).slope == 0.0


def test_it_is_read_as_it_was_written(tmp_path):
    for n in (3, 12):
        below = np.arange(float(n))
        found = Difference.fit(pairs_of(below, below**1.1 - 2.0), rng())
        path = tmp_path / f"difference-{n}.npz"
        found.write(path)
        again = Difference.read(path)
        new = pairs_of(np.arange(5.0), np.arange(5.0), seed=9).features
        assert (again.offset, again.slope) == (found.offset, found.slope)
        for one, other in zip(found.rest(new), again.rest(new), strict=True):
            assert np.array_equal(one, other)


def test_pairs_travel_as_arrays():
    pairs = pairs_of([1.0, 2.0], [0.0, 1.5])
    again = Pairs.of(pairs.arrays("pairs_0_"), "pairs_0_")
    assert np.array_equal(again.features, pairs.features)
    assert (again.above.tolist(), again.spread) == ([0.0, 1.5], 2.0)


def test_deviations_are_added_in_squares_and_bounds_hold():
    features = np.random.default_rng(5).normal(size=(60, 3)).astype(np.float32)
    values = features @ np.array([1.0, -0.5, 0.2])
    first = GaussianProcess.fit(features[:30], values[:30], rng())
    above = Difference.fit(
        Pairs(features[:20], values[:20], values[:20] * 1.2 - 1.0, 1.0, features[:0]), rng()
    )
    chain = Chain(first, [above, Difference(-2.0, 0.5, 0.3)])
    new = features[30:]
    (mean_0, std_0), (mean_1, std_1) = first.predict(new), above.rest(new)
    mean, std = chain.predict(new)
    in_the_middle = above.offset + above.slope * mean_0 + mean_1
    assert np.allclose(mean, 0.5 * in_the_middle - 2.0)
    squares = (0.5 * above.slope * std_0) ** 2 + (0.5 * std_1) ** 2 + 0.3**2
    assert np.allclose(std**2, squares)
    most_mean, most_std = chain.screen(new)
    assert (most_mean >= mean).all()
    assert (most_std >= std).all()
    joint = chain.joint(new)
    assert np.allclose(joint.mean, mean)
    assert np.allclose(joint.variance, std**2)
    assert np.isclose(joint.covariance(4)[4], joint.variance[4])
    assert np.allclose(chain.unresolved(new) ** 2, (0.5 * std_1) ** 2 + 0.3**2)
    low, high, widest = chain.interval(new)
    assert (low <= mean).all()
    assert (mean <= high).all()
    assert (widest >= std).all()
    # of values as they will be simulated: the noise of each model counts, and the constant's 0.3
    parts = first.scatter(std_0), above.model.scatter(std_1)
    squares = (0.5 * above.slope * parts[0]) ** 2 + (0.5 * parts[1]) ** 2 + 0.3**2
    scattered = chain.scattered(new)
    assert np.allclose(scattered**2, squares)
    assert (scattered > std).any()
    least, most = chain.scattered_between(new)
    assert (least <= scattered).all()
    assert (scattered <= most).all()


def test_simulated_values_scatter_by_the_noise_of_a_linear_model_and_the_remainders():
    """Noise of 1 in the first stage and a remainder of 1 above it make 1.41 in all."""
    draw = np.random.default_rng(8)
    features = draw.normal(size=(400, 3)).astype(np.float32)
    below = features[:, 0] + draw.normal(size=400)
    chain = Chain(Ridge.fit(features, below, rng()), [Difference(0.0, 1.0, 1.0)])
    assert chain.scattered(features) == pytest.approx(np.full(400, np.sqrt(2)), rel=0.08)


def promotion(below, pending=(), pairs=None):
    n, p = len(below), len(pending)
    features = np.random.default_rng(7).normal(size=(n + p, 3)).astype(np.float32)
    return Promotion(
        np.arange(100, 100 + n),
        features[:n],
        np.array(below, dtype=float).reshape(n, 1),
        features[n:],
        np.array(pending, dtype=float).reshape(p, 1),
        [pairs or pairs_of([], [])],
    )


def test_the_best_below_are_promoted_by_value_and_difference():
    pairs = pairs_of([1.0, 2.0, 3.0], [-2.0, -2.0, 0.0])
    found = promote(promotion([5.0, 7.0, 6.0, 7.0], [9.0], pairs), "greedy", 3, 0.0, (1, 1))
    assert found.ids.tolist() == [101, 103, 102]  # equal ones by the lower id
    assert found.means.tolist() == pytest.approx([7 - 10 / 3, 7 - 10 / 3, 6 - 10 / 3])
    assert found.stds.tolist() == pytest.approx([np.sqrt((4 + 2 / 3) / 3 * 4 / 3)] * 3)
    assert found.unresolved_std == 0.0


def test_what_is_like_failures_above_is_promoted_later():
    features = np.array([[3.0, 0.0], [-3.0, 0.0]], dtype=np.float32)
    tried = np.repeat(features, 20, axis=0)
    pairs = Pairs(tried[20:], np.arange(20.0), np.arange(20.0) - 3.0, 1.0, tried[:20])
    # what has the larger value below is like what has failed above
    given = Promotion(
        *(np.array([7, 8]), features, np.array([[19.5], [19.0]])),
        *(features[:0], np.empty((0, 1)), [pairs]),
    )
    assert promote(given, "greedy", 2, 0.0, (1, 1)).ids.tolist() == [8, 7]
    found = promote(given, "greedy", 2, 0.0, (1, 1), learns_failures=False)
    assert found.ids.tolist() == [7, 8]


def test_of_three_stages_the_second_leaves_the_last_difference():
    given = promotion([5.0, 7.0])
    given = Promotion(
        **{**vars(given), "pairs": [pairs_of([], [], spread=3.0), pairs_of([], [], spread=4.0)]}
    )
    found = promote(given, "ucb", 5, 0.0, (1, 1))
    assert found.ids.tolist() == [101, 100]
    assert found.stds.tolist() == pytest.approx([5.0, 5.0])
    assert found.unresolved_std == pytest.approx(4.0)


def test_what_is_known_in_the_last_stage_is_certain():
    nothing = np.empty((2, 3), dtype=np.float32)
    mean, std = expect(np.array([3.0, 4.0]), nothing, [], (0, 0))
    assert (mean.tolist(), std.tolist()) == ([3.0, 4.0], [0.0, 0.0])


def test_improvement_is_that_of_a_normal_variable():
    # of a standard normal variable over 0: 1 / sqrt(2 pi)
    found = improvement(np.array([0.0, 3.0, -1.0]), np.array([1.0, 0.0, 0.0]), 0.0)
    assert found.tolist() == pytest.approx([0.3989423, 3.0, 0.0], abs=1e-6)


def test_a_value_gains_what_it_may_exceed_a_rival_by():
    # all is resolved: E[max(z, 0) - 0] of a standard normal variable
    assert gain_of_value(0.0, 1.0, 0.0, 0.0, 0.0) == pytest.approx(0.3989423, abs=1e-4)
    # nothing is: known beforehand, 0.3989 each
    assert gain_of_value(0.0, 1.0, 1.0, 0.0, 0.3) == pytest.approx(0.0989423, abs=1e-4)
    assert gain_of_value(0.0, 1.0, 1.0, 0.0, 0.4) == 0.0
    # the more is resolved, the more it may gain
    gains = [gain_of_value(0.0, 1.0, left, 0.0, 0.4) for left in (0.9, 0.5, 0.1)]
    assert gains == sorted(gains)
    assert gains[0] > 0
    # without a rival it gains what it is expected to improve, whatever is resolved
    for left in (0.0, 0.5, 1.0):
        assert gain_of_value(-0.5, 1.0, left, 0.0, 0.0) == pytest.approx(0.1977966, abs=1e-4)
