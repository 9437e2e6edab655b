"""RDKit's descriptors are its own, whichever way they are computed."""

from importlib import resources
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from molloop.library import atom_values
from molloop.library import descriptors as module
from molloop.library.atom_values import AtomValues
from molloop.library.atoms import read_atoms
from molloop.library.descriptors import MAX_ATOMS, RDKITS, descriptors
from molloop.library.enumeration import Enumeration
from molloop.library.graphs import Graphs, read_plain

EXAMPLES = Path(__file__).parents[3] / "examples"
DRUGS = [
    *("CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O"),
    *("CC12CCC3C(CCC4=CC(=O)CCC34C)C1CCC2O", "CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O"),
    "CN1CCC23C4Oc5c(O)ccc(c25)CC1C3C=CC4O",
    "CCCc1nn(C)c2c(=O)[nH]c(-c3cc(S(=O)(=O)N4CCN(C)CC4)ccc3OCC)nc12",
    *("Clc1ccc(C(c2ccccc2)N2CCN(CCOCCO)CC2)cc1", "NC(=[NH2+])NCCC[C@H](N)C(=O)[O-]"),
    *("OC(=O)CN1C(=O)/C(=C/c2ccccc2)SC1=S", "C1CCCC1=C1CCCC1", "CN(C)C1=NCCN1"),
    *("CN/C(=N/C#N)NCCSCc1nc[nH]c1C", "O=C1CCC(=NC2=NCCO2)CC1"),
    *("CCN(CC)C(=O)C1=CN=C(N)NC1=O", "O=P(O)(O)OP(=O)(O)OCC=C(C)C"),
    *("FS(F)(F)(F)(F)c1ccc(B(O)O)cc1[Si](C)(C)C", "IC(Br)=CCl", "C[N+](C)(C)CC(=O)[O-]"),
    *("[O-][n+]1ccccc1S", "N#N", "[C-]#[O+]", "CN=[N+]=[N-]", "[Na+].[Cl-]", "CCO.O.Cl"),
]
ODD = [
    *("[H][H]", "[2H]C([2H])O", "[H+]", "[13CH4]", "C[S](C)[O]", "CS(->O)C", "C[CH2]"),
    *("[O][O]", "C[Hg]C", "F[Xe]F", "[Fe+2]", "Cl[Pt](Cl)(<-[NH3])<-[NH3]", "[Re]$[Re]"),
    *("C1CC1", "C12C3C1C23", "C123CC1(C2)C3", "C12C3C4C1C5C2C3C45", "C12C3C4C1N4C3S2"),
]
LARGE = ["C" * (MAX_ATOMS + 1), "CC(O)" * 50 + "N"]


def by_rdkit(texts):
    properties = rdMolDescriptors.Properties(list(RDKITS))
    rows = [list(properties.ComputeProperties(Chem.MolFromSmiles(text))) for text in texts]
    return np.nan_to_num(np.array(rows, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def assert_are_rdkits(texts):
    found = descriptors([Chem.MolFromSmiles(text) for text in texts])[:, : len(RDKITS)]
    for text, row, expected in zip(texts, found, by_rdkit(texts), strict=True):
        different = [
            (name, one, other)
            for name, one, other in zip(RDKITS, row.tolist(), expected.tolist(), strict=True)
            if one != other
        ]
        assert not different, text


def test_known_drugs_and_odd_molecules():
    assert_are_rdkits([*DRUGS, *ODD, *LARGE])


def test_molecules_of_qm9():
    path = resources.files("molloop.library") / "data" / "qm9.parquet"
    texts = pq.read_table(str(path), columns=["smiles"])["smiles"].to_pylist()
    assert_are_rdkits(texts[::900])


def test_enumerated_molecules():
    lists = [str(EXAMPLES / f"{name}.smi") for name in ("scaffolds", "substituents")]
    blocks = Enumeration.of(*lists, max_molecules=150).blocks()
    assert_are_rdkits(list(islice((text for block in blocks for text in block.texts), 150)))


def test_what_is_remembered_may_be_forgotten(monkeypatch):
    monkeypatch.setattr(module, "_atom_values", AtomValues())
    monkeypatch.setattr(module, "AT_A_TIME", 3)
    monkeypatch.setattr(atom_values, "N_REMEMBERED", 20)
    assert_are_rdkits(DRUGS)


def test_a_count_whose_pattern_is_not_known_is_left_to_rdkit(monkeypatch):
    assert "NumHBA" in atom_values.COUNTED
    monkeypatch.setitem(atom_values._PATTERNS, "NumHBA", ("[#8]", "[N,O]"))
    assert atom_values._matching("NumHBA") is None
    assert Chem.MolToSmarts(atom_values._matching("NumHeteroatoms")) == "[!#6&!#1]"


@pytest.mark.parametrize(
    ("smiles", "is_plain"),
    [
        *(("CO", True), ("[13CH4]", True), ("[Na+].[Cl-]", True), ("c1ccccc1C#N", True)),
        *(("[H][H]", False), ("[2H]C", False), ("CS(->O)C", False), ("[Re]$[Re]", False)),
    ],
)
def test_atoms_are_plain_without_hydrogens_and_odd_bonds(smiles, is_plain):
    rows, graphs = read_plain([Chem.MolFromSmiles(smiles)], MAX_ATOMS)
    assert (rows, graphs is not None) == ([0] * is_plain, is_plain)


def test_no_atoms_are_not_plain():
    assert read_plain([Chem.Mol()], MAX_ATOMS) == ([], None)


def test_paths_by_hand():
    texts = ["C", "CC", "CCC", "CCCC", "CC(C)C", "C1CC1", "CC1CC1", "C12C3C1C23", "C=CC=C"]
    molecules = [Chem.MolFromSmiles(text) for text in texts]
    atoms = read_atoms(molecules, Graphs(molecules))
    assert atoms.n_paths_2.tolist() == [0, 0, 1, 2, 3, 3, 5, 12, 2]
    # a triangle is one path of three bonds; at each of its corners another bond makes two more
    assert atoms.n_paths_3.tolist() == [0, 0, 0, 1, 0, 1, 3, 16, 1]
    assert atoms.owner.tolist() == [
        number for number, text in enumerate(texts) for _ in range(sum(c == "C" for c in text))
    ]


def test_surroundings_tell_apart_what_patterns_do():
    def surroundings(smiles, atom):
        molecules = [Chem.MolFromSmiles(smiles)]
        return read_atoms(molecules, Graphs(molecules)).surroundings[atom]

    # the hydroxyl of an alcohol, whatever is further away
    alcohols = ["OCC", "OCCCCN", "OCC(=O)C", "OC(C)C#N"]
    others = ["OC(=O)C", "OC(=N)C", "OC(=C)C", "Oc1ccccc1", "[O-]CC", "O=CC", "SCC", "ON"]
    assert len({int(surroundings(text, 0)) for text in alcohols}) == 1
    assert len({int(surroundings(text, 0)) for text in [alcohols[0], *others]}) == 9
    # a nitrogen beside a double bond in a ring or out of it, although all atoms are in rings
    inside, outside = surroundings("C1CCN(C1)C1=NCCC1", 3), surroundings("C1CCN(C1)C(C)=NC", 3)
    assert inside != outside


def test_kinds_of_atoms_have_invariants_of_their_own():
    kinds = {}
    for n_neighbours in range(5):
        star = Chem.RWMol()
        star.AddAtom(Chem.Atom(6))
        for _ in range(n_neighbours):
            star.AddBond(0, star.AddAtom(Chem.Atom(6)), Chem.BondType.SINGLE)
        atom = star.GetAtomWithIdx(0)
        for n_hydrogens in range(5):
            for charge in range(-2, 3):
                for element in (5, 6, 7, 8, 9, 14, 15, 16, 17, 34, 35, 53):
                    atom.SetAtomicNum(element)
                    atom.SetFormalCharge(charge)
                    atom.SetNumExplicitHs(n_hydrogens)
                    atom.SetNoImplicit(True)
                    star.UpdatePropertyCache(False)
                    Chem.FastFindRings(star)
                    invariant = rdMolDescriptors.GetConnectivityInvariants(star)[0]
                    kinds.setdefault(invariant, []).append(element)
    assert len(kinds) == 5 * 5 * 5 * 12


def test_matrices_are_not_kept_with_the_molecules():
    molecule = Chem.MolFromSmiles("[NH3+]CC([O-])=O")
    descriptors([molecule])
    assert not [name for name in molecule.GetPropNames(True, True) if "Matrix" in name]
