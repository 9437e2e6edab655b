"""Features of users and of other packages: computed once, kept beside a library, and checked."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from molloop.campaign.warm_start import known_values
from molloop.errors import InputError, RunError
from molloop.library.beside import with_features
from molloop.library.ingest import build
from molloop.library.manifest import BuildSpec
from molloop.library.origin import Files
from molloop.library.own_features import computed
from molloop.library.reading.options import Reading
from molloop.library.registry import FEATURES, feature_kind, imported
from molloop.search.policy import policy_named

OWN = """\
from pathlib import Path

import numpy as np
from molloop import FeatureKind

CALLED = []


def atoms(molecules):
    CALLED.extend(molecules)
    symbols = [[atom.GetSymbol() for atom in one.GetAtoms()] for one in molecules]
    return [[one.count("C"), one.count("O")] for one in symbols]


def columns(molecules):
    return [[float(one.GetProp("mass")), len(one.GetProp("_Name"))] for one in molecules]


class Bits(FeatureKind):
    dtype = np.uint8

    def compute(self, molecules):
        rows = np.zeros((len(molecules), 8), dtype=np.uint8)
        rows[:, :2] = atoms(molecules)
        return rows


class FewBits(Bits):
    def compute(self, molecules):
        return super().compute(molecules)[:, :5]


class NoBits(Bits):
    def compute(self, molecules):
        return atoms(molecules)


class Wide(FeatureKind):
    dtype = np.float64

    def compute(self, molecules):
        return atoms(molecules)


class Unready(FeatureKind):
    pass


class Asking(Wide):
    dtype = np.float32

    def __init__(self, n):
        self.n = n


def raises(molecules):
    assert not any(one.GetNumAtoms() == 1 for one in molecules), "too small"
    return atoms(molecules)


def no_number(molecules):
    return [[np.nan if one.GetNumAtoms() == 1 else 1.0] for one in molecules]


def too_large(molecules):
    return [[1e39 if one.GetNumAtoms() == 1 else 1.0] for one in molecules]


def ragged(molecules):
    return [range(one.GetNumAtoms()) for one in molecules]


def words(molecules):
    return [["a", "b"] for _ in molecules]


def flat(molecules):
    return [1.0 for _ in molecules]


def none(molecules):
    return np.empty((len(molecules), 0))


def few(molecules):
    return atoms(molecules)[:2]


other = 3
"""
SMILES = "CCO ethanol\nC methane\nO=C=O\n"


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return the name of a user's own module with features in it."""
    name = f"features_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.fixture
def library(tmp_path):
    (tmp_path / "some.smi").write_text(SMILES)
    return build(Files.of([str(tmp_path / "some.smi")], "smiles"), tmp_path / "lib", BuildSpec())


def with_own(library, name, folder):
    return with_features(library, name, folder / "cache", 1, None)


def test_they_are_computed_once_and_standardised(module, library, tmp_path):
    name = f"{module}:atoms"
    found = with_own(library, name, tmp_path)
    # of carbon 2, 1, 1: mean 4/3, deviation sqrt(2)/3; of oxygen 1, 0, 2: mean 1, sqrt(2/3)
    expected = [[1.414214, 0.0], [-0.707107, -1.224745], [-0.707107, 1.224745]]
    assert found.features(name, [0, 1, 2]) == pytest.approx(np.array(expected), abs=1e-6)
    assert found.features(name, [2, 0]).dtype == np.float32
    assert found.features(name, []).shape == (0, 2)
    called = sys.modules[module].CALLED
    assert [one.GetNumAtoms() for one in called] == [3, 3, 1, 3]  # the first says how many numbers
    again = with_own(library, name, tmp_path)
    assert len(called) == 5
    assert np.array_equal(again.features(name, [0, 1, 2]), found.features(name, [0, 1, 2]))
    kept = list((library.folder / "features").rglob("*.npy"))
    assert sorted(one.name for one in kept) == ["00000.npy", "scaling.npy"]
    assert with_own(found, name, tmp_path) is found
    assert with_own(library, "descriptors", tmp_path) is library


def test_another_process_finds_them(module, library, tmp_path):
    name = f"{module}:atoms"
    found = with_own(library, name, tmp_path)
    elsewhere = pickle.loads(pickle.dumps(found))
    assert np.array_equal(elsewhere.features(name, [1]), found.features(name, [1]))
    assert elsewhere.features("descriptors", [1]).shape == (1, 89)


def test_what_a_library_says_of_a_molecule_can_be_read(module, tmp_path):
    (tmp_path / "some.csv").write_text("smiles,name,mass\nCCO,ethanol,46\nC,methane,16\nO,,18\n")
    source = Files.of([str(tmp_path / "some.csv")], Reading(keep_columns=("mass",)))
    name = f"{module}:columns"
    library = with_own(build(source, tmp_path / "lib", BuildSpec()), name, tmp_path)
    kept = np.load(library.kept_features[name].files[0])
    assert kept.tolist() == [[46, 7], [16, 7], [18, 0]]
    # values of the library's molecules need no column of their own; those of others say nothing
    known = known_values([("1", "OCC", 1.0), ("2", "C", 2.0)], "x", library)
    assert np.array_equal(known.features[name], library.features(name, [0, 1]))
    with pytest.raises(RunError, match=r"features_.*:columns of CCC cannot .* KeyError: 'mass'"):
        known_values([("1", "OCC", 1.0), ("2", "CCC", 2.0)], "x", library)


def test_of_molecules_outside_of_a_library(module, library, tmp_path):
    name = f"{module}:atoms"
    found = with_own(library, name, tmp_path)
    known = known_values([("1", "CO", 1.0), ("2", "C", 2.0)], "x", found)
    expected = [[-0.707107, 0.0], [-0.707107, -1.224745]]
    assert known.features[name] == pytest.approx(np.array(expected), abs=1e-6)


def test_bits_are_seen_as_they_are(module, library, tmp_path):
    name = f"{module}:Bits"
    found = with_own(library, name, tmp_path).features(name, [2, 0])
    assert found.dtype == np.uint8
    assert found.tolist() == [[1, 2, *[0] * 6], [2, 1, *[0] * 6]]


def test_a_file_that_was_edited_is_noticed(module, library, tmp_path):
    name = f"{module}:atoms"
    with_own(library, name, tmp_path)
    path = tmp_path / f"{module}.py"
    path.write_text(OWN.replace('one.count("O")', "7"))
    found = with_own(library, name, tmp_path)
    assert np.load(found.kept_features[name].files[0])[0].tolist() == [2, 1]  # as imported
    del sys.modules[module]
    imported.cache_clear()
    found = with_own(library, name, tmp_path)
    assert np.load(found.kept_features[name].files[0])[0].tolist() == [2, 7]


def test_a_damaged_file_is_told_and_computed_anew(module, library, tmp_path):
    name = f"{module}:atoms"
    found = with_own(library, name, tmp_path)
    expected = found.features(name, [0, 1, 2])
    path = Path(found.kept_features[name].files[0])
    path.write_bytes(path.read_bytes()[:-4])
    damaged = pickle.loads(pickle.dumps(found))
    with pytest.raises(RunError, match=r"is damaged.*computes it again"):
        damaged.features(name, [0])
    again = with_own(library, name, tmp_path)
    assert np.array_equal(again.features(name, [0, 1, 2]), expected)


@pytest.mark.parametrize(
    ("thing", "told"),
    [
        ("raises", r"of C \(methane\) cannot be used: AssertionError: too small"),
        ("no_number", r"of C \(methane\) .*one is nan"),
        ("too_large", r"of C \(methane\) .*one is 1e\+39.*single precision"),
        ("ragged", r"of C \(methane\) .*shape is \(1, 1\) instead of \(1, 3\)"),
        ("words", r"of CCO \(ethanol\) .*<U1 instead of numbers"),
        ("flat", r"of CCO \(ethanol\) .*shape is \(1,\) instead of \(1, width\)"),
        ("none", r"of CCO \(ethanol\) .*shape is \(1, 0\) instead of \(1, width\)"),
        ("few", r"of 3 molecules, the first of which is CCO \(ethanol\) .*\(2, 2\) .*\(3, 2\)"),
        ("NoBits", r"of CCO \(ethanol\) .*int64 instead of uint8"),
        ("FewBits", r"of CCO \(ethanol\) .*5 bytes instead of a multiple of 8"),
    ],
)
def test_what_is_wrong_names_the_molecule(module, library, tmp_path, thing, told):
    with pytest.raises(RunError, match=rf"The features {module}:{thing} {told}") as caught:
        with_own(library, f"{module}:{thing}", tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("thing", "told"),
    [
        ("missing", "AttributeError.*Is its folder on PYTHONPATH"),
        ("other", "a function, or a class that derives from molloop.library.features.FeatureKind"),
        ("Path", "a function, or a class that derives from molloop.library.features.FeatureKind"),
        ("Unready", "with the method compute"),
        ("Wide", r"dtype is numpy\.float32 or numpy\.uint8"),
        ("Asking", "without arguments.*TypeError"),
    ],
)
def test_what_is_no_kind_of_features_is_told(module, thing, told):
    with pytest.raises(InputError, match=rf"search\.features: .*{module}:{thing}.*{told}"):
        feature_kind(f"{module}:{thing}")


def test_a_name_that_is_none_lists_them():
    with pytest.raises(InputError, match=r"one of descriptors, fingerprints, or features of your"):
        feature_kind("colours")


def test_features_of_another_package(module, tmp_path, monkeypatch):
    folder = tmp_path / "their_package-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(f"[molloop.features]\ntheirs = {module}:atoms\n")
    monkeypatch.delitem(FEATURES.__dict__, "_others", raising=False)
    assert FEATURES.listed()["theirs"].summary == "of the package their-package"
    assert computed("theirs", [Chem.MolFromSmiles("CO")]).tolist() == [[1, 1]]
    assert policy_named("gp", "theirs").features == "theirs"
    FEATURES.__dict__.pop("_others")
    imported.cache_clear()


@pytest.mark.parametrize(
    ("policy", "thing", "learns"),
    [("gp", "atoms", True), ("gp", "Bits", False), ("published", "Bits", True)],
)
def test_a_model_learns_from_what_is_like_its_own(module, policy, thing, learns):
    name = f"{module}:{thing}"
    if learns:
        assert policy_named(policy, name).features == name
        return
    with pytest.raises(
        InputError, match=r"cannot learn from bits: choose another by search\.policy"
    ):
        policy_named(policy, name)


def test_chance_looks_at_no_features(module):
    assert policy_named("random", f"{module}:missing") == policy_named("random")
