import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from molloop.library.features import MorganSpec, identity_hash, morgan, parse

SMILES = ["C", "CCO", "c1ccccc1", "O=C(O)c1ccccc1OC(C)=O"]


@pytest.mark.parametrize("spec", [MorganSpec(), MorganSpec(radius=2, n_bits=1024)])
def test_bits_are_those_of_rdkit_in_little_endian_order(spec):
    molecules = [parse(text) for text in SMILES]
    packed = morgan(molecules, spec)
    assert packed.shape == (len(SMILES), spec.n_bits // 8)
    bits = np.unpackbits(packed, axis=1, bitorder="little")
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=spec.radius, fpSize=spec.n_bits)
    for row, molecule in zip(bits, molecules, strict=True):
        expected = set(generator.GetFingerprint(molecule).GetOnBits())
        assert set(np.flatnonzero(row)) == expected
        assert expected


def test_methane_has_one_environment():
    assert np.bitwise_count(morgan([parse("C")], MorganSpec())).sum() == 1


def test_no_molecules_give_no_rows():
    assert morgan([], MorganSpec()).shape == (0, 32)


@pytest.mark.parametrize("text", ["", "xx", "C1CC", "C(C)(C)(C)(C)C", "π", "\x00", "C*", "[#0]C"])
def test_what_is_no_molecule_is_none(text, capfd):
    assert parse(text) is None
    assert capfd.readouterr().err == ""


def test_equal_molecules_have_equal_hashes():
    assert identity_hash(parse("OCC")) == identity_hash(parse("CCO"))
    assert identity_hash(parse("CCO")) != identity_hash(parse("CCN"))
    assert identity_hash(parse("C[C@H](O)F")) != identity_hash(parse("C[C@@H](O)F"))
    assert 0 <= identity_hash(Chem.MolFromSmiles("C")) < 2**64
