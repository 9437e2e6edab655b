"""Files of SMILES, read a block at a time."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Literal

from molloop.errors import InputError
from molloop.library.opened import (
    Fraction,
    compression_suffix,
    file_format,
    open_plain,
    open_text,
    readable,
)
from molloop.library.tables import find_column, open_table
from molloop.texts import utf8_text

BLOCK_SIZE = 4096
BUILT_IN = {"qm9": "qm9.parquet"}
SUFFIXES = (".smi", ".csv", ".tsv", ".parquet")
FORMATS = ".smi, .csv, .tsv or .parquet, also with .gz or .zst behind"
TEXT_VERSION = 2  # raised where the same file of text becomes other lines

TextKind = Literal["smiles", "inchi", "molblock"]
Entry = tuple[int, str, str]  # line, SMILES, what is wrong with the line


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a source.

    Attributes
    ----------
    file
        That holds them.
    lines
        Where each entry stands in it: line numbers, or rows of a .parquet, from 1.
    texts
        What each stands for, as the file has it: all of the same kind.
    names
        What the file calls each; empty where it says nothing.
    fraction
        How much of the source is read when this block is, 0 to 1.
    faults
        What is wrong with lines that hold no molecule for another reason than what stands there.
    kind
        Of the texts.
    kept
        Cells of further columns that are kept, by their names.
    """

    file: str
    lines: list[int]
    texts: list[str]
    names: list[str]
    fraction: float
    faults: dict[int, str] = field(default_factory=dict)
    kind: TextKind = "smiles"
    kept: dict[str, list[str]] = field(default_factory=dict)


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


def reader_of(path: Path) -> str:
    """Return what decides how a file is read: libraries that another one built are not kept."""
    kind = file_format(path)
    return kind if kind == ".parquet" else f"{kind} {TEXT_VERSION}"


def blocks(paths: Sequence[Path], column: str) -> Iterator[Block]:
    """Read files of SMILES one after the other.

    Parameters
    ----------
    paths
        A .smi file holds a SMILES a line, the others hold it in a column; what follows a blank is
        its name. What is no UTF-8, or no row of the table, is read as something that is no SMILES.
    column
        Name of that column.

    Raises
    ------
    InputError
        A file cannot be read, is empty, has no such column, or can be read in two ways.
    """
    for path in paths if len(paths) > 1 else ():
        with _entries(path, column):
            pass  # a column that is missing is told now, not after hours
    sizes = [path.stat().st_size for path in paths]
    for number, (path, title) in enumerate(zip(paths, titles(paths), strict=True)):
        is_empty = True
        with _entries(path, column) as (entries, fraction):
            while group := list(islice(entries, BLOCK_SIZE)):
                is_empty = False
                lines = [line for line, _, _ in group]
                parts = [text.strip().replace("\t", " ").partition(" ") for _, text, _ in group]
                smiles = [first for first, _, _ in parts]
                names = [utf8_text(rest.strip()) for _, _, rest in parts]
                faults = {line: fault for line, _, fault in group if fault}
                done = sum(sizes[:number]) + fraction() * sizes[number]
                yield Block(title, lines, smiles, names, done / sum(sizes), faults)
        if is_empty:
            raise InputError(
                "library", str(path), "a file with one line of SMILES at least", "Leave it out."
            )


def titles(paths: Sequence[Path]) -> list[str]:
    """Return the names of files; their whole paths, where two have the same name."""
    names = Counter(path.name for path in paths)
    return [utf8_text(path.name if names[path.name] == 1 else str(path)) for path in paths]


@contextmanager
def _entries(path: Path, column: str) -> Iterator[tuple[Iterator[Entry], Fraction]]:
    with readable(path, "library"), ExitStack() as stack:
        read = {".smi": _smi, ".parquet": _parquet}.get(file_format(path), _table)
        yield read(path, column, stack)


def _smi(path: Path, _column: str, stack: ExitStack) -> tuple[Iterator[Entry], Fraction]:
    text, fraction = open_text(path, stack)
    return ((number, line, "") for number, line in enumerate(text, start=1)), fraction


def _table(path: Path, column: str, stack: ExitStack) -> tuple[Iterator[Entry], Fraction]:
    table = open_table(path, stack)
    place = find_column(path, column, table.names)

    def entries() -> Iterator[Entry]:
        for record in table.records(place):
            yield record.line, "" if record.fault else record.cells[place], record.fault

    return entries(), table.fraction


def _parquet(path: Path, column: str, stack: ExitStack) -> tuple[Iterator[Entry], Fraction]:
    import pyarrow as pa
    from pyarrow import parquet

    file, _ = open_plain(path, stack)
    if compression_suffix(path):
        # a .parquet is read from its end
        whole = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        shutil.copyfileobj(file, whole)
        file = whole
    table = parquet.ParquetFile(file)
    kind = table.schema_arrow.field(find_column(path, column, table.schema_arrow.names)).type
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
                yield n_read, (text or b"").decode(errors="replace"), ""

    return entries(), lambda: n_read / table.metadata.num_rows
