"""Descriptors of molloop's own: bonds, rings, partial charges, Hückel levels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors, rdPartialCharges

from molloop.library import charges
from molloop.library.charges import partial_charges
from molloop.library.counted import BONDS, CARBONYLS
from molloop.library.descriptors import (
    DESCRIPTORS,
    MAX_GRAPH_ATOMS,
    MOLLOOPS,
    RDKITS,
    descriptors,
)
from molloop.library.graphs import Graphs
from molloop.library.huckel import huckel_levels, orbitals

MIXED = [
    *("CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "C12C3C4C1C5C2C3C45", "FC(F)(F)C#N"),
    *("[NH3+]CC(=O)[O-]", "C[n+]1ccccc1", "CN=[N+]=[N-]", "[C-]#[O+]", "c1cc[nH]c1", "C[CH2]"),
    *("C=C=C", "O=S(=O)(c1ccccc1)N1CCOCC1", "BrC(Cl)I", "C[Si](C)(C)OP(=O)(O)O", "O", "C", "N#N"),
    *("[Na+].[Cl-]", "c1ccc2ccccc2c1", "OB(O)c1ccccc1", "C1CC2CCC1C2", "[Se]=C=[Se]"),
]


def of(smiles):
    row = descriptors([Chem.MolFromSmiles(smiles)])[0]
    return dict(zip(DESCRIPTORS, row.tolist(), strict=True))


def own(molecules):
    return descriptors(molecules)[:, len(RDKITS) :]


def test_descriptors_are_rdkits_and_molloops():
    assert (*RDKITS, *MOLLOOPS) == DESCRIPTORS
    assert (len(RDKITS), len(MOLLOOPS)) == (36, 53)


@pytest.mark.parametrize(
    ("smiles", "counts"),
    [
        ("CC=CC#CO", {"C-H": 5, "O-H": 1, "C-C": 2, "C=C": 1, "C#C": 1, "C-O": 1}),
        ("O=CNc1ccccc1", {"C-H": 6, "N-H": 1, "C=O": 1, "C-N": 2, "C:C": 6}),
        ("c1ncon1", {"C-H": 2, "C:N": 3, "N:O": 1, "C:O": 1}),
        ("FC(Cl)(Br)C#N", {"C-F": 1, "C-Cl/Br/I": 2, "C-C": 1, "C#N": 1}),
        ("CS(=O)(=O)NN=O", {"C-H": 3, "C-S": 1, "S=O": 2, "N-S": 1, "N-N": 1, "N=O": 1, "N-H": 1}),
        ("C[SiH3]", {"C-H": 3, "other": 4}),
        ("C[NH2]->[Pt]", {"C-H": 3, "N-H": 2, "C-N": 1, "other": 1}),
        ("[H][H]", {}),
    ],
)
def test_bonds_by_hand(smiles, counts):
    found = of(smiles)
    shown = {name.removeprefix("NumBonds "): found[name] for name in BONDS if found[name]}
    assert shown == counts


@pytest.mark.parametrize(
    ("smiles", "counts"),
    [
        ("CC(C)=O", {"KetonesAndAldehydes": 1}),
        ("O=CC=O", {"KetonesAndAldehydes": 2}),
        ("OC(=O)CC(=O)OC", {"EstersAndAcids": 2}),
        ("[O-]C(=O)C[NH3+]", {"EstersAndAcids": 1}),
        ("CNC(C)=O", {"Amides": 1}),
        ("O=C1OCCO1", {"Carbonates": 1}),
        ("COC(=O)NC(N)=O", {"Carbamates": 1, "Ureas": 1}),
        ("CC(=O)OC(=O)C(=O)CC(=O)N", {"EstersAndAcids": 2, "KetonesAndAldehydes": 1, "Amides": 1}),
        # of two oxygens, of sulfur or fluorine beside it, of an aromatic ring, of C=N
        *(("O=C=O", {}), ("CC(=O)S", {}), ("CC(F)=O", {}), ("O=c1cc[nH]cc1", {}), ("CC=NC", {})),
        ("[C-]#[O+]", {}),
    ],
)
def test_carbonyls_by_hand(smiles, counts):
    found = of(smiles)
    assert {name[3:]: found[name] for name in CARBONYLS if found[name]} == counts


@pytest.mark.parametrize(
    ("smiles", "sizes"),
    [
        *(("CCC", {}), ("C1CC1C1CCC1", {"3": 1, "4": 1}), ("c1ccc2[nH]ccc2c1", {"5": 1, "6": 1})),
        *(("C1CCCCCC1.C1CCCCCCC1", {"7OrMore": 2}), ("C12C3C4C1C5C2C3C45", {"4": 6})),
    ],
)
def test_rings_by_hand(smiles, sizes):
    found = of(smiles)
    names = [name for name in DESCRIPTORS if name.startswith("NumRingsOf")]
    assert {name.removeprefix("NumRingsOf"): found[name] for name in names if found[name]} == sizes


@pytest.mark.parametrize(
    "smiles",
    [
        "C",
        "CO",
        "C=O",
        "CC#N",
        "FC(F)(F)C=C",
        "CC(C)=O",
        "C1CN1",
        "ClCC#C",
        "CCBr",
        "NCC=O",
        "c1ccccc1",
    ],
)
def test_partial_charges_are_those_of_rdkits_gasteiger(smiles):
    molecule = Chem.MolFromSmiles(smiles)
    rdPartialCharges.ComputeGasteigerCharges(molecule, nIter=charges.N_ROUNDS)
    atoms = molecule.GetAtoms()
    found = partial_charges(Graphs([molecule]))
    expected = [atom.GetDoubleProp("_GasteigerCharge") for atom in atoms]
    assert found.of_atoms == pytest.approx(expected, abs=1e-6)
    of_hydrogens = [atom.GetDoubleProp("_GasteigerHCharge") for atom in atoms]
    n_hydrogens = np.array([atom.GetTotalNumHs() for atom in atoms])
    assert n_hydrogens * found.of_hydrogens == pytest.approx(of_hydrogens, abs=1e-6)


def test_partial_charges_sum_to_the_molecules_charge():
    for smiles in MIXED:
        molecule = Chem.MolFromSmiles(smiles)
        found = partial_charges(Graphs([molecule]))
        n_hydrogens = np.array([atom.GetTotalNumHs() for atom in molecule.GetAtoms()])
        total = found.of_atoms.sum() + n_hydrogens @ found.of_hydrogens
        assert total == pytest.approx(Chem.GetFormalCharge(molecule), abs=1e-12)


@pytest.mark.parametrize(
    ("smiles", "charge", "separation"),
    [
        *(("CCO", 0, 0), ("[NH4+]", 1, 0), ("[NH3+]CC(=O)[O-]", 2, 3), ("CN=[N+]=[N-]", 2, 1)),
        # of different fragments: as far apart as there are atoms
        *(("[Na+].[Cl-]", 2, 2), ("[NH3+]CC[NH3+]", 2, -3)),
    ],
)
def test_formal_charges_by_hand(smiles, charge, separation):
    found = of(smiles)
    assert found["SumAbsoluteFormalCharge"] == charge
    assert found["FormalChargeSeparation"] == separation


@pytest.mark.parametrize(
    ("smiles", "homo", "next_homo", "lumo", "energy"),
    [
        ("C=C", 1, 4, -1, 2),
        ("C=CC=C", 0.618, 1.618, -0.618, 4.472),
        ("c1ccccc1", 1, 1, -1, 8),
        # x (x - 0.97) = 1.06^2
        ("C=O", 1.6507, 4, -0.6807, 3.3013),
        # an allyl cation, radical and anion: levels 1.414, 0, -1.414
        *(("C=C[CH2+]", 1.4142, 4, 0, 2.8284), ("C=C[CH2]", 0, 1.4142, -1.4142, 2.8284)),
        ("C=C[CH2-]", 0, 1.4142, -1.4142, 2.8284),
        # lone pairs by themselves, and no electrons at all
        *(("O", 2.09, 4, -3, 4.18), ("FC(F)(F)F", 2.71, 2.71, -3, 21.68), ("CC", 4, 4, -3, 0)),
        *(("B", 4, 4, -0.45, 0), ("CBr", 1.2, 4, -3, 2.4)),
    ],
)
def test_huckel_levels_by_hand(smiles, homo, next_homo, lumo, energy):
    found = of(smiles)
    levels = [found[name] for name in ("HuckelHOMO", "HuckelNextHOMO", "HuckelLUMO")]
    assert levels == pytest.approx([homo, next_homo, lumo], abs=1e-4)
    assert found["HuckelGap"] == pytest.approx(homo - lumo, abs=2e-4)
    total = found["HuckelEnergyPerAtom"] * found["NumHeavyAtoms"]
    assert total == pytest.approx(energy, abs=1e-3)


@pytest.mark.parametrize(
    ("smiles", "n_electrons"),
    [
        *(("c1cc[nH]c1", 6), ("c1ccncc1", 6), ("C[n+]1ccccc1", 6), ("c1ccoc1", 6), ("c1ccsc1", 6)),
        *(("[O-][N+](=O)C", 4), ("CN(C)C", 2), ("[NH4+]", 0), ("C=C=C", 3), ("O=S(=O)(C)C", 3)),
    ],
)
def test_electrons_in_orbitals(smiles, n_electrons):
    _, found, _ = orbitals(Graphs([Chem.MolFromSmiles(smiles)]))
    assert found.sum() == n_electrons


@given(st.sampled_from(MIXED), st.randoms(use_true_random=False))
def test_the_order_of_atoms_does_not_matter(smiles, random):
    molecule = Chem.MolFromSmiles(smiles)
    order = list(range(molecule.GetNumAtoms()))
    random.shuffle(order)
    text = Chem.MolToSmiles(Chem.RenumberAtoms(molecule, order), canonical=False)
    both = own([molecule, Chem.MolFromSmiles(text)])
    assert both[0] == pytest.approx(both[1], abs=1e-5)


def test_hydrogens_as_atoms_and_the_direction_of_a_dative_bond_do_not_matter():
    for smiles in MIXED:
        molecule = Chem.MolFromSmiles(smiles)
        both = own([molecule, Chem.AddHs(molecule)])
        assert both[0].tolist() == both[1].tolist(), smiles
    one, other = own([Chem.MolFromSmiles(text) for text in ("C[NH2]->[Pt]", "[Pt]<-[NH2]C")])
    assert one == pytest.approx(other, abs=1e-6)


def test_a_dative_bond_is_one_between_charges():
    texts = ("Cl[Pt](Cl)(<-[NH3])<-[NH3]", "Cl[Pt-2](Cl)([NH3+])[NH3+]")
    one, other = own([Chem.MolFromSmiles(text) for text in texts])
    assert one.tolist() == other.tolist()
    found = dict(zip(MOLLOOPS, one.tolist(), strict=True))
    # the lone pairs of chlorine; the nitrogens have none left
    assert (found["HuckelHOMO"], found["HuckelLUMO"]) == pytest.approx((1.48, -3))


def test_levels_do_not_depend_on_the_molecules_beside():
    molecules = [Chem.MolFromSmiles(text) for text in MIXED]
    at_once = huckel_levels(Graphs(molecules))
    for molecule, row in zip(molecules, at_once, strict=True):
        assert huckel_levels(Graphs([molecule]))[0].tolist() == row.tolist()


def test_molecules_at_once_are_as_one_by_one():
    molecules = [Chem.MolFromSmiles(text) for text in [*MIXED, "[H][H]", "[2H]C", "CS(->O)C"]]
    at_once = descriptors(molecules)
    for molecule, row in zip(molecules, at_once, strict=True):
        assert descriptors([molecule])[0] == pytest.approx(row, rel=1e-6, abs=1e-6)


def test_a_molecule_is_not_changed():
    molecule = Chem.MolFromSmiles("[2H][NH2]->[Pt]")
    descriptors([molecule])
    assert Chem.MolToSmiles(molecule) == "[2H][NH2]->[Pt]"


def test_molecules_that_are_too_large_or_all_hydrogen_have_nothing():
    huge = Chem.MolFromSmiles("C" * (MAX_GRAPH_ATOMS + 1))
    found = own([huge, Chem.MolFromSmiles("[H][H]"), Chem.MolFromSmiles("C" * MAX_GRAPH_ATOMS)])
    for row in found[:2].tolist():
        assert row == [0] * (len(MOLLOOPS) - 6) + [4, 4, -3, 7, 0, 0]
    assert found[2, 3] == MAX_GRAPH_ATOMS - 1  # bonds between carbons


def invariants(facts):
    """Return RDKit's invariants of atoms: boost's hash of these facts, shape (n,)."""
    *facts, are_in_ring = [np.asarray(one, dtype=np.int64).astype(np.uint32) for one in facts]

    def hashed(found, value):
        shifted = (found << np.uint32(6)) + (found >> np.uint32(2))
        return found ^ (value + np.uint32(0x9E3779B9) + shifted)

    found = np.zeros(len(are_in_ring), dtype=np.uint32)
    for one in facts:
        found = hashed(found, one)
    return np.where(are_in_ring == 1, hashed(found, np.uint32(1)), found)


def facts_of(atom):
    excess = atom.GetMass() - Chem.GetPeriodicTable().GetAtomicWeight(atom.GetAtomicNum())
    facts = (atom.GetAtomicNum(), atom.GetTotalDegree(), atom.GetTotalNumHs())
    return (*facts, atom.GetFormalCharge(), int(excess), atom.IsInRing())


@pytest.mark.parametrize("smiles", [*MIXED, "[13CH4]", "[Fe+2]", "[12CH3]C1CC1"])
def test_invariants_are_those_of_rdkit(smiles):
    molecule = Chem.MolFromSmiles(smiles)
    facts = zip(*map(facts_of, molecule.GetAtoms()), strict=True)
    expected = list(rdMolDescriptors.GetConnectivityInvariants(molecule))
    assert invariants(list(facts)).tolist() == expected


@pytest.mark.parametrize(
    ("excess", "n_kinds", "n_shared"), [([0], 46440, 0), (range(-1, 3), 185760, 3)]
)
def test_kinds_of_atoms_have_invariants_of_their_own(excess, n_kinds, n_shared):
    """Elements up to 86, up to 8 bonds, 4 hydrogens, charges of -4 to 4, in a ring or not."""
    grid = np.meshgrid(*(np.arange(1, 87), range(9), range(5), range(-4, 5), excess, (0, 1)))
    facts = np.array([one.ravel() for one in grid])
    _, degree, n_hydrogens, _, _, is_in_ring = facts
    can_be = (n_hydrogens <= degree) & ((is_in_ring == 0) | (degree - n_hydrogens >= 2))
    found = invariants(facts[:, can_be])
    assert len(found) == n_kinds
    assert len(found) - len(np.unique(found)) == n_shared
