"""Rows of a .parquet become entries."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molloop.errors import InputError
from molloop.library.reading.format import Entry, Format
from molloop.library.reading.opened import Fraction, compression_of, open_plain
from molloop.library.reading.parts import part

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = b"PAR1"
ROWS = 4096  # at a time


def open_parquet(path: Path, stack: ExitStack) -> Any:
    """Open a file, also a compressed one.

    Raises
    ------
    ValueError
        It is damaged.
    """
    from pyarrow import parquet

    file, _ = open_plain(path, stack)
    if compression_of(path):
        # a .parquet is read from its end
        whole = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        shutil.copyfileobj(file, whole)
        file = whole
    with _errors_told():
        return parquet.ParquetFile(file)


def check_texts(path: Path, table: Any, name: str) -> None:
    """Raise InputError where a column holds no texts."""
    import pyarrow as pa

    kind = table.schema_arrow.field(name).type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise InputError(
            "column", name, f"a column of text in {path}", f"It holds {kind}: name another."
        )


def first_texts(table: Any, name: str, n: int) -> list[str]:
    """Return the first texts of a column."""
    with _errors_told():
        batch = next(table.iter_batches(batch_size=n, columns=[name]), None)
        return [] if batch is None else _texts(batch.column(0))


def read_parquet(
    path: Path, file_format: Format, stack: ExitStack
) -> tuple[Iterator[Entry], Fraction]:
    """Open a .parquet."""
    table = open_parquet(path, stack)
    n_rows = max(1, table.metadata.num_rows)
    n_read = 0

    def entries() -> Iterator[Entry]:
        nonlocal n_read
        for texts, names, kept in _batches(table, file_format):
            for text, name, cells in zip(texts, names, kept, strict=True):
                n_read += 1
                smiles, behind = part(text)
                yield Entry(n_read, smiles, name.strip() or behind, cells)

    return entries(), lambda: n_read / n_rows


def _batches(
    table: Any, file_format: Format
) -> Iterator[tuple[list[str], Sequence[str], Sequence[tuple[str, ...]]]]:
    """Return texts, names and what is kept, some rows at a time."""
    places = (file_format.column, file_format.name, *file_format.kept)
    names = [file_format.columns[place] for place in places if place is not None]
    with _errors_told():
        for batch in table.iter_batches(batch_size=ROWS, columns=list(dict.fromkeys(names))):
            cells = {name: _texts(batch.column(name)) for name in batch.schema.names}
            n = batch.num_rows
            text, *others = names
            called = [""] * n if file_format.name is None else cells[others.pop(0)]
            kept = list(zip(*(cells[name] for name in others), strict=True)) or [()] * n
            yield cells[text], called, kept


def _texts(column: "pa.Array") -> list[str]:
    """Return a column as texts; nothing is empty."""
    import pyarrow as pa

    try:
        cells = column.cast(pa.large_string()).cast(pa.large_binary()).to_pylist()
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # lists and structs
        return ["" if one is None else str(one) for one in column.to_pylist()]
    return [(one or b"").decode(errors="replace") for one in cells]


@contextmanager
def _errors_told() -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error
