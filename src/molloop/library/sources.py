"""Files of SMILES, read a block at a time."""

import csv
import io
import os
import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import IO

from molloop.errors import InputError

BLOCK_SIZE = 4096
BUFFER_BYTES = 2**20
BUILT_IN = {"qm9": "qm9.parquet"}
SUFFIXES = (".smi", ".csv", ".tsv", ".parquet")
FORMATS = ".smi, .csv, .tsv or .parquet, also with .gz or .zst behind"
_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}

MAX_RECORD_LINES = 16

Entry = tuple[int, str]  # line, SMILES
Row = tuple[int, list[str]]  # line, cells
Fraction = Callable[[], float]  # of the file, read so far


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a source.

    Attributes
    ----------
    file
        That holds them.
    lines
        Where each entry stands in it: line numbers, or rows of a .parquet, from 1.
    smiles
        Of each, as the file has it.
    fraction
        How much of the source is read when this block is, 0 to 1.
    """

    file: str
    lines: list[int]
    smiles: list[str]
    fraction: float


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
            f"a built-in library ({', '.join(BUILT_IN)}), a library's folder or a file of SMILES",
            "Check the path.",
        )
    if file_format(path) not in SUFFIXES:
        raise InputError("library", source, f"a file of the format {FORMATS}", "Convert the file.")
    return path.resolve()


def printable(name: str) -> str:
    """Return a file's name, with another sign for what is no UTF-8 in it."""
    return os.fsencode(name).decode("utf-8", "replace")


def file_format(path: Path) -> str:
    """Suffix of a path, without that of the compression."""
    name = path.name.lower()
    return Path(name.removesuffix(_compression_suffix(path))).suffix


def blocks(paths: Sequence[Path], column: str) -> Iterator[Block]:
    """Read files of SMILES one after the other.

    Parameters
    ----------
    paths
        A .smi file holds a SMILES a line, the others hold it in a column; what follows a blank is
        ignored. What is no UTF-8, or a broken record, is read as something that is no SMILES.
    column
        Name of that column.

    Raises
    ------
    InputError
        A file cannot be read, or has no such column.
    """
    for path in paths if len(paths) > 1 else ():
        with _entries(path, column):
            pass  # a column that is missing is told now, not after hours
    sizes = [path.stat().st_size for path in paths]
    for number, (path, title) in enumerate(zip(paths, titles(paths), strict=True)):
        with _entries(path, column) as (entries, fraction):
            while group := list(islice(entries, BLOCK_SIZE)):
                lines = [line for line, _ in group]
                # a line end within a cell is no blank: what is around it is no SMILES
                smiles = [first_word(text) for _, text in group]
                done = sum(sizes[:number]) + fraction() * sizes[number]
                yield Block(title, lines, smiles, done / sum(sizes))


def first_word(text: str) -> str:
    """Return what stands before the first blank: the SMILES of a line or a cell."""
    return text.strip().split(" ")[0].split("\t")[0]


def titles(paths: Sequence[Path]) -> list[str]:
    """Return the names of files; their whole paths, where two have the same name."""
    names = Counter(path.name for path in paths)
    return [printable(path.name if names[path.name] == 1 else str(path)) for path in paths]


@contextmanager
def _entries(path: Path, column: str) -> Iterator[tuple[Iterator[Entry], Fraction]]:
    with _readable(path), ExitStack() as stack:
        read = {".smi": _smi, ".parquet": _parquet}.get(file_format(path), _table)
        yield read(path, column, stack)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, ValueError, NotImplementedError, csv.Error) as error:
        raise InputError(
            "library", str(path), "a file that can be read", f"It fails with: {error}."
        ) from error


def _compression_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return suffix if suffix in _COMPRESSIONS else ""


def _open(path: Path, stack: ExitStack) -> tuple[IO[bytes], Fraction]:
    """Open a file as if it were not compressed."""
    import pyarrow as pa

    file: IO[bytes] = stack.enter_context(path.open("rb"))
    size = path.stat().st_size
    plain = file
    if suffix := _compression_suffix(path):
        stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), _COMPRESSIONS[suffix])
        plain = stack.enter_context(io.BufferedReader(stream, BUFFER_BYTES))
    return plain, lambda: file.tell() / size


def _open_text(path: Path, stack: ExitStack) -> tuple[io.TextIOWrapper, Fraction]:
    file, fraction = _open(path, stack)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    return stack.enter_context(text), fraction


def _smi(path: Path, _column: str, stack: ExitStack) -> tuple[Iterator[Entry], Fraction]:
    text, fraction = _open_text(path, stack)
    return enumerate(text, start=1), fraction


def _table(path: Path, column: str, stack: ExitStack) -> tuple[Iterator[Entry], Fraction]:
    text, fraction = _open_text(path, stack)
    rows = _records(text) if file_format(path) == ".csv" else _split_at_tabs(text)
    _, names = next(rows, (0, []))
    place = _find_column(path, column, names)
    cells = ((line, row[place] if place < len(row) else "") for line, row in rows)
    return cells, fraction


def _split_at_tabs(text: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(text, start=1):
        if cells := line.rstrip("\r\n"):
            yield number, cells.split("\t")


def _records(text: Iterable[str]) -> Iterator[Row]:
    """Read records of a .csv file, each with the number of its last line.

    A quotation mark that is not closed within some lines makes one bad record of its own line.
    """
    lines = enumerate(text, start=1)
    waiting: deque[tuple[int, str]] = deque()

    def following() -> tuple[int, str] | None:
        return waiting.popleft() if waiting else next(lines, None)

    while (first := following()) is not None:
        record = [first]
        while is_open := _is_open(record):
            more = following() if len(record) < MAX_RECORD_LINES else None
            if more is None:
                break
            record.append(more)
        if is_open:
            waiting.extendleft(reversed(record[1:]))
            yield first[0], []
            continue
        try:
            row = next(csv.reader([line for _, line in record]), [])
        except csv.Error:  # a field of more than 131,072 characters
            row = []
        if row or record[0][1].strip():
            yield record[-1][0], row


def _is_open(record: Sequence[tuple[int, str]]) -> bool:
    """Whether a quoted cell goes on after these lines."""
    if not any('"' in line for _, line in record):
        return False
    try:
        # one that is strict says so; other faults of quotation marks are let pass
        next(csv.reader([line for _, line in record], strict=True), None)
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _parquet(path: Path, column: str, stack: ExitStack) -> tuple[Iterator[Entry], Fraction]:
    import pyarrow as pa
    from pyarrow import parquet

    file, _ = _open(path, stack)
    if _compression_suffix(path):
        # a .parquet is read from its end
        whole = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        shutil.copyfileobj(file, whole)
        file = whole
    table = parquet.ParquetFile(file)
    kind = table.schema_arrow.field(_find_column(path, column, table.schema_arrow.names)).type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise InputError(
            "column", column, f"a column of text in {path}", f"It holds {kind}: name another."
        )
    n_read = 0

    def entries() -> Iterator[Entry]:
        nonlocal n_read
        for batch in table.iter_batches(batch_size=BLOCK_SIZE, columns=[column]):
            texts = batch.column(0).cast(pa.large_string()).cast(pa.large_binary())
            for text in texts.to_pylist():
                n_read += 1
                yield n_read, (text or b"").decode(errors="replace")

    return entries(), lambda: n_read / table.metadata.num_rows


def _find_column(path: Path, column: str, names: Sequence[str]) -> int:
    if column not in names:
        raise InputError(
            "column",
            column,
            f"a column of {path} ({', '.join(names) or 'it has none'})",
            "Name the one with the SMILES: `--column` of `library build`, library.column of a "
            "configuration (`--set library.column=NAME`).",
        )
    return names.index(column)
