"""Which molecules of a library meet conditions: counted, computed once, kept."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from molloop.errors import InputError, RunError
from molloop.library import assemble, computed
from molloop.library.bits import Bits, open_bits, write_bits
from molloop.library.conditions import Conditions, each_of
from molloop.library.ingest import build
from molloop.library.manifest import BuildSpec
from molloop.library.origin import Files
from molloop.library.selection import Selection, bits_of, charges, select, shards_of
from molloop.library.shard import Shard

LINES = ["C", "CC", "CCC", "O", "CO", "CCO", "C[NH3+]", "c1ccccc1", "Oc1ccccc1", "CC(=O)[O-]"]


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Ten molecules in shards of three: no shard but the first begins at a whole byte."""
    monkeypatch.setattr(assemble, "MIN_SHARD_SIZE", 3)
    monkeypatch.setattr(computed, "ROWS", 2)
    (tmp_path / "a.smi").write_text("\n".join(LINES) + "\n")
    return build(Files.of([str(tmp_path / "a.smi")], "smiles"), tmp_path / "library", BuildSpec())


def chosen(library, conditions, cache=Path("/nowhere")):
    found = select(library, each_of(conditions), cache)
    return [LINES[row] for row in np.flatnonzero(found.mask())], found


def of_shards(library, selection):
    return np.concatenate([Shard(ref).meant for ref in shards_of(library, selection)]).tolist()


def never(*_arguments):
    raise AssertionError("it was computed another time")


def test_each_condition_says_what_it_leaves_out(library):
    conditions = Conditions(2, charge=(0,), required_smarts=("[OX2H]",), max_rings=0)
    names, found = chosen(library, conditions)
    assert names == ["CO", "CCO"]
    assert found.left_out == (
        ("min_heavy_atoms = 2", 2),
        ("charge = 0", 2),
        ("max_rings = 0", 2),
        ("required_smarts = [OX2H]", 2),
    )
    assert (found.n_molecules, found.n_left) == (10, 2)
    assert found.words == (
        "2 of 10 molecules meet the conditions (left out by min_heavy_atoms = 2: 2; charge = 0: 2; "
        "max_rings = 0: 2; required_smarts = [OX2H]: 2)"
    )
    assert of_shards(library, found) == found.mask().tolist()
    assert [one.n for one in (bits_of(found),)] == [10]
    assert charges(library, found) == {0: 2}
    assert charges(library, Selection.of_all(library)) == {-1: 1, 0: 8, 1: 1}


def test_without_conditions_or_where_all_meet_them_nothing_is_masked(library):
    for conditions in (Conditions(), Conditions(max_heavy_atoms=9, excluded_smarts=("F",))):
        names, found = chosen(library, conditions)
        assert names == LINES
        assert found.path == ""
        assert bits_of(found) is None
        assert shards_of(library, found) == library.shards
    assert chosen(library, Conditions(max_heavy_atoms=9))[0] == LINES
    assert not list(library.folder.glob("conditions/*.arrow"))


@pytest.mark.parametrize(
    ("conditions", "culprit", "n_before"),
    [
        (Conditions(2, 5, charge=(3,), min_rings=1), "charge = 3", 6),
        (Conditions(max_heavy_atoms=4, min_rings=1), "min_rings = 1", 8),
        # each alone leaves some; the structures are not looked at where the columns leave none
        (Conditions(max_heavy_atoms=2, min_rings=1, excluded_smarts=("C",)), "min_rings = 1", 5),
        (Conditions(max_heavy_atoms=1, excluded_smarts=("C", "O")), "excluded_smarts = O", 1),
    ],
)
def test_the_condition_that_leaves_none_is_named(
    library, monkeypatch, conditions, culprit, n_before
):
    if "smarts" not in culprit:
        monkeypatch.setattr(computed, "compute_rows", never)
    with pytest.raises(InputError) as raised:
        chosen(library, conditions)
    assert raised.value.value == culprit
    assert f"None of the {n_before} that meet those before it does" in raised.value.remedy


def test_what_was_computed_serves_other_conditions(library, monkeypatch):
    two = Conditions(max_synthetic_accessibility=5.0, excluded_smarts=("c",))
    assert chosen(library, two)[0] != LINES
    monkeypatch.setattr(computed, "compute_rows", never)
    # another bound, the other sense of a pattern, another order, conditions on columns beside them
    assert chosen(library, Conditions(required_smarts=("c",)))[0] == ["c1ccccc1", "Oc1ccccc1"]
    easy, hard = (
        set(chosen(library, one)[0])
        for one in (
            Conditions(max_synthetic_accessibility=2.0),
            Conditions(min_synthetic_accessibility=2.0),
        )
    )
    assert easy | hard == set(LINES)
    assert not easy & hard
    assert "Oc1ccccc1" in easy  # phenol is easily made
    assert chosen(library, Conditions(charge=(0,), required_smarts=("c",)))[1].n_left == 2


def test_what_is_damaged_is_computed_anew(library):
    conditions = Conditions(excluded_smarts=("c",))
    names, found = chosen(library, conditions)
    folder = Path(found.path).parent
    for path in [*folder.glob("*/00001.npy"), Path(found.path)]:
        path.write_bytes(path.read_bytes()[:-70])
        assert chosen(library, conditions)[0] == names
    for path in folder.glob("*/00002.npy"):
        np.save(path, np.zeros(7, dtype=np.float64))
    Path(found.path).unlink()
    assert chosen(library, conditions)[0] == names


def test_what_ended_early_goes_on_where_it_stopped(library, monkeypatch):
    conditions = Conditions(excluded_smarts=("c",))
    rows = computed.compute_rows
    calls = []

    def fails(ref, start, some):
        calls.append(ref.first_id + start)
        if ref.first_id == 6 and len(calls) < 6:
            raise OSError("no space left")
        return rows(ref, start, some)

    monkeypatch.setattr(computed, "compute_rows", fails)
    with pytest.raises(RunError, match="no space left"):
        chosen(library, conditions)
    assert calls == [0, 2, 3, 5, 6]
    calls += [None]
    assert len(chosen(library, conditions)[0]) == 8
    assert calls[6:] == [6, 8, 9]


def test_where_its_folder_takes_nothing_the_cache_does(library, tmp_path):
    (library.folder / "conditions").write_text("no folder")
    _, found = chosen(library, Conditions(excluded_smarts=("c",)), tmp_path / "cache")
    assert Path(found.path).is_relative_to(tmp_path / "cache")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="XDG_CACHE_HOME"):
        chosen(library, Conditions(excluded_smarts=("O",)), tmp_path / "file")


def test_bits_of_any_number(tmp_path):
    rng = np.random.default_rng(3)
    rows = rng.random(1001) < 0.5
    cuts = [0, 1, 8, 9, 500, 1001]
    parts = [Bits.of(rows[a:b]) for a, b in pairwise(cuts)]
    write_bits(tmp_path / "bits.arrow", parts, {"n": 3})
    bits, facts = open_bits(tmp_path / "bits.arrow")
    assert facts == {"n": 3}
    for start in range(20):
        for n in (0, 1, 7, 8, 981):
            np.testing.assert_array_equal(bits.rows(start, n), rows[start : start + n])
    ids = rng.permutation(1001)
    np.testing.assert_array_equal(bits.at(ids), rows[ids])
