import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdForceFieldHelpers

from molloop.errors import SimulationError
from molloop.simulate import embedding
from molloop.simulate.connectivity import changed_bonds, contacts, wrong_bonds
from molloop.simulate.embedding import STRATEGIES, embed
from molloop.simulate.force_field import hessian
from molloop.simulate.structure import molecule_with_hydrogens, start_structure


def structure(smiles):
    return start_structure(smiles, elements=range(1, 87), max_atoms=200)


def test_the_chain_begins_as_the_published_one():
    molecule = molecule_with_hydrogens("CCO")
    assert embed(molecule) == "etkdg"
    reference = molecule_with_hydrogens("CCO")
    Chem.rdDistGeom.EmbedMolecule(reference, randomSeed=1)
    rdForceFieldHelpers.MMFFOptimizeMolecule(reference)
    places = [one.GetConformer().GetPositions() for one in (molecule, reference)]
    assert np.allclose(*places, atol=1e-6)


# strained cages of QM9
@pytest.mark.parametrize("smiles", ["C1C2CC3C=CC2C13", "CC1CC23NC4C2OC134", "N=C1OC23CCC12CC3"])
def test_what_does_not_embed_at_first_is_rescued(smiles):
    found = structure(smiles)
    assert embed(molecule_with_hydrogens(smiles)) != "etkdg"
    again = structure(smiles)
    assert np.array_equal(found.geometry.positions_angstrom, again.geometry.positions_angstrom)


@pytest.mark.parametrize(
    "smiles", ["C[C@H](F)Cl", "C[C@@H](F)Cl", "F/C=C/F", "F/C=C\\F", "C[C@H]1CC[C@@H](C)CC1"]
)
def test_the_last_resort_keeps_stereochemistry(smiles):
    molecule = molecule_with_hydrogens(smiles)
    assert STRATEGIES["from drawing"](molecule, 1)
    Chem.AssignStereochemistryFrom3D(molecule)
    assert Chem.CanonSmiles(smiles) == Chem.CanonSmiles(Chem.MolToSmiles(Chem.RemoveHs(molecule)))
    positions = molecule.GetConformer().GetPositions()
    for bond in molecule.GetBonds():
        ends = positions[bond.GetBeginAtomIdx()] - positions[bond.GetEndAtomIdx()]
        assert 0.9 < np.linalg.norm(ends) < 1.9


@pytest.mark.parametrize(
    ("wanted", "other"),
    [
        ("C[C@H](F)Cl", "C[C@@H](F)Cl"),
        ("F/C=C/F", "F/C=C\\F"),
        ("C[C@H]1CC[C@@H](C)CC1", "C[C@H]1CC[C@H](C)CC1"),
        ("F[C@H]1C[C@H](F)C1", "F[C@H]1C[C@@H](F)C1"),
    ],
)
def test_wrong_stereochemistry_is_refused(wanted, other):
    molecule, embedded = molecule_with_hydrogens(wanted), molecule_with_hydrogens(other)
    for one in (molecule, embedded):
        Chem.rdDistGeom.EmbedMolecule(one, randomSeed=1)
    assert embedding._has_stereo(molecule)
    molecule.RemoveAllConformers()
    molecule.AddConformer(embedded.GetConformer())
    assert not embedding._has_stereo(molecule)


def test_what_none_embeds_is_a_failure_of_its_own(monkeypatch):
    monkeypatch.setattr(embedding, "STRATEGIES", {"none": lambda *_: False})
    with pytest.raises(SimulationError, match="embedding: no 3D structure was found for 'CC'"):
        structure("CC")


def test_the_hessian_is_that_of_a_minimum():
    matrix = hessian(structure("CO").molecule)
    assert np.array_equal(matrix, matrix.T)
    frequencies = np.linalg.eigvalsh(matrix)
    # six motions of the whole molecule cost nothing; MMFF94's O-H stretch has 7.88 mdyn/Å, and
    # 1 mdyn/Å is 6.24 eV/Å²: the stiffest mode moves both ends, at a little under twice that
    assert np.abs(frequencies[:6]).max() < 0.1
    assert frequencies[6] > 0.05
    assert 7.88 * 6.24 < frequencies[-1] < 2.3 * 7.88 * 6.24


def test_uff_stands_in_where_mmff_lacks_parameters():
    assert hessian(structure("CB(C)C").molecule).shape == (39, 39)
    assert hessian(structure("[He]").molecule) is None


# distances across small cages are shorter than some rules allow
@pytest.mark.parametrize("smiles", ["C1C2CC1C2", "C12C3C4C1C5C2C3C45", "C1CC2C1C2", "CCO"])
def test_a_molecule_that_only_breathes_keeps_its_bonds(smiles):
    molecule = structure(smiles).molecule
    places = molecule.GetConformer().GetPositions()
    for scale in (0.95, 1.0, 1.06):
        assert changed_bonds(molecule, places * scale) == ([], [])


def test_a_proton_that_moves_breaks_one_bond_and_forms_another():
    molecule = structure("OCCN").molecule
    places = molecule.GetConformer().GetPositions()
    numbers = [atom.GetSymbol() for atom in molecule.GetAtoms()]
    (hydrogen,) = [
        atom.GetIdx()
        for atom in molecule.GetAtomWithIdx(0).GetNeighbors()
        if atom.GetSymbol() == "H"
    ]
    nitrogen = numbers.index("N")
    direction = (
        places[nitrogen] - places[molecule.GetAtomWithIdx(nitrogen).GetNeighbors()[0].GetIdx()]
    )
    places[hydrogen] = places[nitrogen] + 1.02 * direction / np.linalg.norm(direction)
    broken, formed = changed_bonds(molecule, places)
    assert broken == [(0, hydrogen)]
    assert (nitrogen, hydrogen) in formed


def test_a_bond_that_opens_is_seen():
    molecule = structure("CC").molecule
    places = molecule.GetConformer().GetPositions()
    carbons = places[:2].copy()
    shift = (carbons[1] - carbons[0]) * 0.6
    for atom in molecule.GetAtoms():
        if atom.GetIdx() == 1 or 1 in [
            other.GetIdx() for other in atom.GetNeighbors() if atom.GetSymbol() == "H"
        ]:
            places[atom.GetIdx()] += shift
    assert changed_bonds(molecule, places) == ([(0, 1)], [])


def test_two_hydrogens_that_meet_have_formed_a_bond():
    molecule = structure("CC").molecule
    places = molecule.GetConformer().GetPositions()
    places[2] = places[3] + [0.0, 0.0, 0.75]
    assert (2, 3) in changed_bonds(molecule, places)[1]


@pytest.mark.parametrize("smiles", ["C\nC", "\0C\0", "CO\x85", "Cπ", "", "C("])
def test_text_of_which_rdkit_reads_a_part_only_is_no_molecule(smiles):
    with pytest.raises(SimulationError, match="invalid_smiles"):
        molecule_with_hydrogens(smiles)


def test_a_smiles_has_a_length_at_which_rdkit_is_not_asked():
    assert molecule_with_hydrogens("C" * 2000).GetNumAtoms() == 2000 + 4002
    with pytest.raises(SimulationError) as caught:
        molecule_with_hydrogens("C" * 2001)
    told = "invalid_smiles: 2,001 characters, expected at most 2,000"
    assert str(caught.value) == told


@pytest.mark.parametrize("smiles", ["C1C2CC1C2", "C12C3C4C1C5C2C3C45", "C1[SiH2]O[SiH2]O1", "OO"])
def test_no_atoms_of_a_molecule_are_taken_for_too_near(smiles):
    found = structure(smiles).molecule
    assert (wrong_bonds(found), contacts(found)) == ([], [])


@pytest.mark.parametrize(
    ("smiles", "angstrom", "is_wrong", "is_too_near"),
    [
        ("C.C", 1.5, False, True),  # as near as a bond of carbons
        ("C.C", 1.7, False, False),
        ("C.C", 0.0, False, True),
        ("CC", 1.5, False, False),
        ("CC", 2.2, False, False),
        ("CC", 2.4, True, False),
        ("CC", 0.7, True, False),
    ],
)
def test_distances_tell_bonds_that_are_none(smiles, angstrom, is_wrong, is_too_near):
    molecule = Chem.MolFromSmiles(smiles)
    conformer = Chem.Conformer(2)
    conformer.SetPositions(np.array([[0, 0, 0], [angstrom, 0, 0]]))
    molecule.AddConformer(conformer)
    assert wrong_bonds(molecule) == [(0, 1)] * is_wrong
    assert contacts(molecule) == [(0, 1)] * is_too_near
