import numpy as np
import pytest

from molloop.campaign.warm_start import read_warm_start
from molloop.errors import InputError
from molloop.library.features import morgan, parse
from molloop.simulate.protocol import SimulationProtocol


def write(tmp_path, text):
    path = tmp_path / "known.csv"
    path.write_text(text)
    return path


def test_molecules_are_matched_by_what_they_are(tmp_path, small_library):
    path = write(tmp_path, "ie_ev,smiles,note\n15.5,OC,x\n13.25,CCCCCC,\n")
    warm = read_warm_start(path, "ie_ev", SimulationProtocol(), small_library)
    methanol, hexane = warm.known
    assert (methanol.smiles, methanol.value) == ("OC", 15.5)
    assert small_library.smiles(methanol.molecule_id) == "CO"
    assert (hexane.value, hexane.molecule_id) == (13.25, None)
    molecules = [parse("OC"), parse("CCCCCC")]
    expected = morgan(molecules, small_library.manifest.spec.morgan)
    assert np.array_equal(warm.features["fingerprints"], expected)
    in_library = small_library.features("descriptors", [methanol.molecule_id])
    assert np.array_equal(warm.features["descriptors"][:1], in_library)
    assert len(warm.features["descriptors"]) == 2


def test_nothing_known(small_library):
    warm = read_warm_start(None, "ie_ev", SimulationProtocol(), small_library)
    assert warm.known == ()
    assert {kind: table.shape for kind, table in warm.features.items()} == {
        "fingerprints": (0, 32),
        "descriptors": (0, len(small_library.manifest.descriptors)),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("smiles\nC\n", ["columns", "ie_ev"]),
        ("", ["columns", "smiles and ie_ev"]),
        ("smiles,ie_ev\n", ["at least one row"]),
        ("smiles,ie_ev\nC,17\nxx,15\n", ["line 3, smiles", "'xx'"]),
        ("smiles,ie_ev\nOCC,14\nCCO,13\n", ["line 3, ie_ev", "13.0", "14.0", "same molecule"]),
        ("smiles,ie_ev\nC,\n", ["line 2, ie_ev", "a finite number"]),
        ("smiles,ie_ev\nC,high\n", ["line 2, ie_ev", "'high'"]),
        ("smiles,ie_ev\nC,nan\n", ["line 2, ie_ev", "'nan'"]),
        ("smiles,ie_ev\nC,1e200\n", ["line 2, ie_ev", "'1e200'"]),
        ("smiles,ie_ev,level\nC,17,gfn2\nO,18,ipea1\n", ["line 3, level", "'ipea1'", "'gfn2'"]),
        ("smiles,ie_ev,fidelity\nC,17,mmff-geometry\n", ["line 2, fidelity", "'relaxed'"]),
        ("smiles,ie_ev\nC\n", ["line 2, ie_ev"]),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, small_library, text, words):
    with pytest.raises(InputError) as caught:
        read_warm_start(write(tmp_path, text), "ie_ev", SimulationProtocol(), small_library)
    for word in [*words, "known.csv"]:
        assert word in str(caught.value)


def test_a_missing_file_is_named(tmp_path, small_library):
    with pytest.raises(InputError, match="No such file"):
        read_warm_start(tmp_path / "none.csv", "ie_ev", SimulationProtocol(), small_library)


def test_a_value_that_is_given_twice_counts_once(tmp_path, small_library):
    path = write(tmp_path, "smiles,ie_ev\nOCC,14\nCCO,14\n")
    warm = read_warm_start(path, "ie_ev", SimulationProtocol(), small_library)
    assert [item.smiles for item in warm.known] == ["OCC"]
    assert {len(table) for table in warm.features.values()} == {1}
