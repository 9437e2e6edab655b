import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from molloop.search import candidates as module
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


@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 4), st.integers(1, 9))
def test_the_best_of_each_draw_are_found_by_any_bounds(seed, n, n_draws, chunk):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, (n_draws, 40)).astype(float)  # many tie
    bounds = scores + rng.exponential(1.0, scores.shape) * rng.integers(0, 2, scores.shape)
    is_open = rng.random(40) < 0.8
    ids = np.arange(40)

    def exact(rows):
        return module.table_of(id=ids[rows], all=scores[:, rows].T)

    before, module.CHUNK = module.CHUNK, chunk
    try:
        found = module.best_of_draws(
            is_open,
            n_draws,
            n,
            lambda draw: bounds[draw],
            lambda _draw: rng.random(40),
            lambda draw, some: some["all"][:, draw],
            exact,
        )
    finally:
        module.CHUNK = before
    wanted = set()
    for draw in range(n_draws):
        rows = [row for row in np.lexsort((ids, -scores[draw])) if is_open[row]]
        wanted |= set(rows[:n])
    assert sorted(found["id"].tolist()) == sorted(wanted)
