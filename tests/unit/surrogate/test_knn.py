import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsRegressor

from molloop.surrogate.knn import KNearestNeighbors
from molloop.surrogate.model import load, save


def pack(*bits_set, n_bits=64):
    bits = np.zeros((len(bits_set), n_bits), dtype=np.uint8)
    for row, places in enumerate(bits_set):
        bits[row, list(places)] = 1
    return np.packbits(bits, axis=1, bitorder="little")


def test_by_hand():
    # query {0, 1, 2, 3}; distances 1/2 ({0, 1}), 1/4 ({0, 1, 2}), 1 ({9}), 1/5 ({0..4}), 2/3
    points = pack([0, 1], [0, 1, 2], [9], [0, 1, 2, 3, 4], [0, 1, 8, 9])
    values = np.array([10.0, 12.0, 99.0, 14.0, 16.0])
    mean, std = KNearestNeighbors(points, values).predict(pack([0, 1, 2, 3]))
    # weights 2, 4, 5, 3/2: (20 + 48 + 70 + 24) / 12.5 = 12.96
    assert mean == pytest.approx([162 / 12.5], abs=1e-12)
    # sum of weight x (value - 12.96)^2 is 17.5232 + 3.6864 + 5.408 + 13.8624
    assert std == pytest.approx([(40.48 / 12.5) ** 0.5], abs=1e-12)


def test_the_same_fingerprint_takes_all_the_weight():
    points = pack([0, 1], [0, 1], [0], [5])
    mean, std = KNearestNeighbors(points, np.array([1.0, 3.0, 100.0, 7.0])).predict(pack([0, 1]))
    assert mean == pytest.approx([2.0])
    assert std == pytest.approx([1.0])


def test_of_equally_near_neighbors_the_lowest_index_counts():
    points = pack([0], [1], [2], [3], [4], [5])
    mean, _ = KNearestNeighbors(points, np.arange(6.0)).predict(pack([9]))
    assert mean == pytest.approx([(0 + 1 + 2 + 3) / 4])


def test_fewer_points_than_neighbors():
    mean, std = KNearestNeighbors(pack([0, 1]), np.array([5.0])).predict(pack([0], [7]))
    assert mean.tolist() == [5.0, 5.0]
    assert std.tolist() == [0.0, 0.0]


def test_two_empty_fingerprints_are_the_same():
    mean, _ = KNearestNeighbors(pack([], [1]), np.array([5.0, 6.0])).predict(pack([]))
    assert mean.tolist() == [5.0]


def random_bits(rng, n, n_bits):
    return rng.random((n, n_bits)) < rng.uniform(0.02, 0.4, (n, 1))


@pytest.mark.parametrize(
    ("n_bits", "n_points", "n_queries"),
    [
        (256, 24, 9000),
        (256, 300, 500),
        (256, 9000, 50),
        (2048, 60, 300),
        (4096, 20, 3000),
        (64, 4, 300),
    ],
)
def test_equals_scikit_learn_where_the_fourth_neighbor_is_not_tied(n_bits, n_points, n_queries):
    rng = np.random.default_rng(n_points)
    points, queries = random_bits(rng, n_points, n_bits), random_bits(rng, n_queries, n_bits)
    queries[:3] = points[:3]
    values = rng.normal(14, 1, n_points)
    packed = [np.packbits(bits, axis=1, bitorder="little") for bits in (points, queries)]
    mean, _ = KNearestNeighbors(packed[0], values).predict(packed[1])
    reference = KNeighborsRegressor(4, weights="distance", metric="jaccard").fit(points, values)
    distances, _ = reference.kneighbors(queries, n_neighbors=min(5, n_points))
    untied = distances[:, 3] < distances[:, 4] if n_points > 4 else np.full(n_queries, True)
    assert untied.sum() > n_queries / 3
    assert np.abs(mean - reference.predict(queries))[untied].max() < 1e-12


@given(
    st.lists(st.sets(st.integers(0, 11), max_size=12), min_size=1, max_size=12),
    st.sets(st.integers(0, 11), max_size=12),
)
@settings(max_examples=200)
def test_ties_follow_the_rule(points, query):
    def distance(point):
        union = point | query
        return len(point ^ query) / len(union) if union else 0.0

    values = np.arange(len(points), dtype=float) ** 2
    order = sorted(range(len(points)), key=lambda k: (distance(points[k]), k))[:4]
    same = [k for k in order if distance(points[k]) == 0]
    weights = dict.fromkeys(same, 1.0) or {k: 1 / distance(points[k]) for k in order}
    expected = sum(w * values[k] for k, w in weights.items()) / sum(weights.values())
    mean, _ = KNearestNeighbors(pack(*points), values).predict(pack(query))
    assert mean[0] == pytest.approx(expected, abs=1e-12)


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"got \(1, 8\) and \(2,\)"):
        KNearestNeighbors(pack([0]), np.zeros(2))
    with pytest.raises(ValueError, match="n >= 1"):
        KNearestNeighbors(np.zeros((0, 32), np.uint8), np.zeros(0))


def test_a_saved_model_predicts_the_same(tmp_path):
    rng = np.random.default_rng(0)
    packed = rng.integers(0, 256, (40, 32), dtype=np.uint8)
    model = KNearestNeighbors(packed, rng.normal(size=40))
    save(model, tmp_path / "model.npz")
    again = load(KNearestNeighbors, tmp_path / "model.npz")
    for one, other in zip(model.predict(packed[:9]), again.predict(packed[:9]), strict=True):
        assert np.array_equal(one, other)
