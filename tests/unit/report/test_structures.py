import numpy as np
import pytest
from ase.db import connect
from ase.io import read
from rdkit import Chem

from molloop.errors import InputError
from molloop.report.structures import save_format, structures_of, write_structures
from molloop.settings import Settings
from molloop.simulate.outcome import Geometry, Success

PLACES = np.array([[0.0, 0.0, 0.1], [0.7, 0.0, -0.5], [-0.7, 0.0, -0.5]])
WATER = Success(
    18.25,
    "gfn2",
    "relaxed",
    {"charge": 0},
    ("not_converged",),
    Geometry(np.array([8, 1, 1]), PLACES),
)


def test_xyz_reads_back_with_ase(tmp_path):
    path = tmp_path / "a.xyz"
    found = structures_of(["O", "C"], [WATER, Success(1.0)], Settings().target())
    write_structures(path, "extxyz", found)
    (atoms,) = read(path, index=":")
    assert np.allclose(atoms.positions, PLACES, atol=1e-7)
    assert atoms.get_chemical_symbols() == ["O", "H", "H"]
    assert atoms.info["ie_ev"] == 18.25
    assert (atoms.info["smiles"], atoms.info["flags"]) == ("O", "not_converged")


def test_sdf_reads_back_with_rdkit(tmp_path):
    path = tmp_path / "a.sdf"
    write_structures(path, "sdf", structures_of(["O"], [WATER], Settings().target()))
    (molecule,) = Chem.SDMolSupplier(str(path), removeHs=False)
    assert np.allclose(molecule.GetConformer().GetPositions(), PLACES, atol=1e-4)
    assert float(molecule.GetProp("ie_ev")) == 18.25
    assert (molecule.GetProp("level"), molecule.GetProp("fidelity")) == ("gfn2", "relaxed")


@pytest.mark.parametrize("numbers", [[1, 8, 1], [8, 1], [8, 1, 1, 1]])
def test_a_geometry_of_other_atoms_is_no_molecule_for_sdf(tmp_path, numbers):
    geometry = Geometry(np.array(numbers), np.zeros((len(numbers), 3)))
    other = Success(1.0, "gfn2", "relaxed", {}, (), geometry)
    found = structures_of(["O"], [other], Settings().target())
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
        write_structures(path, "ase-db", structures_of(["O"], [WATER], Settings().target()))
    with connect(path) as database:
        [row] = database.select("ie_ev>18")
    assert (row.smiles, row.level, row.flags, row.charge) == ("O", "gfn2", "not_converged", 0)
    assert np.allclose(row.toatoms().positions, PLACES)
    assert [one.name for one in tmp_path.iterdir()] == ["a.db"]


@pytest.mark.parametrize("file_format", ["sdf", "extxyz", "ase-db"])
def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path, file_format):
    folder = tmp_path / "a"
    folder.mkdir()
    with pytest.raises(OSError, match="a"):
        write_structures(folder, file_format, structures_of(["O"], [WATER], Settings().target()))
    assert [one.name for one in tmp_path.iterdir()] == ["a"]
