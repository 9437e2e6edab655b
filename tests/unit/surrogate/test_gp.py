import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel

from molloop.surrogate import gp, gp_kernel
from molloop.surrogate.gp import GaussianProcess
from molloop.surrogate.ridge import Ridge
from molloop.surrogate.widening import Widening

UNWIDENED = Widening()


def sample(n, d=6, seed=0, noise=0.05):
    rng = np.random.default_rng(seed)
    points = np.clip(rng.normal(size=(n, d)), -6, 6).astype(np.float32)
    values = 14 + np.sin(points[:, 0]) + points[:, 1] * 0.5 + noise * rng.normal(size=n)
    return points, values


def process(*arguments, widening=UNWIDENED):
    return GaussianProcess(*arguments, widening.as_array())


def reference_kernel(length_scale, linear_ratio, d):
    linear = ConstantKernel(linear_ratio / d, "fixed") * DotProduct(0, "fixed")
    return RBF(length_scale, "fixed") + linear


def test_two_points_by_hand():
    # k = exp(-1/2) between the points and the query and each of them; the mean is 10
    points = np.array([[0.0], [1.0]], dtype=np.float32)
    model = process(points, np.array([9.0, 11.0]), 1.0, 0.5, 0.0, np.ones(points.shape[1]))
    k = np.exp(-0.5)
    # (K + 0.5) (-a, a) = (-1, 1) with a = 1 / (1.5 - k); the query at 0 sees -a + k a
    mean, std = model.predict(points[:1])
    a = 1 / (1.5 - k)
    assert mean == pytest.approx([10 - a + k * a])
    # likeliest variance: (1 a + 1 a) / 2
    explained = np.array([1, k]) @ np.linalg.inv([[1.5, k], [k, 1.5]]) @ np.array([1, k])
    assert std == pytest.approx([np.sqrt(a * (1 - explained))])


def test_one_point_by_hand():
    # kernel with itself 1 + 2 x 3^2 = 19, with the query at -3: exp(-18) - 18; one value has no
    # spread, so the scale is 1 and the mean the value
    points = np.array([[3.0]], dtype=np.float32)
    model = process(points, np.array([7.0]), 1.0, 1.0, 2.0, np.ones(points.shape[1]))
    mean, std = model.predict(np.array([[-3.0]], dtype=np.float32))
    assert mean == pytest.approx([7.0])
    assert std == pytest.approx([np.sqrt(19 - (18 - np.exp(-18)) ** 2 / 20)])


@pytest.mark.parametrize("linear_ratio", [0.0, 0.3, 20.0])
def test_predictions_are_those_of_scikit_learn(linear_ratio):
    points, values = sample(60)
    queries, _ = sample(500, seed=1)
    model = process(points, values, 2.5, 0.01, linear_ratio, np.ones(points.shape[1]))
    kernel = reference_kernel(2.5, linear_ratio, 6) if linear_ratio else RBF(2.5)
    reference = GaussianProcessRegressor(kernel, alpha=0.01, optimizer=None)
    reference.fit(points.astype(float), values - values.mean())
    mean, std = reference.predict(queries.astype(float), return_std=True)
    found_mean, found_std = model.predict(queries)
    assert found_mean == pytest.approx(mean + values.mean(), abs=1e-9)
    centred = values - values.mean()
    scale = np.sqrt(centred @ reference.alpha_ / len(values))
    assert found_std == pytest.approx(std * scale, abs=1e-7)
    joint = model.joint(queries[:50])
    _, covariance = reference.predict(queries[:50].astype(float), return_cov=True)
    found = np.stack([joint.covariance(row) for row in range(50)])
    assert found == pytest.approx(covariance * scale**2, abs=1e-9)
    assert joint.variance == pytest.approx(np.diag(found), abs=1e-9)
    assert joint.noise == pytest.approx([0.01 * scale**2] * 50)


def test_the_chosen_scales_have_the_largest_likelihood(monkeypatch):
    monkeypatch.setattr(gp_kernel, "PRIOR_SIGMA", 1e6)  # the likelihood alone
    points, values = sample(80, d=3)
    model = GaussianProcess.fit(points, values, np.random.default_rng(0))
    centred = (values - values.mean()) / values.std()

    def likelihood(length_scale, noise_ratio, linear_ratio):
        # of scikit-learn, with the likeliest variance
        plain = reference_kernel(length_scale, linear_ratio, 3)
        unit = GaussianProcessRegressor(
            plain + WhiteKernel(noise_ratio), alpha=0, optimizer=None
        ).fit(points.astype(float), centred)
        variance = centred @ unit.alpha_ / len(centred)
        kernel = variance * plain + WhiteKernel(variance * noise_ratio)
        scaled = GaussianProcessRegressor(kernel, alpha=0, optimizer=None)
        return scaled.fit(points.astype(float), centred).log_marginal_likelihood_value_

    chosen = (model.length_scale, model.noise_ratio, model.linear_ratio)
    best = likelihood(*chosen)
    for place in range(3):
        for factor in (0.5, 0.9, 1.1, 2.0):
            other = [one * (factor if k == place else 1) for k, one in enumerate(chosen)]
            assert likelihood(*other) < best
    others = [
        likelihood(length_scale, noise, linear)
        for length_scale in np.geomspace(0.6, 30, 8)
        for noise in np.geomspace(1e-4, 1, 5)
        for linear in np.geomspace(1e-2, 10, 4)
    ]
    assert max(others) < best + 1e-6


def test_scales_are_learnt_from_some_of_many_points_and_the_model_takes_all(monkeypatch):
    monkeypatch.setattr(gp, "MAX_LIKELIHOOD_POINTS", 50)
    points, values = sample(90, d=3)
    first, again, other = (
        GaussianProcess.fit(points, values, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first.points.shape == points.shape
    assert (first.length_scale, first.noise_ratio) == (again.length_scale, again.noise_ratio)
    assert first.length_scale != other.length_scale
    assert first.length_scale == pytest.approx(other.length_scale, rel=0.7)


@pytest.mark.parametrize(
    ("n", "values"), [(1, [14.0]), (3, [0.1] * 3), (5, [-5.3] * 5), (2, [14.0, 15.0])]
)
def test_few_or_equal_values(n, values):
    points, _ = sample(n)
    model = GaussianProcess.fit(points, np.array(values), np.random.default_rng(0))
    mean, std = model.predict(sample(20, seed=3)[0])
    assert np.all(np.isfinite(mean))
    assert np.all(std > 0.01)
    if len(set(values)) == 1:
        assert mean == pytest.approx(values[0])


def test_the_same_point_twice():
    points, values = sample(30)
    twice = np.concatenate([points, points])
    model = GaussianProcess.fit(
        twice, np.concatenate([values, values + 0.1]), np.random.default_rng(0)
    )
    mean, _ = model.predict(points)
    assert mean == pytest.approx(values + 0.05, abs=0.2)


@given(
    st.integers(1, 150),
    st.sampled_from([0.5, 2.0, 8.0, 60.0]),
    st.sampled_from([1e-4, 1e-2, 1.0]),
    st.sampled_from([1e-3, 0.1, 1.0, 100.0]),
    st.integers(0, 2**32),
    st.sampled_from([3, 83]),
    st.sampled_from([0.03, 0.37, 1.0, 20.0]),
    st.sampled_from([-3.0, -0.1, 0.0, 0.2, 3.0]),
)
@settings(max_examples=100)
def test_no_prediction_is_above_its_screen(
    n, length_scale, noise_ratio, linear_ratio, seed, d, weight, growth
):
    points, values = sample(n, d, seed)
    weights = np.where(np.arange(d) < d // 2, 1.0, weight)
    widening = Widening(0.5, growth, 14.0, 13.0, 15.5)
    scales = (length_scale, noise_ratio, linear_ratio)
    model = process(points, values, *scales, weights, widening=widening)
    queries = np.concatenate([points, 3 * points, 10 * sample(300, d, seed + 1)[0]])
    queries = np.clip(queries, -30, 30)
    mean, std = model.predict(queries)
    highest_mean, highest_std = model.screen(queries)
    assert np.all(mean <= highest_mean)
    assert np.all(std <= highest_std)


def test_a_widened_deviation_is_that_of_the_process_times_the_factor():
    points, values = sample(40)
    queries, _ = sample(30, seed=1)
    scales = (2.0, 0.01, 0.5, np.ones(6))
    widening = Widening(np.log(2.0), 0.0, 14.0, 10.0, 18.0)
    plain, wide = (
        process(points, values, *scales),
        process(points, values, *scales, widening=widening),
    )
    (mean, std), (same, twice) = plain.predict(queries), wide.predict(queries)
    assert same.tolist() == mean.tolist()
    assert twice == pytest.approx(2 * std)
    before, after = plain.joint(queries), wide.joint(queries)
    assert after.variance == pytest.approx(4 * before.variance)
    assert after.noise == pytest.approx(4 * before.noise)
    assert after.covariance(3) == pytest.approx(4 * before.covariance(3))


def test_what_is_learnt_of_errors_is_that_of_models_of_the_others():
    points, values = sample(30)
    model = GaussianProcess.fit(points, values, np.random.default_rng(0))
    kernel = reference_kernel(model.length_scale, model.linear_ratio, 6)
    fixed = GaussianProcessRegressor(kernel, alpha=model.noise_ratio, optimizer=None)
    centred = values - values.mean()
    scale_squared = centred @ fixed.fit(points.astype(float), centred).alpha_ / len(values)
    means, stds = np.empty(30), np.empty(30)
    for k in range(30):
        others = np.delete(np.arange(30), k)
        fixed.fit(points[others].astype(float), centred[others])
        [means[k]], [std] = fixed.predict(points[k : k + 1].astype(float), return_std=True)
        stds[k] = np.sqrt(scale_squared) * std
    expected = Widening.learnt(centred - means, stds, values.mean() + means, values)
    assert model.widening == pytest.approx(expected.as_array(), abs=1e-3)


def test_a_weight_counts_as_a_factor_of_its_descriptor():
    points, values = sample(40)
    queries, _ = sample(30, seed=1)
    weights = np.array([1.0, 0.5, 0.25, 2.0, 1.0, 4.0])  # exact in binary
    factors = weights.astype(np.float32)
    one = process(points, values, 2.0, 0.01, 0.5, weights)
    other = process(points * factors, values, 2.0, 0.01, 0.5, np.ones(6))
    for mine, its in zip(one.predict(queries), other.predict(queries * factors), strict=True):
        assert mine == pytest.approx(its, rel=1e-12)


def test_a_group_that_tells_more_gets_a_larger_weight():
    points, _ = sample(120)
    noise = 0.05 * np.random.default_rng(1).normal(size=120)
    weights = []
    for told in (0, 5):
        values = 3 * np.sin(points[:, told]) + noise
        model = GaussianProcess.fit_groups(points, values, np.random.default_rng(0), [3, 3])
        assert np.all(model.weights[:3] == 1)
        assert len(set(model.weights[3:].tolist())) == 1
        weights.append(model.weights[-1])
    assert weights[0] < gp_kernel.PRIOR_WEIGHT
    assert weights[1] > 1


@pytest.mark.parametrize("linear_ratio", [1e-3, 100.0])
@pytest.mark.parametrize(("n", "length_scale"), [(1000, 60.0), (1500, 14.0)])
def test_no_prediction_of_many_points_is_above_its_screen(n, length_scale, linear_ratio):
    points, values = sample(n, d=36)
    values[:5] += 20  # outliers have the largest weights
    model = process(points, values, length_scale, 1e-4, linear_ratio, np.ones(points.shape[1]))
    queries = np.concatenate([points[:500], sample(2000, d=36, seed=1)[0]])
    mean, std = model.predict(queries)
    highest_mean, highest_std = model.screen(queries)
    assert np.all(mean <= highest_mean)
    assert np.all(std <= highest_std)


def test_screening_is_close():
    points, values = sample(200, d=36)
    model = GaussianProcess.fit(points, values, np.random.default_rng(0))
    queries, _ = sample(2000, d=36, seed=1)
    mean, _ = model.predict(queries)
    highest_mean, _ = model.screen(queries)
    assert np.max(highest_mean - mean) < 0.02 * values.std()


def test_of_too_many_molecules_the_best_and_random_others_teach(monkeypatch):
    monkeypatch.setattr(gp, "MAX_POINTS", 20)
    points, values = sample(100)
    model = GaussianProcess.fit(points, values, np.random.default_rng(3))
    assert len(model.values) == 20
    best = set(np.sort(values)[-10:])
    assert best < set(model.values)
    others = [value for value in model.values if value not in best]
    # drawn from all of the rest, not from one end of it
    assert min(others) < np.median(np.sort(values)[:-10]) < max(others)
    for point, value in zip(model.points, model.values, strict=True):
        [row] = np.flatnonzero(values == value)
        assert (point == points[row]).all()
    again = GaussianProcess.fit(points, values, np.random.default_rng(3))
    assert (again.values == model.values).all()


def test_of_as_many_as_it_takes_all_teach(monkeypatch):
    monkeypatch.setattr(gp, "MAX_POINTS", 20)
    points, values = sample(20)
    assert len(GaussianProcess.fit(points, values, np.random.default_rng(3)).values) == 20


class OfItsOwnFit(GaussianProcess):
    @classmethod
    def fit(cls, features, values, rng):
        return super().fit(2 * features, values, rng)


def test_groups_are_weighed_by_the_class_that_says_how():
    assert GaussianProcess.weighs_groups()
    assert not OfItsOwnFit.weighs_groups()
    assert not Ridge.weighs_groups()
