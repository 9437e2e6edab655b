"""What all models have in common."""

import numpy as np
import pytest

from molloop.surrogate.model import load, save
from molloop.surrogate.registry import MODELS, RANDOM, model_class
from molloop.surrogate.ridge import Ridge

NAMES = [name for name in MODELS.own if name != RANDOM]


def named(name):
    return model_class(MODELS.reference(name))


def sample(kind, n, seed=0):
    rng = np.random.default_rng(seed)
    if kind.learns_from == "fingerprints":
        return rng.integers(0, 256, (n, 32), dtype=np.uint8)
    return np.clip(rng.normal(size=(n, 36)), -6, 6).astype(np.float32)


@pytest.mark.parametrize("n", [90, 203, 333])
@pytest.mark.parametrize("name", NAMES)
def test_a_prediction_does_not_depend_on_its_neighbours(name, n):
    kind, rng = named(name), np.random.default_rng(0)
    points, queries = sample(kind, n), sample(kind, 9000, seed=1)
    model = kind.fit(points, rng.normal(size=n), rng)
    whole = np.array(model.predict(queries))
    order = rng.permutation(len(queries))
    for rows in (order, order[:1], order[:777], np.arange(5000)):
        assert np.array_equal(np.array(model.predict(queries[rows])), whole[:, rows])
        assert np.all(model.screen(queries[rows])[0] >= whole[0, rows])
    assert np.array(model.predict(queries[:0])).shape == (2, 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_is_the_same(tmp_path, name):
    kind, rng = named(name), np.random.default_rng(0)
    points, queries = sample(kind, 30), sample(kind, 100, seed=1)
    model = kind.fit(points, rng.normal(size=30), np.random.default_rng([1, 2]))
    save(model, tmp_path / "model.npz")
    again = load(kind, tmp_path / "model.npz")
    assert type(again) is type(model)
    assert np.array_equal(np.array(again.predict(queries)), np.array(model.predict(queries)))
    same = kind.fit(points, model.values, np.random.default_rng([1, 2]))
    assert np.array_equal(np.array(same.predict(queries)), np.array(model.predict(queries)))


@pytest.mark.parametrize("name", NAMES)
def test_a_joint_prediction_is_that_of_each(name):
    kind, rng = named(name), np.random.default_rng(0)
    model = kind.fit(sample(kind, 30), rng.normal(size=30), rng)
    queries = sample(kind, 20, seed=1)
    joint = model.joint(queries)
    mean, std = model.predict(queries)
    assert joint.mean == pytest.approx(mean)
    assert joint.variance == pytest.approx(std**2)
    assert [joint.covariance(row)[row] for row in range(20)] == pytest.approx(std**2, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("n_points", "n_values"), [(0, 0), (3, 2)])
def test_wrong_shapes_are_refused(name, n_points, n_values):
    kind = named(name)
    with pytest.raises(ValueError, match="expected"):
        kind.fit(sample(kind, n_points), np.zeros(n_values), np.random.default_rng(0))


@pytest.mark.parametrize("name", NAMES)
def test_bounds_hold_from_both_sides(name):
    kind, rng = named(name), np.random.default_rng(0)
    model = kind.fit(sample(kind, 30), rng.normal(size=30), rng)
    others = sample(kind, 20, seed=1)
    mean, std = model.predict(others)
    low, high, most = model.interval(others)
    assert ((low <= mean) & (mean <= high) & (std <= most)).all()


@pytest.mark.parametrize("name", ["gp", "ridge"])
def test_values_that_are_simulated_next_scatter_as_is_said(name):
    """Values whose noise is as large as what can be known of them: 68% lie within a deviation."""
    kind, rng = named(name), np.random.default_rng(0)
    shares = []
    for _ in range(5):
        points = rng.normal(size=(400, 6)).astype(np.float32)
        values = points[:, 0] + rng.normal(size=400)
        model = kind.fit(points[:100], values[:100], rng)
        mean, std = model.predict(points[100:])
        shares.append(np.mean(np.abs(values[100:] - mean) <= model.scatter(std)))
    assert 0.6 < np.mean(shares) < 0.8


@pytest.mark.parametrize("name", NAMES)
def test_the_scatter_falls_with_no_deviation(name):
    kind, rng = named(name), np.random.default_rng(0)
    model = kind.fit(sample(kind, 30), rng.normal(size=30), rng)
    stds = np.linspace(0.0, 3.0, 50)
    assert (np.diff(model.scatter(stds)) >= 0).all()
    assert (model.scatter(stds) >= stds).all()


def test_predictions_are_the_same_beside_others_whatever_the_number_of_features():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 255)).astype(np.float32)
    model = Ridge.fit(points, rng.normal(size=40), rng)
    queries = rng.normal(size=(300, 255)).astype(np.float32)
    whole = model.predict(queries)
    for n in range(1, 9):
        later = model.predict(queries[n:])
        assert np.array_equal(later[0], whole[0][n:])
        assert np.array_equal(later[1], whole[1][n:])
