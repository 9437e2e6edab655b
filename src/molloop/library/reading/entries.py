"""Files become entries, as their formats say."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from molloop.library.reading.format import Entry, Format
from molloop.library.reading.opened import Fraction, readable
from molloop.library.reading.parquet import read_parquet
from molloop.library.reading.sdf import read_sdf
from molloop.library.reading.text import read_text

_READERS = {"text": read_text, "sdf": read_sdf, "parquet": read_parquet}


@contextmanager
def opened_entries(
    path: Path, file_format: Format, what: str
) -> Iterator[tuple[Iterator[Entry], Fraction]]:
    """Open a file: its entries, once, and how much of it is read.

    Parameters
    ----------
    what
        The name that the user knows the file by.

    Raises
    ------
    InputError
        It cannot be read; while it is read: lines can be read in two ways.
    """
    with readable(path, what), ExitStack() as stack:
        yield _READERS[file_format.kind](path, file_format, stack)
