import io

import numpy as np
import pytest
from ase.db import connect
from ase.io import read
from hypothesis import example, given
from hypothesis import strategies as st
from rdkit import Chem

from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.library.reading.sdf import items_of, records_of
from molloop.molecule import Geometry, Molecule
from molloop.report.structures import (
    Structure,
    can_hold,
    save_format,
    structure_of,
    write_structures,
)
from molloop.simulate.outcome import Calculation, Success

PLACES = np.array([[0.0, 0.0, 0.1], [0.7, 0.0, -0.5], [-0.7, 0.0, -0.5]])
WATER = Success(
    {"ie": 18.25},
    {"molecule": Calculation(0, 0, "GFN2-xTB", -137.5, "molecule")},
    {"molecule": Geometry(np.array([8, 1, 1]), PLACES)},
    ("not_converged",),
)


def found_of(smiles, successes, name="", **kept):
    made_by = Settings().objective().quantity, Settings().protocol()
    return [
        structure_of(Molecule(0, text, name), one, *made_by, kept)
        for text, one in zip(smiles, successes, strict=True)
    ]


def test_xyz_reads_back_with_ase(tmp_path):
    path = tmp_path / "a.xyz"
    found = found_of(["O", "C"], [WATER, Success({"ie": 1.0})])
    assert [can_hold("extxyz", one) for one in found] == [True, False]
    write_structures(path, "extxyz", found[:1])
    (atoms,) = read(path, index=":")
    assert np.allclose(atoms.positions, PLACES, atol=1e-7)
    assert atoms.get_chemical_symbols() == ["O", "H", "H"]
    assert atoms.info["ie_ev"] == 18.25
    assert (atoms.info["smiles"], atoms.info["flags"]) == ("O", "not_converged")


def test_sdf_reads_back_with_rdkit(tmp_path):
    path = tmp_path / "a.sdf"
    write_structures(path, "sdf", found_of(["O"], [WATER]))
    (molecule,) = Chem.SDMolSupplier(str(path), removeHs=False)
    assert np.allclose(molecule.GetConformer().GetPositions(), PLACES, atol=1e-4)
    assert float(molecule.GetProp("ie_ev")) == 18.25
    assert (molecule.GetProp("level"), molecule.GetProp("fidelity")) == ("gfn2", "relaxed")


@pytest.mark.parametrize("numbers", [[1, 8, 1], [8, 1], [8, 1, 1, 1]])
def test_a_geometry_of_other_atoms_is_no_molecule_for_sdf(tmp_path, numbers):
    geometry = Geometry(np.array(numbers), np.zeros((len(numbers), 3)))
    other = Success({"ie": 1.0}, geometries={"molecule": geometry}, flags=())
    found = found_of(["O"], [other])
    with pytest.raises(InputError, match="order of the SMILES"):
        write_structures(tmp_path / "a.sdf", "sdf", found)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.pdb", "a", "none/a.xyz", "none/a.sdf"])
def test_what_cannot_be_written_is_named(tmp_path, name):
    with pytest.raises(InputError, match="--save"):
        save_format(tmp_path / name)


def test_a_database_reads_back_with_ase(tmp_path):
    path = tmp_path / "a.db"
    for _ in range(2):  # what was there before is replaced
        write_structures(path, "ase-db", found_of(["O"], [WATER]))
    with connect(path) as database:
        [row] = database.select("ie_ev>18")
    assert (row.smiles, row.level, row.flags) == ("O", "gfn2", "not_converged")
    assert (row.data["molecule_charge"], row.energy) == (0, -137.5)
    assert np.allclose(row.toatoms().positions, PLACES)
    assert [one.name for one in tmp_path.iterdir()] == ["a.db"]


FURTHER = {"charge": -1.0, "energy": 2.0, "C6": 3.0, "a b": 4.0, "Lattice": 5.0, "level": 6.0}
FURTHER |= {"molecule_energy_ev": -137.5}


def test_names_that_ase_has_another_use_for_are_others(tmp_path):
    success = Success({"ie": 1.0} | FURTHER, {}, WATER.geometries)
    found = found_of(["O"], [success])
    write_structures(tmp_path / "a.db", "ase-db", found)
    write_structures(tmp_path / "a.xyz", "extxyz", found)
    with connect(tmp_path / "a.db") as database:
        [row] = database.select("molecule_charge<0")
    [atoms] = read(tmp_path / "a.xyz", index=":")
    for pairs in (row.key_value_pairs, atoms.info):
        assert pairs["level"] == "gfn2"
        assert pairs["molecule_level"] == 6.0
        assert (pairs["molecule_charge"], pairs["molecule_energy"]) == (-1.0, 2.0)
        assert (pairs["molecule_C6"], pairs["a_b"], pairs["molecule_Lattice"]) == (3.0, 4.0, 5.0)
    assert row.data["charge"] == -1.0
    assert row.energy == atoms.get_potential_energy() == -137.5


@pytest.mark.parametrize("smiles", ["F", "F/C=C\\F", "[NH4+]", "C#N", "[C@@H](F)(Cl)Br", "N"])
def test_a_smiles_reads_back_as_it_was(tmp_path, smiles):
    found = found_of([smiles], [WATER])
    write_structures(tmp_path / "a.xyz", "extxyz", found)
    write_structures(tmp_path / "a.db", "ase-db", found)
    [atoms] = read(tmp_path / "a.xyz", index=":")
    with connect(tmp_path / "a.db") as database:
        [row] = database.select()
    assert atoms.info["smiles"] == row.smiles == row.data["smiles"] == smiles


@example("_JSON ")
@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_text_reads_back_from_xyz(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("xyz") / "a.xyz"
    write_structures(path, "extxyz", [Structure("O", WATER.geometry, {"flags": text})])
    [atoms] = read(path, index=":")
    assert atoms.info["flags"] == text


def test_a_text_that_looks_like_a_number_is_kept_by_the_database(tmp_path):
    path = tmp_path / "a.db"
    write_structures(path, "ase-db", [Structure("O", WATER.geometry, {"flags": "1", "a": 2.0})])
    with connect(path) as database:
        [row] = database.select("a=2")
    assert row.data == {"flags": "1", "a": 2.0}


@pytest.mark.parametrize("file_format", ["sdf", "extxyz", "ase-db"])
def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path, file_format):
    folder = tmp_path / "a"
    folder.mkdir()
    with pytest.raises(OSError, match="a"):
        write_structures(folder, file_format, found_of(["O"], [WATER]))
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_a_flag_ends_no_record(tmp_path):
    odd = Success({"ie": 1.0}, geometries={"molecule": WATER.geometry}, flags=("a\n$$$$\n\nb",))
    found = found_of(["O", "O"], [odd, WATER])
    write_structures(tmp_path / "a.sdf", "sdf", found)
    first, second = Chem.SDMolSupplier(str(tmp_path / "a.sdf"), removeHs=False)
    assert first.GetProp("flags").split("\n") == ["a", r"\x24$$$", r"\x0a", "b"]
    assert second.GetProp("flags") == "not_converged"


@pytest.mark.parametrize(
    ("name", "title"), [("", "O"), ("CHEBI:15377", "CHEBI:15377"), ("a\n$$$$", r"a\x0a$$$$")]
)
def test_a_molecule_is_called_by_its_name_everywhere(tmp_path, name, title):
    found = found_of(["O"], [WATER], name)
    for file_format in ("sdf", "extxyz", "ase-db"):
        write_structures(tmp_path / file_format, file_format, found)
    [molecule] = Chem.SDMolSupplier(str(tmp_path / "sdf"), removeHs=False)
    assert molecule.GetProp("_Name") == title
    assert molecule.HasProp("name") == bool(name)
    [atoms] = read(tmp_path / "extxyz", index=":", format="extxyz")
    assert atoms.info.get("name", "") == name
    with connect(tmp_path / "ase-db", type="db") as database:
        [row] = database.select()
    assert row.key_value_pairs.get("name", "") == row.data.get("name", "") == name


def test_a_name_that_is_a_number_is_no_key_of_ase_and_stays_in_its_data(tmp_path):
    found = found_of(["O"], [WATER], "007", C="12", vendor="Ac me", ie_ev="x")
    write_structures(tmp_path / "a.db", "ase-db", found)
    with connect(tmp_path / "a.db") as database:
        [row] = database.select("vendor=Ac me")
    assert "name" not in row.key_value_pairs
    kept = {"name": "007", "C": "12", "vendor": "Ac me", "molecule_ie_ev": "x", "ie_ev": 18.25}
    assert kept.items() <= row.data.items()
    assert "C" not in row.key_value_pairs  # a formula
    write_structures(tmp_path / "a.xyz", "extxyz", found)
    [atoms] = read(tmp_path / "a.xyz", index=":")
    assert (atoms.info["name"], atoms.info["molecule_C"]) == ("007", "12")


def test_a_molecule_without_a_geometry_is_drawn_in_an_sdf_and_says_so(tmp_path):
    found = found_of(["CCO", "O"], [Success({"ie": 1.0}), WATER], "ethanol", **{"a b": "x\n$$$$"})
    write_structures(tmp_path / "a.sdf", "sdf", found)
    drawn, relaxed = Chem.SDMolSupplier(str(tmp_path / "a.sdf"), removeHs=False)
    assert (drawn.GetConformer().Is3D(), relaxed.GetConformer().Is3D()) == (False, True)
    assert Chem.MolToSmiles(drawn) == "CCO"
    places = drawn.GetConformer().GetPositions()
    assert np.linalg.norm(places[0] - places[1]) > 1  # it is drawn
    assert (places[:, 2] == 0).all()
    assert drawn.GetProp("geometry") == "a drawing in 2D: nothing was relaxed"
    assert drawn.GetProp("a_b") == "x\n\\x24$$$"
    assert not relaxed.HasProp("geometry")


def test_lines_of_a_kept_cell_come_back_from_an_sdf(tmp_path):
    text = "two\n  lines\n\nand one"
    write_structures(tmp_path / "a.sdf", "sdf", found_of(["O"], [WATER], note=text))
    [(_, record)] = records_of(io.StringIO((tmp_path / "a.sdf").read_text()))
    assert items_of(record)["note"] == "two\n  lines\n\\x0a\nand one"
