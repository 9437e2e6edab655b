from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from molloop.library.bits import Bits, write_bits
from molloop.search import predict
from molloop.search.predict import Predicted, best_predicted, predicted


class Counting:
    """Predicts a row by its place among those that it is given."""

    def predict(self, features):
        n = np.arange(float(len(features)))
        return n, n / 10


def test_a_library_is_predicted_in_parts_in_its_order(small_library, monkeypatch):
    monkeypatch.setattr(predict, "CHUNK", 10)
    shards, scaling = small_library.shards, small_library.scaling
    parts = list(predicted(Counting(), "fingerprints", shards, scaling))
    assert [len(one.ids) for one in parts] == [10, 10, 4]
    assert np.concatenate([one.ids for one in parts]).tolist() == list(range(24))
    assert parts[2].means.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert parts[2].stds.tolist() == [0.0, 0.1, 0.2, 0.3]


def test_only_what_meets_the_conditions_is_predicted(small_library, monkeypatch, tmp_path):
    monkeypatch.setattr(predict, "CHUNK", 10)
    meant = np.isin(np.arange(24), [0, 9, 21, 23])  # of the second part none
    write_bits(tmp_path / "bits", [Bits.of(meant)], {})
    shards = [replace(ref, selection=str(tmp_path / "bits")) for ref in small_library.shards]
    parts = list(predicted(Counting(), "fingerprints", shards, small_library.scaling))
    assert [one.ids.tolist() for one in parts] == [[0, 9], [21, 23]]


def part_of(first_id, means):
    ids = np.arange(first_id, first_id + len(means))
    return Predicted(ids, np.array(means, dtype=np.float64), ids / 8)


def test_the_best_of_all_parts_are_the_best_and_equal_ones_go_by_id():
    found = best_predicted([part_of(0, [1, 5, 3]), part_of(3, []), part_of(3, [5, 4, 9])], 4)
    assert found.ids.tolist() == [5, 1, 3, 4]
    assert found.means.tolist() == [9, 5, 5, 4]
    assert found.stds.tolist() == [5 / 8, 1 / 8, 3 / 8, 4 / 8]


@given(st.lists(st.lists(st.integers(-3, 3), max_size=5), max_size=5), st.integers(1, 8))
def test_how_the_parts_are_cut_changes_nothing(cut, n):
    means = [one for some in cut for one in some]
    starts = np.cumsum([0, *map(len, cut)]).tolist()
    parts = [part_of(start, some) for start, some in zip(starts, cut, strict=False)]
    found = best_predicted(parts, n)
    expected = sorted(range(len(means)), key=lambda key: (-means[key], key))[:n]
    assert found.ids.tolist() == expected
