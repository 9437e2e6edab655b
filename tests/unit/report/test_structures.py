import numpy as np
import pytest
from ase.io import read
from rdkit import Chem

from molloop.errors import InputError
from molloop.report.structures import write_structures
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
    write_structures(path, ["O", "C"], [WATER, Success(1.0)], Settings().target())
    (atoms,) = read(path, index=":")
    assert np.allclose(atoms.positions, PLACES, atol=1e-7)
    assert atoms.get_chemical_symbols() == ["O", "H", "H"]
    assert atoms.info["ie_ev"] == 18.25
    assert (atoms.info["smiles"], atoms.info["flags"]) == ("O", "not_converged")


def test_sdf_reads_back_with_rdkit(tmp_path):
    path = tmp_path / "a.sdf"
    write_structures(path, ["O"], [WATER], Settings().target())
    (molecule,) = Chem.SDMolSupplier(str(path), removeHs=False)
    assert np.allclose(molecule.GetConformer().GetPositions(), PLACES, atol=1e-4)
    assert float(molecule.GetProp("ie_ev")) == 18.25
    assert (molecule.GetProp("level"), molecule.GetProp("fidelity")) == ("gfn2", "relaxed")


@pytest.mark.parametrize("name", ["a.pdb", "a", "none/a.xyz", "none/a.sdf"])
def test_what_cannot_be_written_is_named(tmp_path, name):
    with pytest.raises(InputError, match="--save"):
        write_structures(tmp_path / name, ["O"], [WATER], Settings().target())
