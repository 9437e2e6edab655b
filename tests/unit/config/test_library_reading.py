"""How a library's file is read, as settings."""

from molloop.config.load import load
from molloop.config.settings import Settings


def test_columns_are_named_or_numbered():
    given = ["library.column=2", "library.name_column=id", "library.keep_columns=mw,vendor"]
    chosen = load(None, given).library
    assert (chosen.column, chosen.name_column) == ("2", "id")
    assert chosen.keep_columns == ("mw", "vendor")
    assert load(library={"keep_columns": ["mw"]}).library.keep_columns == ("mw",)
    assert (load().library.column, load().library.keep_columns) == (None, ())


def test_what_is_written_is_read_back():
    settings = load(None, ["library.keep_columns=mw,vendor", "library.separator=;"])
    assert Settings.from_toml(settings.to_toml()) == settings
