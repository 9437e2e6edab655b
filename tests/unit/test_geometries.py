"""SMILES and geometry in one order; the expected order is worked out by hand or by RDKit's 3D."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from molloop.geometries import smiles_and_geometry


def embedded(smiles):
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(molecule, randomSeed=7) == 0
    return molecule


def shuffled(molecule, seed):
    order = np.random.default_rng(seed).permutation(molecule.GetNumAtoms())
    return Chem.RenumberAtoms(molecule, order.tolist())


def test_atoms_are_in_the_order_of_the_smiles_hydrogens_behind():
    # hydroxyl, methyl and so on in no order; the places count the atoms
    molecule = Chem.RWMol(Chem.MolFromSmiles("[H]O[H]", sanitize=False))
    conformer = Chem.Conformer(3)
    conformer.SetPositions(np.array([[1.0, 0, 0], [2.0, 0, 0], [3.0, 0, 0]]))
    molecule.AddConformer(conformer)
    Chem.SanitizeMol(molecule)
    smiles, geometry = smiles_and_geometry(molecule)
    assert smiles == "O"
    assert geometry.numbers.tolist() == [8, 1, 1]
    assert geometry.positions_angstrom[:, 0].tolist() == [2.0, 1.0, 3.0]


@pytest.mark.parametrize(
    "smiles",
    [
        "CC(=O)Nc1ccc(O)cc1",
        "C[C@H](O)[C@@H](O)C",  # meso: its halves may not be taken for each other
        "C[C@H](F)[C@H](F)C",
        "F/C=C\\CC/C=C/F",
        "[2H]C([2H])C",
        "C[NH2+]CC(=O)[O-]",
        "[CH2]CO",
        "[H][H]",
        "[H-]",
        "C1C2CC1C2",
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_geometry_is_one_of_the_smiles_however_the_atoms_were_numbered(smiles, seed):
    given = shuffled(embedded(smiles), seed)
    written, geometry = smiles_and_geometry(given)
    assert written == Chem.CanonSmiles(smiles)
    read = Chem.AddHs(Chem.MolFromSmiles(written))
    assert geometry.numbers.tolist() == [atom.GetAtomicNum() for atom in read.GetAtoms()]
    places = given.GetConformer().GetPositions()
    assert sorted(geometry.positions_angstrom.tolist()) == sorted(places.tolist())
    conformer = Chem.Conformer(read.GetNumAtoms())
    conformer.SetPositions(geometry.positions_angstrom)
    read.AddConformer(conformer)
    for bond in read.GetBonds():
        ends = geometry.positions_angstrom[[bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()]]
        assert np.linalg.norm(ends[0] - ends[1]) < 1.7
    Chem.AssignStereochemistryFrom3D(read)
    assert Chem.MolToSmiles(Chem.RemoveHs(read)) == written


def test_what_has_no_places_for_all_atoms_has_no_geometry():
    assert smiles_and_geometry(Chem.MolFromSmiles("CCO")) == ("CCO", None)
    without_hydrogens = Chem.RemoveHs(embedded("CCO"))
    assert smiles_and_geometry(without_hydrogens) == ("CCO", None)
    flat = embedded("CCO")
    flat.GetConformer().Set3D(False)
    assert smiles_and_geometry(flat) == ("CCO", None)
    carbons = embedded("CC")
    one_less = Chem.RWMol(carbons)
    one_less.RemoveAtom(7)
    one_less.GetAtomWithIdx(1).SetNoImplicit(False)
    Chem.SanitizeMol(one_less)
    assert smiles_and_geometry(one_less)[1] is None


def test_what_was_given_stays_as_it_was():
    molecule = embedded("CO")
    before = molecule.ToBinary(Chem.PropertyPickleOptions.AllProps)
    smiles_and_geometry(molecule)
    assert molecule.ToBinary(Chem.PropertyPickleOptions.AllProps) == before
