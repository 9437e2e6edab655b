"""Molblocks without hydrogens: RDKit reads the same from them, or they stay as they are."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rdkit import Chem, rdBase
from rdkit.Chem import rdDepictor, rdDistGeom

from molloop.geometries import is_in_space
from molloop.library.hydrogens import without_hydrogens
from molloop.library.molblocks import Molblocks
from molloop.smiles import read_molecule

ETHANAL = """ethanal, by hand
     RDKit          3D

  7  6  0  0  0  0  0  0  0  0999 V2000
    1.2000    0.0000    0.1000 C   0  0  0  0  0  0  0  0  0  0  0  0
    0.5000    1.0000    0.1000 O   0  0  0  0  0  0  0  0  0  0  0  0
    0.4000   -1.3000    0.1000 C   0  0  0  0  0  0  0  0  0  0  0  0
    2.1000    0.0000    0.1000 H   0  0  0  0  0  0  0  0  0  0  0  0
    1.1000   -2.1000    0.2000 H   0  0  0  0  0  0  0  0  0  0  0  0
   -0.2000   -1.4000    1.0000 H   0  0  0  0  0  0  0  0  0  0  0  0
   -0.2000   -1.4000   -0.8000 H   0  0  0  0  0  0  0  0  0  0  0  0
  4  1  1  0
  1  2  2  0
  3  5  1  0
  1  3  1  0
  3  6  1  0
  3  7  1  0
M  END
"""
SHORT = """ethanal, by hand
     RDKit          3D

  3  2  0  0  0  0  0  0  0  0999 V2000
    1.2000    0.0000    0.1000 C   0  0  0  0  0  0  0  0  0  0  0  0
    0.5000    1.0000    0.1000 O   0  0  0  0  0  0  0  0  0  0  0  0
    0.4000   -1.3000    0.1000 C   0  0  0  0  0  0  0  0  0  0  0  0
  1  2  2  0
  1  3  1  0
M  END
"""


def embedded(smiles, seed=1):
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(molecule, randomSeed=seed) == 0
    return Chem.MolToMolBlock(molecule)


def drawn(smiles):
    molecule = Chem.MolFromSmiles(smiles)
    rdDepictor.Compute2DCoords(molecule)
    return molecule


def short(texts):
    return without_hydrogens(Molblocks.of(texts))


def facts(molecule):
    """Return what a library keeps of a molecule, and what it asks of it."""
    smiles = Chem.MolToSmiles(molecule)
    atoms = [
        (
            *(atom.GetAtomicNum(), atom.GetFormalCharge(), atom.GetIsotope(), atom.GetTotalNumHs()),
            *(atom.GetNumRadicalElectrons(), atom.GetIsAromatic(), atom.GetHybridization()),
            atom.GetChiralTag(),
        )
        for atom in molecule.GetAtoms()
    ]
    bonds = [(bond.GetBondType(), bond.GetStereo()) for bond in molecule.GetBonds()]
    order = molecule.GetProp("_smilesAtomOutputOrder")
    return smiles, atoms, bonds, order, is_in_space(molecule)


def check(text, shorter):
    """Compare what RDKit reads from two molblocks: plainly, and as this project does."""
    plain = Chem.MolFromMolBlock(text)
    assert (plain is None) is (Chem.MolFromMolBlock(shorter) is None)
    if plain is not None and plain.GetNumAtoms():
        assert facts(read_molecule(shorter, "molblock", may_have_dummies=True)) == facts(plain)


def test_by_hand():
    assert short([ETHANAL]) == [SHORT]
    check(ETHANAL, SHORT)
    assert short([SHORT, "", "no H molblock", ETHANAL]) == [*(SHORT, "", "no H molblock", SHORT)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("V2000", "V3000"),
        ("M  END", "M  CHG  1   2   1\nM  END"),  # a property
        ("  1  2  2  0", "  1  2  2  3"),  # a crossed bond
        ("  1  3  1  0", "  1  3  1  1"),  # a wedge
        ("  1  3  1  0", "  1  3  4  0"),
        ("  1  2  2  0", "  1  2  1  0"),  # no hydrogen where RDKit would put one
        ("0.1000 C   0  0", "0.1000 C   1  0"),  # an isotope
        ("0.1000 C   0  0", "0.1000 C   0  3"),  # a charge
        ("0.1000 C   0  0", "0.1000 P   0  0"),
        ("  4  1  1  0", "  4  5  1  0"),  # between hydrogens
        ("    0.1000 ", "    0.0000 "),  # flat but for its hydrogens
        ("  0.1000 H ", " 0.10000 H "),
        ("0.1000 C   0", "0.1000 H   0"),  # before others
    ],
)
def test_what_says_more_stays(before, after):
    text = ETHANAL.replace(before, after)
    assert text != ETHANAL
    assert short([ETHANAL, text, ETHANAL])[1] is text


STEREO = [
    *("C[C@H](O)F", "C[C@@H](N)C(=O)O", "F[C@](C)(Cl)CO", "C[C@H]1C[C@H]1C", "O[C@@H]1C[C@@H]1F"),
    *("C/C=C/C", "C/C=C\\C", "C/C(F)=C/C=C/O", "C=CC", "C/N=C/C", "CC=C=CC", "C/C=N/O", "CSC=CS"),
    *("c1ccccc1O", "c1cc[nH]c1", "C1=CC=CC=CC=C1", "CS(=O)C", "C[S@](=O)CC", "OP(=O)(O)OC"),
    *("[2H][C@H](C)O", "CN", "C1CN1", "C[C@H]1CN1", "O=CO", "C#C", "C1=CC2=CC=CC2=C1"),
    *("C1CCC/C=C/CC1", "C1[C@@H]2CN3[C@@H]2[C@@H]13"),
]
OPEN = ["CC=N", "C[NH3+]", "CC(=O)[O-]", "[CH3]", "CB(C)O", "C[SiH3]", "O", "CP", "C=[NH2+]"]


@pytest.mark.parametrize("smiles", [*STEREO, *OPEN])
def test_stereo_is_that_of_rdkit(smiles):
    texts = [embedded(smiles, seed) for seed in (1, 2, 3)]
    for text, shorter in zip(texts, short(texts), strict=True):
        check(text, shorter)


def test_most_are_shorter():
    texts = list(map(embedded, STEREO))
    n = sum(shorter != text for text, shorter in zip(texts, short(texts), strict=True))
    assert n > 0.8 * len(texts)


BLOCKS = list(map(embedded, STEREO))
BARE = [Chem.MolToMolBlock(Chem.MolFromMolBlock(text)) for text in BLOCKS]
FLAT = [Chem.MolToMolBlock(drawn(smiles)) for smiles in STEREO]


@given(
    st.sampled_from(BLOCKS + BARE + FLAT),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.05, 0.2, 0.5, 1.0, 3.0]),
    st.booleans(),
)
def test_places_do_not_count_or_it_stays(text, seed, deviation, shuffles):
    """Atoms are moved until centres are flat and double bonds twisted, and stand in any order."""
    rng = np.random.default_rng(seed)
    molecule = Chem.MolFromMolBlock(text, sanitize=False, removeHs=False)
    if shuffles:
        order = rng.permutation(molecule.GetNumAtoms()).tolist()
        molecule = Chem.RenumberAtoms(molecule, order)
    places = molecule.GetConformer().GetPositions()
    molecule.GetConformer().SetPositions(places + rng.normal(0, deviation, places.shape))
    lines = Chem.MolToMolBlock(molecule, kekulize=False).split("\n")
    begin, n = 4 + molecule.GetNumAtoms(), molecule.GetNumBonds()
    if seed % 2:
        lines[begin : begin + n] = rng.permutation(lines[begin : begin + n]).tolist()
    moved = "\n".join(lines)
    with rdBase.BlockLogs():
        check(moved, short([moved])[0])


@given(
    st.sampled_from([ETHANAL, *BLOCKS, *BARE, *FLAT]),
    st.integers(0, 2**16),
    st.text(" -.0123456789HCNDe\n", min_size=1, max_size=3),
    st.booleans(),
)
def test_what_was_changed_is_what_rdkit_reads(text, place, put, replaces):
    at = place % len(text)
    changed = text[:at] + put + text[at + (len(put) if replaces else 0) :]
    with rdBase.BlockLogs():
        try:
            Chem.MolFromMolBlock(changed)
        except RuntimeError:
            assume(False)
        check(changed, short([changed])[0])
