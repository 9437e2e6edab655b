"""What all kinds of features have in common."""

import numpy as np
import pyarrow as pa
import pytest
from rdkit import Chem

from molloop.library.features import MorganSpec
from molloop.library.kinds import COLUMNS, kinds_of
from molloop.library.own_features import computed
from molloop.library.registry import FEATURES, feature_kind

SMILES = ("CCO", "c1ccccc1N", "[NH4+]", "[H][H]", "FC(F)(F)F")


@pytest.mark.parametrize("name", FEATURES.own)
def test_features_do_not_depend_on_the_molecules_beside_it(name):
    molecules = [Chem.MolFromSmiles(one) for one in SMILES]
    rows = computed(name, molecules)
    assert rows.dtype == feature_kind(name).dtype
    for row, molecule in zip(rows, molecules, strict=True):
        assert np.array_equal(computed(name, [molecule], rows.shape[1])[0], row)
    assert len(np.unique(rows, axis=0)) > 1


def test_every_library_keeps_two_kinds(small_library):
    assert list(kinds_of(MorganSpec())) == list(COLUMNS) == ["fingerprints", "descriptors"]
    with pa.memory_map(small_library.shards[0].path) as file:
        names = pa.ipc.open_file(file).schema.names
    assert names[5:8] == ["fingerprint", "descriptors", "identity_hash"]
