"""What all models have in common."""

import numpy as np
import pytest

from molloop import surrogate


def sample(n, d=6, seed=0):
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(size=(n, d)), -6, 6).astype(np.float32)


@pytest.mark.parametrize("n", [90, 203, 333])
@pytest.mark.parametrize("name", surrogate.MODELS)
def test_a_prediction_does_not_depend_on_its_neighbours(name, n):
    rng = np.random.default_rng(0)
    if name == "knn":
        points, queries = (rng.integers(0, 256, (m, 32), dtype=np.uint8) for m in (n, 9000))
    else:
        points, queries = sample(n, d=36), sample(9000, d=36, seed=1)
    model = surrogate.MODELS[name].fit(points, rng.normal(size=n), rng)
    whole = np.array(model.predict(queries))
    order = rng.permutation(len(queries))
    for rows in (order, order[:1], order[:777], np.arange(5000)):
        assert np.array_equal(np.array(model.predict(queries[rows])), whole[:, rows])
        assert np.all(model.screen(queries[rows])[0] >= whole[0, rows])
    assert np.array(model.predict(queries[:0])).shape == (2, 0)


@pytest.mark.parametrize("name", surrogate.MODELS)
def test_a_saved_model_is_the_same(tmp_path, name):
    rng = np.random.default_rng(0)
    if name == "knn":
        points, queries = (rng.integers(0, 256, (n, 32), dtype=np.uint8) for n in (30, 100))
    else:
        points, queries = sample(30), sample(100, seed=1)
    model = surrogate.MODELS[name].fit(points, rng.normal(size=30), np.random.default_rng([1, 2]))
    surrogate.save(name, model, tmp_path / "model.npz")
    again = surrogate.load(tmp_path / "model.npz")
    assert type(again) is type(model)
    assert np.array_equal(np.array(again.predict(queries)), np.array(model.predict(queries)))
    same = surrogate.MODELS[name].fit(points, model.values, np.random.default_rng([1, 2]))
    assert np.array_equal(np.array(same.predict(queries)), np.array(model.predict(queries)))


@pytest.mark.parametrize("name", surrogate.MODELS)
@pytest.mark.parametrize(("n_points", "n_values"), [(0, 0), (3, 2)])
def test_wrong_shapes_are_refused(name, n_points, n_values):
    points = np.zeros((n_points, 32), dtype=np.uint8 if name == "knn" else np.float32)
    with pytest.raises(ValueError, match="expected"):
        surrogate.MODELS[name].fit(points, np.zeros(n_values), np.random.default_rng(0))
