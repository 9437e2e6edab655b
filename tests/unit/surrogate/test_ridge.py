import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import DotProduct, WhiteKernel
from sklearn.linear_model import Ridge as Reference

from molloop.surrogate.ridge import Ridge


def sample(n, d=5, seed=0, noise=0.3):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, d)).astype(np.float32)
    return points, 14 + points @ np.linspace(-1, 2, d) + noise * rng.normal(size=n)


def test_by_hand():
    # centred: x = -1, 1 and y = -2, 2; the coefficient is 4 / (2 + 2) = 1
    points = np.array([[0.0], [2.0]], dtype=np.float32)
    model = Ridge(points, np.array([8.0, 12.0]), penalty=2.0)
    mean, std = model.predict(np.array([[1.0], [4.0]], dtype=np.float32))
    assert mean == pytest.approx([10.0, 13.0])
    # likeliest noise: y (y - fitted) / 2 = 2; variance of the coefficient 2 / (2 + 2)
    assert std == pytest.approx([0.0, 3 * np.sqrt(0.5)])


@pytest.mark.parametrize("n", [3, 40])
def test_means_are_those_of_scikit_learn(n):
    points, values = sample(n)
    queries, _ = sample(100, seed=1)
    reference = Reference(alpha=0.7).fit(points.astype(float), values)
    mean, _ = Ridge(points, values, penalty=0.7).predict(queries)
    assert mean == pytest.approx(reference.predict(queries.astype(float)), abs=1e-6)


@pytest.mark.parametrize("n", [3, 40])
def test_deviations_are_those_of_a_process_with_a_linear_kernel(n):
    points, values = sample(n)
    queries, _ = sample(60, seed=1)
    model = Ridge(points, values, penalty=0.7)
    centre = points.astype(float).mean(axis=0)
    linear = GaussianProcessRegressor(DotProduct(0, "fixed"), alpha=0.7, optimizer=None)
    linear.fit(points - centre, values - values.mean())
    _, covariance = linear.predict(queries - centre, return_cov=True)
    joint = model.joint(queries)
    found = np.stack([joint.covariance(row) for row in range(60)])
    # the kernel is in units of the coefficients' variance: noise over penalty
    assert found == pytest.approx(covariance * joint.noise / 0.7, abs=1e-6)
    assert model.predict(queries)[1] == pytest.approx(np.sqrt(np.diag(found)), abs=1e-9)


def test_the_chosen_penalty_has_the_largest_likelihood():
    points, values = sample(40)
    penalty = Ridge.fit(points, values, np.random.default_rng(0)).penalty
    centred = points - points.astype(float).mean(axis=0)
    residual = values - values.mean()

    def likelihood(value):
        kernel = DotProduct(0, "fixed") * (1 / value) + WhiteKernel(1.0)
        covariance = kernel(centred)
        noise = residual @ np.linalg.solve(covariance, residual) / len(residual)
        _, log_determinant = np.linalg.slogdet(noise * covariance)
        return -(log_determinant + len(residual)) / 2

    best = likelihood(penalty)
    assert all(likelihood(penalty * factor) < best for factor in (0.5, 0.8, 1.25, 2))


@pytest.mark.parametrize("values", [[14.0], [14.0, 14.0]])
def test_few_or_equal_values(values):
    points, _ = sample(len(values))
    model = Ridge.fit(points, np.array(values), np.random.default_rng(0))
    mean, std = model.predict(sample(10, seed=1)[0])
    assert mean.tolist() == [14.0] * 10
    assert np.all(np.isfinite(std))
