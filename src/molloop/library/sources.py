"""Files of SMILES, read a block at a time."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import TextIO

from molloop.errors import InputError

BLOCK_SIZE = 4096
BUILT_IN = {"qm9": "qm9.parquet"}
FORMATS = ".smi, .csv or .parquet (the first two also with .gz behind)"


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a source.

    Attributes
    ----------
    lines
        Where each entry stands in its file: line numbers, or rows of a .parquet, from 1.
    smiles
        Of each, as the file has it.
    """

    lines: list[int]
    smiles: list[str]


def locate(source: str) -> Path:
    """Return the file behind a built-in name or a path.

    Raises
    ------
    InputError
        There is no such file, or its format is not known.
    """
    if source in BUILT_IN:
        return Path(str(resources.files("molloop.library") / "data" / BUILT_IN[source]))
    try:
        path = Path(source).expanduser()
        is_file = path.is_file()
    except (OSError, RuntimeError):  # too long a name, an unknown user
        is_file = False
    if not is_file:
        raise InputError(
            "library",
            source,
            f"a built-in library ({', '.join(BUILT_IN)}) or a file",
            "Check the path.",
        )
    if file_format(path) not in {".smi", ".csv", ".parquet"}:
        raise InputError("library", source, f"a file of the format {FORMATS}", "Convert the file.")
    return path.resolve()


def blocks(path: Path, column: str) -> Iterator[Block]:
    """Read a file of SMILES.

    Parameters
    ----------
    path
        A .smi file holds a SMILES a line, what follows a blank is ignored; a .csv or .parquet
        file holds it in a column.
    column
        Name of that column.

    Raises
    ------
    InputError
        The file cannot be read, or has no such column.
    """
    read = {".smi": _smi, ".csv": _csv, ".parquet": _parquet}[file_format(path)]
    with _readable(path):
        yield from _grouped(read(path, column))


def count(path: Path) -> int | None:
    """How many lines a source has, where that is known without reading it."""
    if file_format(path) != ".parquet":
        return None
    from pyarrow import parquet

    with _readable(path):
        return int(parquet.read_metadata(path).num_rows)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error, csv.Error, ValueError) as error:
        raise InputError(
            "library", str(path), "a file that can be read", f"It fails with: {error}."
        ) from error


def file_format(path: Path) -> str:
    """Suffix of a path, without .gz; a .parquet compresses itself."""
    name = path.name.lower()
    plain = name.removesuffix(".gz")
    suffix = Path(plain).suffix
    return "" if suffix == ".parquet" and plain != name else suffix


def _open_text(path: Path) -> TextIO:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open("rt", encoding="utf-8-sig", newline="")


def _grouped(entries: Iterator[tuple[int, str]]) -> Iterator[Block]:
    while group := list(islice(entries, BLOCK_SIZE)):
        lines, smiles = zip(*group, strict=True)
        yield Block(list(lines), list(smiles))


def _smi(path: Path, _column: str) -> Iterator[tuple[int, str]]:
    with _open_text(path) as file:
        for number, line in enumerate(file, start=1):
            yield number, (line.split() or [""])[0]


def _csv(path: Path, column: str) -> Iterator[tuple[int, str]]:
    with _open_text(path) as file:
        table = csv.DictReader(file)
        _check_column(path, column, list(table.fieldnames or []))
        for row in table:
            yield table.line_num, (row[column] or "").strip()


def _parquet(path: Path, column: str) -> Iterator[tuple[int, str]]:
    import pyarrow as pa
    from pyarrow import parquet

    table = parquet.ParquetFile(path)
    _check_column(path, column, table.schema_arrow.names)
    kind = table.schema_arrow.field(column).type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise InputError(
            "library.column",
            column,
            f"a column of text in {path}",
            f"It holds {kind}: name another.",
        )
    number = 0
    for batch in table.iter_batches(batch_size=BLOCK_SIZE, columns=[column]):
        for text in batch.column(0).to_pylist():
            number += 1
            yield number, (text or "").strip()


def _check_column(path: Path, column: str, names: list[str]) -> None:
    if column not in names:
        raise InputError(
            "library.column",
            column,
            f"a column of {path} ({', '.join(names) or 'it has none'})",
            "Name the column that holds the SMILES.",
        )
