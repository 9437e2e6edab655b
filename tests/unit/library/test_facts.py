"""What conditions ask of molecules, by hand."""

import numpy as np
import pytest
from rdkit import Chem

from molloop.library.facts import facts


def elements_of(smiles):
    bits = facts([Chem.MolFromSmiles(smiles)]).elements[0]
    return set(np.flatnonzero(np.unpackbits(bits, bitorder="little")).tolist())


@pytest.mark.parametrize(
    ("smiles", "numbers"),
    [
        # hydrogens count where they are atoms, not where they are counts of others
        *(("CO", {6, 8}), ("[2H]C", {1, 6}), ("[H][H]", {1}), ("[H+].[Cl-]", {1, 17})),
        *(("[Na+].[Cl-]", {11, 17}), ("[13CH3][NH3+]", {6, 7}), ("[Og]", {118}), ("[Hf]", {72})),
        *(("O=S(=O)(Cl)c1ccccc1", {6, 8, 16, 17}), ("[CaH2]", {20}), ("[Co]", {27})),
    ],
)
def test_elements(smiles, numbers):
    assert elements_of(smiles) == numbers


def test_charges_and_fragments():
    molecules = [Chem.MolFromSmiles(text) for text in ("C", "[Na+].[Cl-]", "[NH4+].O.O", "[O-2]")]
    found = facts(molecules)
    assert found.charges.tolist() == [0, 0, 1, -2]
    assert found.n_fragments.tolist() == [1, 2, 3, 1]


def test_no_molecules():
    assert facts([]).elements.shape == (0, 15)
