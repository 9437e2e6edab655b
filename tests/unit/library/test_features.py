import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from molloop.library.descriptors import DESCRIPTORS, descriptors
from molloop.library.features import (
    MorganSpec,
    Scaling,
    identity_hash,
    morgan,
)
from molloop.smiles import read_molecule

SMILES = ["C", "CCO", "c1ccccc1", "O=C(O)c1ccccc1OC(C)=O"]


@pytest.mark.parametrize("spec", [MorganSpec(), MorganSpec(radius=2, n_bits=1024)])
def test_bits_are_those_of_rdkit_in_little_endian_order(spec):
    molecules = [read_molecule(text) for text in SMILES]
    packed = morgan(molecules, spec)
    assert packed.shape == (len(SMILES), spec.n_bits // 8)
    bits = np.unpackbits(packed, axis=1, bitorder="little")
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=spec.radius, fpSize=spec.n_bits)
    for row, molecule in zip(bits, molecules, strict=True):
        expected = set(generator.GetFingerprint(molecule).GetOnBits())
        assert set(np.flatnonzero(row)) == expected
        assert expected


def test_methane_has_one_environment():
    assert np.bitwise_count(morgan([read_molecule("C")], MorganSpec())).sum() == 1


def test_no_molecules_give_no_rows():
    assert morgan([], MorganSpec()).shape == (0, 32)


def test_equal_molecules_have_equal_hashes():
    def hashed(smiles):
        return identity_hash(Chem.MolToSmiles(read_molecule(smiles)))

    assert hashed("OCC") == hashed("CCO")
    assert hashed("CCO") != hashed("CCN")
    assert hashed("C[C@H](O)F") != hashed("C[C@@H](O)F")
    assert 0 <= hashed("C") < 2**64


def test_descriptors_by_hand():
    table = descriptors([read_molecule("CCO"), read_molecule("C")])
    assert table.shape == (2, len(DESCRIPTORS))
    assert table.dtype == np.float32
    ethanol, methane = (dict(zip(DESCRIPTORS, row.tolist(), strict=True)) for row in table)
    # masses of 12C, 1H and 16O; TPSA of a hydroxyl group: Ertl et al., J. Med. Chem. 43, 3714
    # (2000); logP: Wildman and Crippen, J. Chem. Inf. Comput. Sci. 39, 868 (1999): C1, C3, O2
    # and six hydrogens, H1 five times and H2 once
    assert ethanol["exactmw"] == pytest.approx(2 * 12 + 6 * 1.00782503 + 15.99491462, abs=1e-4)
    assert ethanol["tpsa"] == pytest.approx(20.23)
    log_p = 0.1441 - 0.2035 - 0.2893 + 5 * 0.1230 - 0.2677
    assert ethanol["CrippenClogP"] == pytest.approx(log_p, abs=1e-4)
    assert ethanol["NumHeavyAtoms"] == 3
    assert ethanol["NumHBD"] == 1
    assert methane["FractionCSP3"] == 1
    assert methane["tpsa"] == 0
    assert not {"NumRotatableBonds", "chi3v", "chi4n"} & set(DESCRIPTORS)


def test_descriptors_of_nothing_and_of_ions():
    assert descriptors([]).shape == (0, len(DESCRIPTORS))
    assert np.isfinite(
        descriptors([read_molecule(s) for s in ("[H+]", "[He]", "[Na+].[Cl-]")])
    ).all()


def test_scaling_by_hand():
    scaling = Scaling(np.array([1.0, 2.0, 5.0]), np.array([2.0, 0.0, 0.5]))
    table = np.array([[2, 3, 5], [1, 2, 100], [-3, 2, -100]], dtype=np.float32)
    expected = [[0.5, 0, 0], [0, 0, 10], [-2, 0, -10]]
    assert scaling.apply(table).tolist() == expected
    assert table[0, 0] == 2
