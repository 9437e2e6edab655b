"""Coordinates of molblocks, by hand and against RDKit's own reading."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom

from molloop.geometries import is_in_space, ordered_positions
from molloop.library import coordinates as module
from molloop.library.coordinates import coordinates
from molloop.library.molblocks import Molblocks
from molloop.smiles import read_as_written

METHANOL = """methanol, its hydrogens in no order
  by hand 3D

  6  5  0  0  0  0  0  0  0  0999 V2000
    1.0000    0.0000    0.5000 H   0  0
   -0.0000  -23.4567    2.0000 O   0  0
    2.0000    0.0001    0.5000 H   0  0
    3.0000    0.0000    0.5000 H   0  0
    4.0000    0.0000   -0.0500 C   0  0
    5.0000    0.0000    0.5000 H   0  0
  3  5  1  0
  1  5  1  0
  4  2  1  0
  2  5  1  0
  5  6  1  0
M  END
"""


def written(text):
    """Return the molecule of a molblock, of which a SMILES was written; None where it is none."""
    try:
        molecule = Chem.MolFromMolBlock(text)
    except RuntimeError:
        return None
    if molecule is not None:
        Chem.MolToSmiles(molecule)
    return molecule


def embedded(smiles):
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(molecule, randomSeed=2) == 0
    return molecule


def test_by_hand():
    molecule = written(METHANOL)
    assert Chem.MolToSmiles(molecule) == "CO"
    [found] = coordinates(Molblocks.of([METHANOL]), [molecule])
    # C, O, the hydrogens of C in the order of the file, that of O
    assert found[:, 0].tolist() == [4.0, 0.0, 1.0, 2.0, 5.0, 3.0]
    assert found[1].tolist() == [0.0, -23.4567, 2.0]
    assert np.signbit(found[1]).tolist() == [True, True, False]
    assert found[0].tolist() == [4.0, 0.0, -0.05]


def test_each_kind_stands_in_its_place_among_the_others(monkeypatch):
    ethanol = embedded("CCO")
    lacking = Chem.RWMol(ethanol)
    lacking.RemoveAtom(8)
    lacking.GetAtomWithIdx(2).SetNoImplicit(False)
    Chem.SanitizeMol(lacking)
    plain = Chem.MolToMolBlock(ethanol)
    texts = [
        *(plain, Chem.MolToMolBlock(ethanol, forceV3000=True)),
        *(Chem.MolToMolBlock(one) for one in (Chem.RemoveHs(ethanol), lacking, embedded("[2H]C"))),
        *(plain.replace("RDKit", "ÅÖü", 1), METHANOL),
        METHANOL.replace("   -0.0000", "  -0.12345"),
        METHANOL.replace("  6  5", "6  5  ", 1),
        METHANOL.replace(" -23.4567", "-123.4567"),
        METHANOL.replace("    2.0000 O", " 1002.0000 O"),
    ]
    molecules = [written(text) for text in texts]
    by_rdkit = []
    monkeypatch.setattr(
        module,
        "read_as_written",
        lambda text: by_rdkit.append(texts.index(text)) or read_as_written(text),
    )
    found = coordinates(Molblocks.of(texts), molecules)
    for text, molecule, one in zip(texts, molecules, found, strict=True):
        expected = ordered_positions(molecule, read_as_written(text))
        assert (one is None) is (expected is None)
        assert one is None or one.tolist() == expected.tolist()
    assert [place for place, one in enumerate(found) if one is None] == [2, 3]
    assert by_rdkit == [1, 2, 3, 4, 7, 8, 9, 10]


PLAIN = [
    METHANOL,
    *(Chem.MolToMolBlock(embedded(one)) for one in ("C[NH3+]", "OC=O", "C[C@H](F)O")),
]


@given(
    st.sampled_from(PLAIN),
    st.integers(0, 2**16),
    st.text(" -.0123456789HCe\n", min_size=1, max_size=3),
    st.booleans(),
)
def test_what_was_changed_is_what_rdkit_reads_or_left_to_it(text, place, put, replaces):
    begin = text.index("V2000") - 34
    at = begin + place % (text.index("M  END") - begin)
    changed = text[:at] + put + text[at + (len(put) if replaces else 0) :]
    with rdBase.BlockLogs():
        molecule = written(changed)
        assume(molecule is not None and molecule.GetNumAtoms() and is_in_space(molecule))
        [found] = coordinates(Molblocks.of([changed]), [molecule])
        expected = ordered_positions(molecule, read_as_written(changed))
    assert (found is None) is (expected is None)
    assert found is None or found.tolist() == expected.tolist()


@pytest.mark.parametrize("smiles", ["[H][H]", "[HH+]", "[H]O[2H]", "[He]", "[H-]"])
def test_hydrogens_that_a_smiles_names(smiles):
    text = Chem.MolToMolBlock(embedded(smiles))
    molecule = written(text)
    [found] = coordinates(Molblocks.of([text]), [molecule])
    expected = ordered_positions(molecule, read_as_written(text))
    assert found.tolist() == expected.tolist()
