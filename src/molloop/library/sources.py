"""Files of SMILES, read a block at a time."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
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
    first_line
        Number of the first line in its file, from 1; a header is line 1.
    smiles
        One a line, as the file has it.
    """

    first_line: int
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
    path = Path(source).expanduser()
    if not path.is_file():
        raise InputError(
            "library",
            source,
            f"a built-in library ({', '.join(BUILT_IN)}) or a file",
            "Check the path.",
        )
    if _format(path) not in {".smi", ".csv", ".parquet"}:
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
    read = {".smi": _smi, ".csv": _csv, ".parquet": _parquet}[_format(path)]
    try:
        yield from read(path, column)
    except (OSError, EOFError, zlib.error, csv.Error, ValueError) as error:
        raise InputError(
            "library", str(path), "a file that can be read", f"It fails with: {error}."
        ) from error


def count(path: Path) -> int | None:
    """How many lines a source has, where that is known without reading it."""
    from pyarrow import parquet

    return parquet.read_metadata(path).num_rows if _format(path) == ".parquet" else None


def _format(path: Path) -> str:
    """Suffix of a path, without .gz; a .parquet compresses itself."""
    name = path.name.lower()
    plain = name.removesuffix(".gz")
    suffix = Path(plain).suffix
    return "" if suffix == ".parquet" and plain != name else suffix


def _open_text(path: Path) -> TextIO:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open("rt", encoding="utf-8-sig", newline="")


def _grouped(lines: Iterator[str], first_line: int) -> Iterator[Block]:
    group: list[str] = []
    for line in lines:
        group.append(line)
        if len(group) == BLOCK_SIZE:
            yield Block(first_line, group)
            first_line += len(group)
            group = []
    if group:
        yield Block(first_line, group)


def _smi(path: Path, _column: str) -> Iterator[Block]:
    with _open_text(path) as file:
        yield from _grouped(((line.split() or [""])[0] for line in file), first_line=1)


def _csv(path: Path, column: str) -> Iterator[Block]:
    with _open_text(path) as file:
        table = csv.DictReader(file)
        _check_column(path, column, list(table.fieldnames or []))
        yield from _grouped(((row[column] or "").strip() for row in table), first_line=2)


def _parquet(path: Path, column: str) -> Iterator[Block]:
    from pyarrow import parquet

    table = parquet.ParquetFile(path)
    _check_column(path, column, table.schema_arrow.names)
    first_line = 1
    for batch in table.iter_batches(batch_size=BLOCK_SIZE, columns=[column]):
        smiles = [text or "" for text in batch.column(0).to_pylist()]
        yield Block(first_line, smiles)
        first_line += len(smiles)


def _check_column(path: Path, column: str, names: list[str]) -> None:
    if column not in names:
        raise InputError(
            "library.column",
            column,
            f"a column of {path} ({', '.join(names) or 'it has none'})",
            "Name the column that holds the SMILES.",
        )
