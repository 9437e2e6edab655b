import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from molloop.surrogate.forest import N_TREES, SHARE_OF_DESCRIPTORS, RandomForest


def test_predictions_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(80, 9)).astype(np.float32)
    values = 14 + points[:, 0] * points[:, 1]
    queries = rng.normal(size=(500, 9)).astype(np.float32)
    mean, std = RandomForest(points, values, seed=7).predict(queries)
    middle, spread = values.mean(), values.std()
    forest = RandomForestRegressor(N_TREES, max_features=SHARE_OF_DESCRIPTORS, random_state=7).fit(
        points, (values - middle) / spread
    )
    assert mean == pytest.approx(middle + spread * forest.predict(queries), abs=1e-9)
    trees = spread * np.array([tree.predict(queries) for tree in forest.estimators_])
    assert std == pytest.approx(trees.std(axis=0), abs=1e-6)


@pytest.mark.parametrize("unit", [1e-12, 1e9])
def test_values_in_any_unit_are_learnt_alike(unit):
    rng = np.random.default_rng(0)
    points, values = rng.normal(size=(40, 3)).astype(np.float32), rng.normal(size=40)
    mean, std = RandomForest(points, values, seed=7).predict(points)
    assert len(set(mean.tolist())) == 40
    found = RandomForest(points, unit * values, seed=7).predict(points)
    assert found[0] == pytest.approx(unit * mean, rel=1e-6, abs=1e-9 * unit)
    assert found[1] == pytest.approx(unit * std, rel=1e-6, abs=1e-6 * unit)


def test_another_seed_is_another_forest():
    rng = np.random.default_rng(0)
    points, values = rng.normal(size=(20, 3)).astype(np.float32), rng.normal(size=20)
    first, second = (RandomForest.fit(points, values, np.random.default_rng(k)) for k in (1, 2))
    assert not np.array_equal(first.predict(points)[0], second.predict(points)[0])


def test_one_value():
    model = RandomForest.fit(
        np.zeros((1, 3), np.float32), np.array([14.0]), np.random.default_rng()
    )
    mean, std = model.predict(np.ones((2, 3), np.float32))
    assert (mean.tolist(), std.tolist()) == ([14.0, 14.0], [0.0, 0.0])
