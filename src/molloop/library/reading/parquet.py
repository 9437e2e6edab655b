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


def check_texts(path: Path, table: Any, place: int) -> None:
    """Raise InputError where a column holds no texts."""
    import pyarrow as pa

    field = table.schema_arrow.field(place)
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    # tools that know no kind of text write bytes
    kinds = (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary())
    if kind not in kinds:
        raise InputError(
            "column", field.name, f"a column of text in {path}", f"It holds {kind}: name another."
        )


def first_texts(table: Any, place: int, n: int) -> list[str]:
    """Return the first texts of a column."""
    return next(_columns(table, [place], n), [[]])[0]


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
    for columns in _columns(table, [one for one in places if one is not None], ROWS):
        texts, *others = columns
        names = [""] * len(texts) if file_format.name is None else others.pop(0)
        yield texts, names, list(zip(*others, strict=True)) or [()] * len(texts)


def _columns(table: Any, places: Sequence[int], n_rows: int) -> Iterator[list[list[str]]]:
    """Return columns as texts, by their places, some rows at a time."""
    names = table.schema_arrow.names
    # pyarrow takes a name for all columns that have it, and for those where a dot stands behind it
    are_clear = len(set(names)) == len(names) and not any("." in name for name in names)
    keys = {place: names[place] if are_clear else place for place in places}
    wanted = list(keys.values()) if are_clear else None
    with _errors_told():
        for batch in table.iter_batches(batch_size=n_rows, columns=wanted):
            texts = {place: _texts(batch.column(key)) for place, key in keys.items()}
            yield [texts[place] for place in places]


def _texts(column: "pa.Array") -> list[str]:
    """Return a column as texts; nothing is empty."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        is_bytes = pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)
        texts = column if is_bytes else column.cast(pa.large_string())
        cells = texts.cast(pa.large_binary()).to_pylist()
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
