"""Damaged files: each is read, or told in one line, with no other exception."""

from damaged_files import SUFFIXES, damaged, read_all, whole_files
from hypothesis import given, settings
from hypothesis import strategies as st

FILES = whole_files()
PLACE = st.tuples(st.integers(0, 4), st.integers(0, 4000), st.integers(1, 80), st.integers(0, 60))


def test_whole_files_are_read(tmp_path):
    for number, text in enumerate(FILES):
        path = tmp_path / f"whole-{number}"
        path.write_text(text)
        assert not [one for one in read_all(path) if "library" in one]


# 10,000 of them: `python benchmarks/formats.py --damaged 10000`
@settings(max_examples=300)
@given(
    st.integers(0, len(FILES) - 1),
    st.lists(PLACE, min_size=1, max_size=5),
    st.sampled_from(SUFFIXES),
)
def test_damage_is_told_in_one_line(tmp_path_factory, number, places, suffix):
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    text = damaged(FILES[number], places)
    path.write_text(text, "utf-8", "surrogateescape", newline="")
    for one in read_all(path):
        assert path.name in one
        assert one.isprintable()
        assert len(one) < 2000
