import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from molloop.library.features import MorganSpec, morgan
from molloop.search.diversity import Apart


def packed(*sets):
    bits = np.zeros((len(sets), 64), dtype=np.uint8)
    for row, some in enumerate(sets):
        bits[row, list(some)] = 1
    return np.packbits(bits, axis=1, bitorder="little")


@pytest.mark.parametrize(
    ("least", "expected"),
    [
        # distances from the first: itself 0, 1 - 4/5, 1 - 1/4, 1, and of nothing 1
        (0.2, [False, True, True, True, True]),
        (0.2001, [False, False, True, True, True]),
        (0.75, [False, False, True, True, True]),
        (0.7501, [False, False, False, True, True]),
        (1.0, [False, False, False, True, True]),
    ],
)
def test_by_hand(least, expected):
    bits = packed({0, 1, 2, 63}, {0, 1, 2, 63, 5}, {63}, {8, 9}, set())
    assert Apart.of(least, bits).from_row(0).tolist() == expected


def test_molecules_without_a_bit_are_the_same():
    assert Apart.of(0.1, packed(set(), set())).from_row(0).tolist() == [False, False]


def test_distances_are_those_of_rdkit():
    smiles = ["CCO", "CCN", "c1ccccc1", "CC(=O)O", "CCCO", "OCCO", "C1CC1N"]
    molecules = [Chem.MolFromSmiles(one) for one in smiles]
    made = rdFingerprintGenerator.GetMorganGenerator(radius=4, fpSize=256)
    vectors = [made.GetFingerprint(one) for one in molecules]
    bits = morgan(molecules, MorganSpec())
    for row, vector in enumerate(vectors):
        distances = 1 - np.array(DataStructs.BulkTanimotoSimilarity(vector, vectors))
        for least in (0.3, 0.55, 0.8, 0.95):
            assert Apart.of(least, bits).from_row(row).tolist() == (distances >= least).tolist()
