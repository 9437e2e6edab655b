"""What a molecule must be like: single conditions, by columns and by the molecule itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from molloop.errors import InputError
from molloop.library.conditions import Conditions, DescriptorRange, each_of
from molloop.library.conditions_on_columns import ColumnCondition, Elements, OneFragment
from molloop.library.conditions_on_structures import Catalogue, Smarts, SyntheticAccessibility
from molloop.library.facts import facts
from molloop.library.features import descriptors

SMILES = (
    *("C", "[H][H]", "O", "C[2H]", "C[NH3+]", "CC(=O)[O-]", "C[NH3+].[Cl-]", "[NH3+]CC[NH3+]"),
    *("c1ccccc1", "C1CC1", "FC(F)(F)F", "CCO", "BrCCBr", "[Th]", "C[Si](C)(C)C", "[Na+].[Cl-]"),
)
MOLECULES = [Chem.MolFromSmiles(one) for one in SMILES]
RHODANINE = "O=C1C(=Cc2ccccc2)SC(=S)N1"


class Columns:
    """What a shard has of the molecules above."""

    facts = facts(MOLECULES)
    descriptors = descriptors(MOLECULES)


def met(conditions):
    """Return the molecules that meet conditions on columns."""
    found = np.ones(len(SMILES), dtype=bool)
    for one in each_of(conditions):
        found &= one.admits(Columns)
    return [smiles for smiles, is_met in zip(SMILES, found, strict=True) if is_met]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (Conditions(max_heavy_atoms=1), ["C", "[H][H]", "O", "C[2H]", "[Th]"]),
        (Conditions(6), ["c1ccccc1"]),
        (Conditions(charge=(2, -1)), ["CC(=O)[O-]", "[NH3+]CC[NH3+]"]),
        (Conditions(elements=("O",)), ["[H][H]", "O"]),
        (Conditions(elements=("Br", "C"), min_heavy_atoms=3), ["c1ccccc1", "C1CC1", "BrCCBr"]),
        (Conditions(min_rings=1), ["c1ccccc1", "C1CC1"]),
        (Conditions(max_rings=0, min_heavy_atoms=5), ["FC(F)(F)F", "C[Si](C)(C)C"]),
        # C2H4Br2: 187.86; thorium: 232.04; benzene: 78.11
        (Conditions(min_molar_mass=187.8, max_molar_mass=187.9), ["BrCCBr"]),
        (Conditions(min_molar_mass=200), ["[Th]"]),
        # two donors each of O-H and N-H, by Lipinski's count of hydrogens: 2 of water, 3 of NH3+
        (
            Conditions(descriptors=(DescriptorRange("lipinskiHBD", 2, 3),)),
            ["O", "C[NH3+]", "C[NH3+].[Cl-]"],
        ),
    ],
)
def test_by_hand(conditions, expected):
    assert met(conditions) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (OneFragment(), {"C[NH3+].[Cl-]", "[Na+].[Cl-]"}),
        (Elements("up to radon", tuple(range(1, 87))), {"[Th]"}),
    ],
)
def test_what_cannot_be_simulated(condition, expected):
    assert {one for one, met in zip(SMILES, condition.admits(Columns), strict=True) if not met} == (
        expected
    )
    refused = {
        one
        for one, molecule in zip(SMILES, MOLECULES, strict=True)
        if condition.objection(molecule)
    }
    assert refused == expected


CONDITIONS = st.builds(
    Conditions,
    min_heavy_atoms=st.integers(0, 4),
    max_heavy_atoms=st.none() | st.integers(4, 9),
    elements=st.none() | st.sets(st.sampled_from(["C", "N", "O", "Cl", "Si"])).map(tuple),
    charge=st.none() | st.sets(st.integers(-2, 2)).map(tuple),
    min_molar_mass=st.none() | st.floats(0, 80),
    max_molar_mass=st.none() | st.floats(80, 300),
    max_rings=st.none() | st.integers(0, 1),
    descriptors=st.just(())
    | st.tuples(
        st.builds(DescriptorRange, st.sampled_from(["tpsa", "CrippenClogP"]), st.floats(-9, 20))
    ),
)


@given(CONDITIONS)
def test_columns_and_molecules_say_the_same(conditions):
    """A library that was built under conditions is what they select of one that was not."""
    conditions.check()
    assert all(isinstance(one, ColumnCondition) for one in each_of(conditions))
    expected = [
        smiles
        for smiles, molecule in zip(SMILES, MOLECULES, strict=True)
        if conditions.objection(molecule) is None
    ]
    assert met(conditions) == expected


@pytest.mark.parametrize(
    ("conditions", "smiles", "reason"),
    [
        (Conditions(), RHODANINE, None),
        (Conditions(charge=(0,)), "C[NH3+]", "charge 1"),
        (Conditions(max_rings=1), "C1CC1C1CC1", "2 rings, more than 1"),
        (Conditions(max_molar_mass=100.0), "BrCCBr", "molar mass 187.862, more than 100"),
        (
            Conditions(descriptors=(DescriptorRange("tpsa", min=10.0),)),
            "C",
            "tpsa 0, less than 10",
        ),
        (
            Conditions(required_smarts=("[OX2H]",)),
            "C",
            "does not match the required [OX2H]",
        ),
        # Baell and Holloway's filter of rhodanines; Brenk's of esters of phenols
        (
            Conditions(excluded_catalogues=("BRENK", "PAINS")),
            RHODANINE,
            "matches BRENK: Michael_acceptor_1",
        ),
        (
            Conditions(excluded_catalogues=("PAINS",)),
            RHODANINE,
            "matches PAINS: ene_rhod_A(235)",
        ),
        (Conditions(excluded_catalogues=("PAINS",)), "CCO", None),
        # 3.166 by the table that comes with the score
        (
            Conditions(max_synthetic_accessibility=3.1),
            "Cc1c(C(=O)NCCO)[n+](=O)c2ccccc2n1[O-]",
            "synthetic accessibility 3.16587, more than 3.1",
        ),
        (
            Conditions(min_synthetic_accessibility=3.1, max_synthetic_accessibility=3.2),
            "Cc1c(C(=O)NCCO)[n+](=O)c2ccccc2n1[O-]",
            None,
        ),
    ],
)
def test_the_reason(conditions, smiles, reason):
    conditions.check()
    assert conditions.objection(Chem.MolFromSmiles(smiles)) == reason


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        (Conditions(elements=("C", "cl")), ["conditions.elements", "'cl'", "Is Cl meant?"]),
        (Conditions(required_smarts=("C(",)), ["conditions.required_smarts", "'C('"]),
        (Conditions(excluded_catalogues=("Pains",)), ["conditions.excluded_catalogues", "PAINS"]),
        (
            Conditions(descriptors=(DescriptorRange("ClogP", 1),)),
            ["conditions.descriptors", "'ClogP'", "CrippenClogP"],
        ),
        (Conditions(charge=(0, 300)), ["conditions.charge", "300", "-100 to 100"]),
        (
            Conditions(descriptors=(DescriptorRange("tpsa", 2.0, 1.0),)),
            ["conditions.descriptors.tpsa.max", "1.0", "at least descriptors.tpsa.min (2.0)"],
        ),
        (Conditions(min_rings=2, max_rings=1), ["conditions.max_rings", "at least min_rings (2)"]),
    ],
)
def test_what_is_none_is_named(conditions, words):
    with pytest.raises(InputError) as raised:
        conditions.check()
    for word in words:
        assert word in str(raised.value)


def test_conditions_that_look_at_the_same_share_what_is_computed():
    assert Smarts("C", is_required=True).fact == Smarts("C", is_required=False).fact
    assert SyntheticAccessibility(2.0, is_least=True).fact == (
        SyntheticAccessibility(3.0, is_least=False).fact
    )
    assert Smarts("C", is_required=True).fact != Smarts("N", is_required=True).fact
    assert Catalogue("PAINS").fact != Smarts("PAINS", is_required=True).fact
