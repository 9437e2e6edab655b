import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from molloop.library import duplicates
from molloop.library.duplicates import Seen, first_occurrences


@given(
    st.lists(st.lists(st.integers(0, 12) | st.integers(0, 2**64 - 1), max_size=30), max_size=5),
    st.sampled_from([1, 3, 10, 10**6]),
)
@settings(max_examples=200)
def test_the_first_of_each_stays_however_many_buckets_there_are(
    tmp_path_factory, parts, bucket_rows
):
    seen, expected = set(), []
    for value in [value for part in parts for value in part]:
        expected.append(value not in seen)
        seen.add(value)
    arrays = [np.array(part, dtype=np.uint64) for part in parts]
    folder = tmp_path_factory.mktemp("scratch")
    before = duplicates.BUCKET_ROWS
    duplicates.BUCKET_ROWS = bucket_rows
    try:
        found = first_occurrences(iter(arrays), len(expected), folder)
    finally:
        duplicates.BUCKET_ROWS = before
    assert found.tolist() == expected
    assert [path.name for path in folder.iterdir()] == ["is_first"]


def test_hashes_are_dealt_out_to_more_than_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr(duplicates, "BUCKET_ROWS", 100)
    opened = []
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, 1000, dtype=np.uint64)

    def parts():
        opened.extend(path.name for path in tmp_path.iterdir())
        yield np.concatenate([hashes, hashes[:10]])

    found = first_occurrences(parts(), 1010, tmp_path)
    assert len(opened) == 16
    assert np.flatnonzero(~found).tolist() == list(range(1000, 1010))


@given(st.lists(st.integers(0, 20) | st.integers(0, 2**64 - 1), max_size=40), st.integers(0, 40))
@settings(max_examples=200)
def test_what_was_not_added_was_never_seen(tmp_path_factory, values, n_added):
    path = tmp_path_factory.mktemp("seen") / "seen"
    before = duplicates.SEEN_SLOTS
    duplicates.SEEN_SLOTS = 8, 8
    try:
        seen = Seen.create(path, 100)
    finally:
        duplicates.SEEN_SLOTS = before
    added = values[:n_added]
    for value in added:
        seen.add(np.array([value], dtype=np.uint64))
        assert value in Seen(path)
    reader = Seen(path)
    assert [value for value in [*values, 0, 1] if value in reader and value not in added] == []


def test_nothing_was_seen_at_first(tmp_path, monkeypatch):
    monkeypatch.setattr(duplicates, "SEEN_SLOTS", (8, 8))
    seen = Seen.create(tmp_path / "seen", 100)
    assert [value for value in range(100) if value in seen] == []


@pytest.mark.parametrize(
    ("n_molecules", "n_bytes"), [(0, 2**15), (1000, 2**16), (130_744, 2**23), (10**9, 2**27)]
)
def test_what_was_seen_takes_the_room_that_it_needs(tmp_path, n_molecules, n_bytes):
    Seen.create(tmp_path / "seen", n_molecules)
    assert (tmp_path / "seen").stat().st_size == n_bytes
