"""Files of molecules, read a block at a time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

from molloop.errors import InputError
from molloop.library.choices import BUILT_IN
from molloop.library.reading.entries import opened_entries
from molloop.library.reading.format import Entry, Format, TextKind
from molloop.library.reading.look import look
from molloop.library.reading.opened import Fraction
from molloop.library.reading.options import Reading
from molloop.library.reading.readable import can_be_read, understood
from molloop.texts import each, utf8_text

BLOCK_SIZE = 4096
BLOCK_CHARACTERS = 2**24  # of texts, names and what is kept
# raised where the same file becomes other lines, or another library
TEXT_VERSION = 4
SDF_VERSION = 5
N_SHOWN = 3


class NothingReadError(InputError):
    """Of all lines of a file, none holds a molecule."""


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
        There is no such file.
    """
    if source in BUILT_IN:
        return Path(str(resources.files("molloop.library") / "data" / BUILT_IN[source]))
    try:
        path = Path(source).expanduser()
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, RuntimeError):  # too long a name, an unknown user
        is_file = is_folder = False
    if not is_file:
        raise InputError(
            "library",
            source,
            f"a built-in library ({', '.join(BUILT_IN)}), a library's folder, or a file",
            "It is a folder without a library." if is_folder else "Check the path.",
        )
    return path.resolve()


def reader_of(file_format: Format) -> str:
    """Return what decides how a file is read: libraries that another one built are not kept."""
    match file_format.kind:
        case "text":
            return f"text {TEXT_VERSION}"
        case "sdf":
            return f"sdf {SDF_VERSION}"
    return file_format.kind


def blocks(
    paths: Sequence[Path],
    reading: Reading | None = None,
    formats: Sequence[Format] | None = None,
) -> Iterator[Block]:
    """Read files of molecules one after the other.

    Parameters
    ----------
    reading
        What the user says of them; None: nothing.
    formats
        Of the files; None: they are looked at, all of them now and not after hours.

    Raises
    ------
    NothingReadError
        A file holds nothing that can be read; its lines were returned before.
    InputError
        A file cannot be read, has no column that is known or asked for, or can be read in two ways.
    """
    reading = reading or Reading()
    if formats is None:
        formats = [look(path, reading) for path in paths]
    sizes = [path.stat().st_size for path in paths]
    for number, (path, title) in enumerate(zip(paths, titles(paths), strict=True)):
        before, size = sum(sizes[:number]), sizes[number]
        for block in _blocks_of(path, title, formats[number], reading.keep_columns):
            done = before + block.fraction * size
            yield replace(block, fraction=done / max(1, sum(sizes)))


def _blocks_of(
    path: Path, title: str, file_format: Format, keep_columns: Sequence[str]
) -> Iterator[Block]:
    shown: list[Entry] = []
    is_read = False
    with opened_entries(path, file_format, "library") as (entries, fraction):
        for group in _groups(entries):
            shown += group[: N_SHOWN - len(shown)]
            is_read = is_read or any(can_be_read(one, file_format.text_kind) for one in group)
            yield _block(title, group, fraction, file_format, keep_columns)
    if not shown:
        raise InputError(
            "library", str(path), "at least one molecule", "It is empty: leave it out."
        )
    if not is_read:
        raise NothingReadError(
            "library",
            str(path),
            "at least one molecule",
            f"None could be read as the file was understood: {file_format}. "
            f"{understood(shown, file_format)}.",
        )


def _groups(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    """Part entries into groups of bounded size."""
    group: list[Entry] = []
    n_characters = 0
    for entry in entries:
        group.append(entry)
        n_characters += len(entry.text) + len(entry.name)
        if entry.kept:
            n_characters += sum(map(len, entry.kept))
        if len(group) == BLOCK_SIZE or n_characters > BLOCK_CHARACTERS:
            yield group
            group, n_characters = [], 0
    if group:
        yield group


def _block(
    title: str,
    group: Sequence[Entry],
    fraction: Fraction,
    file_format: Format,
    keep_columns: Sequence[str],
) -> Block:
    lines, texts, names, kept, _ = map(list, zip(*group, strict=True))
    columns = zip(*kept, strict=True) if keep_columns else ()
    return Block(
        title,
        lines,
        texts,
        each(utf8_text, names),
        fraction(),
        {entry.line: entry.fault for entry in group if entry.fault},
        file_format.text_kind,
        {
            name: each(utf8_text, list(cells))
            for name, cells in zip(keep_columns, columns, strict=True)
        },
    )


def titles(paths: Sequence[Path]) -> list[str]:
    """Return the names of files; their whole paths, where two have the same name."""
    names = Counter(path.name for path in paths)
    return [utf8_text(path.name if names[path.name] == 1 else str(path)) for path in paths]
