"""What a configuration says of salts and of the same molecule reaches the library of a file."""

import pytest

from molloop import api
from molloop.config.load import load
from molloop.errors import InputError


def test_a_file_becomes_the_library_that_the_configuration_describes(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "a.smi"
    source.write_text("CC[NH3+].[Cl-]\nC[C@H](O)F\nC[C@@H](O)F\n")
    plain = api.open_library(load(library={"source": str(source)}))
    chosen = api.open_library(
        load(library={"source": str(source), "fragments": "neutralise", "same_as": "no-stereo"})
    )
    assert plain.smiles(0) == "CC[NH3+].[Cl-]"
    assert plain.n_molecules == 3
    assert [chosen.smiles(key) for key in range(chosen.n_molecules)] == ["CCN", "C[C@H](O)F"]
    assert chosen.folder != plain.folder


@pytest.mark.parametrize("name", ["fragments", "same_as"])
def test_a_choice_that_is_none_is_named(name):
    with pytest.raises(InputError, match=rf"library\.{name}: got 'all', expected one of"):
        load(library={name: "all"})
