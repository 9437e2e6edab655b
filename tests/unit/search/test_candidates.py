import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from molloop.search.candidates import best, best_by_bound


def candidates(scores, first_id=0):
    table = np.zeros(len(scores), dtype=[("id", np.int64), ("score", np.float64)])
    table["id"], table["score"] = np.arange(first_id, first_id + len(scores)), scores
    return table


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=40), st.integers(1, 12))
@settings(max_examples=200)
def test_bounds_save_work_and_change_nothing(rows, n):
    scores = np.array([score for score, _ in rows], dtype=float)
    bound = scores + np.array([slack for _, slack in rows], dtype=float)
    bound[::7] = -np.inf  # tried
    asked = []

    def exact(wanted):
        asked.extend(wanted.tolist())
        return candidates(scores)[wanted]

    found = best_by_bound(bound, n, exact)
    is_open = [k for k in range(len(scores)) if k % 7]
    expected = sorted(is_open, key=lambda k: (-scores[k], k))[:n]
    assert found["id"].tolist() == expected
    assert len(asked) == len(set(asked))
    assert best(found, n)["id"].tolist() == expected


def test_only_what_may_be_among_the_best_is_computed():
    scores = np.arange(1000.0)
    asked = []

    def exact(wanted):
        asked.extend(wanted.tolist())
        return candidates(scores)[wanted]

    assert best_by_bound(scores + 3.5, 10, exact)["id"].tolist() == list(range(999, 989, -1))
    assert len(asked) <= 20
