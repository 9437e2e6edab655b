from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from molloop.library import ingest
from molloop.library.ingest import open_or_build
from molloop.search import rank
from molloop.search.rank import Candidates


def candidates(scores, first_id=0):
    scores = np.array(scores, dtype=float)
    ids = np.arange(first_id, first_id + len(scores))
    return Candidates(ids, scores, scores + 1, scores + 2)


@given(
    st.lists(st.integers(0, 5), max_size=40),
    st.integers(1, 12),
    st.lists(st.integers(0, 40), max_size=4),
)
@settings(max_examples=200)
def test_any_cut_into_shards_gives_the_best_of_all(scores, n, cuts):
    expected = sorted(range(len(scores)), key=lambda k: (-scores[k], k))[:n]
    edges = sorted({0, len(scores), *(cut for cut in cuts if cut < len(scores))})
    parts = [candidates(scores[start:end], start).best(n) for start, end in pairwise(edges)]
    merged = rank.merge(n, *parts or [candidates([])])
    assert merged.ids.tolist() == expected
    assert merged.scores.tolist() == [scores[k] for k in expected]
    assert merged.means.tolist() == [scores[k] + 1 for k in expected]
    assert merged.stds.tolist() == [scores[k] + 2 for k in expected]


def test_a_whole_ranking_leaves_out_what_was_tried(tmp_path, small_smi, monkeypatch):
    monkeypatch.setattr(ingest, "SHARD_SIZE", 7)
    library = open_or_build(str(small_smi), cache_dir=tmp_path)
    assert len(library.shards) == 4
    tried = np.array([3, 9, 11])
    training = tmp_path / "training.npz"
    features = library.fingerprints(tried.tolist())
    rank.write_training(training, features, np.array([12.0, 14.0, 13.0]), tried)
    model = rank.fit("knn", training, tmp_path / "model.npz")
    parts = [rank.scan(ref, model, training, "greedy", 100) for ref in library.shards]
    merged = rank.merge(100, *parts)
    assert sorted(merged.ids) == sorted(set(range(24)) - set(tried.tolist()))
    assert np.all(np.diff(merged.scores) <= 0)
    assert np.array_equal(merged.scores, merged.means)
    # OC=O (17) shares most with CO, CCO and C=O; with three points, every mean lies between them
    assert merged.means.min() >= 12.0
    assert merged.means.max() <= 14.0
