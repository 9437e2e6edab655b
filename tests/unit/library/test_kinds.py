import numpy as np
import pyarrow as pa
import pytest

from molloop.errors import RunError
from molloop.library.features import FeatureKind
from molloop.library.ingest import Files, build
from molloop.library.kinds import KINDS
from molloop.library.manifest import BuildSpec


class Elements(FeatureKind):
    """How many atoms of carbon and oxygen a molecule has."""

    column = "carbon_and_oxygen"
    dtype = np.float32
    names = ("n_C", "n_O")

    def compute(self, molecules, spec):
        del spec
        counts = [[a.GetSymbol() for a in one.GetAtoms()] for one in molecules]
        rows = [[one.count("C"), one.count("O")] for one in counts]
        return np.array(rows, dtype=np.float32).reshape(-1, 2)


def built(folder, name):
    (folder / "some.smi").write_text("CCO\nC\nO=C=O\n")
    return build(Files.of([str(folder / "some.smi")], "smiles"), folder / name, BuildSpec())


def test_a_further_kind_is_kept_by_what_is_built_from_then_on(tmp_path, monkeypatch):
    before = built(tmp_path, "before")
    monkeypatch.setitem(KINDS, "elements", Elements())
    library = built(tmp_path, "after")
    assert library.features("elements", [2, 0]).tolist() == [[1, 2], [2, 1]]
    assert library.features("elements", []).shape == (0, 2)
    for kind in ("fingerprints", "descriptors"):
        assert np.array_equal(library.features(kind, [0, 1, 2]), before.features(kind, [0, 1, 2]))
    with pa.memory_map(library.shards[0].path) as file:
        names = pa.ipc.open_file(file).schema.names
    assert names[5:9] == ["fingerprint", "descriptors", "carbon_and_oxygen", "identity_hash"]
    assert library.manifest.key != before.manifest.key
    with pytest.raises(RunError, match=r"holds no elements.*Build the library again"):
        before.features("elements", [0])
