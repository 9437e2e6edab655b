"""Texts become molecules, or say in RDKit's words why not."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from odd_texts import texts
from rdkit import Chem
from rdkit.Chem import AllChem

from molloop.geometries import is_in_space
from molloop.smiles import (
    MAX_MOLBLOCK,
    NoMoleculeError,
    is_smiles,
    read_molecule,
)

SOME = [
    "CCO",
    "C[C@H](F)C(=O)/C=C/c1ccccc1",
    "[NH3+]CC(=O)[O-]",
    "[CH2]CO",
    "C[N+](=O)[O-]",
    "[2H]C",
]


def block_of(smiles, is_v3000=False, in_space=True):
    molecule = Chem.MolFromSmiles(smiles)
    if in_space:
        molecule = Chem.AddHs(molecule)
        AllChem.EmbedMolecule(molecule, randomSeed=1)
    else:
        AllChem.Compute2DCoords(molecule)
    return Chem.MolToMolBlock(molecule, forceV3000=is_v3000)


ETHANOL = block_of("CCO")


def canonical(text, kind="smiles"):
    return Chem.MolToSmiles(read_molecule(text, kind))


@pytest.mark.parametrize("smiles", ["CCO |^1:0|", "CCO |^1:0,$a;b;c$|", "[CH2]CO"])
def test_an_extension_makes_a_radical(smiles):
    molecule = read_molecule(smiles)
    assert Chem.MolToSmiles(molecule) == "[CH2]CO"
    assert molecule.GetAtomWithIdx(0).GetNumRadicalElectrons() == 1


def test_coordinates_of_an_extension_are_left_out():
    assert read_molecule("CCO |(0,0,0;1.5,0,0;2,1.4,0.3)|").GetNumConformers() == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("xx", "syntax error around position 1"),
        ("C(C", "extra open parentheses around position 2"),
        ("CC)C", "extra close parentheses around position 3"),
        ("C1CC", "unclosed ring"),
        ("C(C)(C)(C)(C)C", "Explicit valence for atom # 0 C, 5, is greater than permitted"),
        ("c1cccc1", "Can't kekulize mol. Unkekulized atoms: 0 1 2 3 4"),
        ("cC", "non-ring atom 0 marked aromatic"),
        ("C*", "atom 2 is a dummy atom (*), which is no element"),
        ("[#0]C", "atom 1 is a dummy atom (*), which is no element"),
        ("", "no text"),
        ("C" * 2001, "2,001 characters, expected at most 2,000"),
        ("CCO |^1:3|", "the extension names a radical that the SMILES has no place for"),
        ("CC |Sg:n:0,1::ht|", "polymer: a group stands for any number of units"),
        *(
            (text, "a blank that no CXSMILES extension, such as |^1:0|, follows")
            for text in ("CCO ethanol", "CCO |^1:0", " CCO", "CCO  |^1:0|", "CCO |^1:0| a")
        ),
        *(
            (text, "signs that stand in no SMILES and no InChI")
            for text in ("C\nC", "C\tN", "\0C\0", "CO\x85", "Cπ")
        ),
    ],
)
def test_what_is_no_smiles_says_why(text, reason, capfd):
    with pytest.raises(NoMoleculeError) as caught:
        read_molecule(text)
    assert str(caught.value) == reason
    assert capfd.readouterr().err == ""


def test_a_smiles_has_2000_characters_at_most():
    assert read_molecule("C" * 2000).GetNumAtoms() == 2000


def test_dummies_may_be_allowed():
    assert read_molecule("C*", may_have_dummies=True).GetNumAtoms() == 2
    assert is_smiles("C*")
    assert not is_smiles("smiles")


@pytest.mark.parametrize("smiles", SOME)
def test_an_inchi_is_read(smiles):
    inchi = Chem.MolToInchi(Chem.MolFromSmiles(smiles))
    # InChI moves the proton of a zwitterion
    neutral = smiles.replace("[NH3+]", "N").replace("CC(=O)[O-]", "CC(=O)O")
    assert canonical(inchi, "inchi") == canonical(neutral)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("CCO", "no InChI: it does not begin with InChI="),
        ("InChI=1S/C2H6O/c1-2-9", "Syntax error (-2) in MOBILE_H_CONNECTIONS (1)"),
        ("InChI=1/CH5/h1H5", "Explicit valence for atom # 0 C, 5, is greater than permitted"),
        ("InChI=1S/CH4/h1H4 |^1:0|", "a blank, which stands in no InChI"),
    ],
)
def test_what_is_no_inchi_says_why(text, reason, capfd):
    with pytest.raises(NoMoleculeError) as caught:
        read_molecule(text, "inchi")
    assert str(caught.value) == reason
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("in_space", [True, False])
@pytest.mark.parametrize("is_v3000", [True, False])
@pytest.mark.parametrize("smiles", SOME)
def test_a_molblock_is_read_as_rdkit_reads_it(smiles, is_v3000, in_space):
    block = block_of(smiles, is_v3000, in_space)
    molecule = read_molecule(block, "molblock")
    assert Chem.MolToSmiles(molecule) == canonical(smiles)
    assert is_in_space(molecule) is in_space


def test_coordinates_in_space_need_not_say_so():
    lines = ETHANOL.splitlines()
    assert is_in_space(read_molecule("\n".join([lines[0], "", *lines[2:]]), "molblock"))


def changed(old, new):
    assert old in ETHANOL
    return ETHANOL.replace(old, new, 1)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("", "no text"),
        (" \n \n", "no text"),
        ("x", "no molblock"),
        ("\n".join(ETHANOL.splitlines()[:6]), "EOF hit while reading atoms"),
        (changed("V2000", "V1000"), "Unsupported CTAB version: 'V1000' at line 4"),
        (changed("  9  8", " xx  8"), "Cannot convert ' xx' to unsigned int on line 4"),
        (
            changed("  1  2  1", "  1 99  1"),
            "Range Error: bond_pin->getEndAtomIdx() (98 < 9 does not hold)",
        ),
        (
            changed(" C   0", " Xx  0"),
            "Post-condition Violation: Element 'Xx' not found (anum > -1 does not hold)",
        ),
        (
            changed("  1  2  1", "  1  2  3"),
            "Explicit valence for atom # 0 C, 6, is greater than permitted",
        ),
        (changed(" O   0", " R#  0"), "atom 3 is a dummy atom (*), which is no element"),
        (changed("  1  2  1", "  1  2  8"), "query: an atom or a bond stands for several"),
        ("x" * (MAX_MOLBLOCK + 1), "1,000,001 characters, expected at most 1,000,000"),
    ],
)
def test_what_is_no_molblock_says_why(block, reason, capfd):
    with pytest.raises(NoMoleculeError) as caught:
        read_molecule(block, "molblock")
    assert str(caught.value) == reason
    assert capfd.readouterr().err == ""


signs = "CNOcnoFBrl123()[]=#$/\\@+-.%*|^:;,_ &HaeZ~?"
almost_smiles = st.text(signs, max_size=30)


def check(text, kind):
    try:
        molecule = read_molecule(text, kind)
    except NoMoleculeError as error:
        reason = str(error)
    else:
        reason = "read" if molecule.GetNumAtoms() else ""
    assert reason.isprintable()
    assert reason == reason.strip() != ""
    assert "site-packages" not in reason


@given(texts | almost_smiles)
@example("CCO |^1:0|")
@example("C1CC |^1:0|")
def test_any_text_is_a_molecule_or_a_line_that_says_why_not(text):
    check(text, "smiles")


@given(st.text("CHNO123456789/chqpbtms-,()+;?*0iI", max_size=30))
def test_any_inchi_is_a_molecule_or_a_line_that_says_why_not(text):
    check(f"InChI=1S/{text}", "inchi")


@st.composite
def damaged_blocks(draw):
    block = block_of("OC[C@H](F)[NH3+]", draw(st.booleans())) if draw(st.booleans()) else ETHANOL
    for _ in range(draw(st.integers(1, 3))):
        first = draw(st.integers(0, len(block)))
        last = first + draw(st.integers(0, 12))
        put = draw(st.text("0123456789 -.CHRXM\nEND", max_size=6) | texts)
        block = block[:first] + put + block[last:]
    return block


@given(damaged_blocks())
def test_any_molblock_is_a_molecule_or_a_line_that_says_why_not(block):
    check(block, "molblock")
