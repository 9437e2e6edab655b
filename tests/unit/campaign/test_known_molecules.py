"""Values known beforehand are those of the molecules that the library means by the same text."""

import pytest

from molloop.campaign.warm_start import known_values
from molloop.errors import InputError
from molloop.library.ingest import build
from molloop.library.manifest import BuildSpec
from molloop.library.origin import Files
from molloop.library.shards import Library


@pytest.fixture
def library(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("[CH2]CO\nCCO\nF/C=C/F\n")
    spec = BuildSpec(same_as="no-stereo")
    return build(Files.of([str(path)], "smiles"), tmp_path / "library", spec)


def ids(library: Library, *texts: str) -> list[int | None]:
    rows = [(f"line {number}", text, float(number)) for number, text in enumerate(texts)]
    return [one.molecule_id for one in known_values(rows, "ie_ev", library).known]


def test_a_radical_of_an_extension_is_the_librarys(library):
    assert ids(library, "CCO |^1:0|", "OCC") == [0, 1]


def test_what_the_library_takes_for_the_same_is_the_same(library):
    assert ids(library, "F/C=C\\F") == [2]
    with pytest.raises(InputError, match="for the same molecule"):
        ids(library, "FC=CF", "F/C=C/F")


def test_what_is_no_molecule_says_why(library):
    with pytest.raises(InputError, match=r"line 0, smiles: got 'C1CC', .* \(unclosed ring\)"):
        ids(library, "C1CC")
