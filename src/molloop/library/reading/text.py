"""Lines and tables in text become entries."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from molloop.errors import InputError
from molloop.library.reading.delimited import Record, read_records
from molloop.library.reading.format import Entry, Format
from molloop.library.reading.opened import Fraction, Line, numbered_lines, open_text
from molloop.library.reading.parts import part
from molloop.texts import sheet_text

_BLANKS = re.compile(r"[ \t]+")
# a cell with a CXSMILES extension, such as |^1:0|, |$;R$| or |(0,0,)|; others hold notes
_TAGS = r"a|c|t|ctu|w[UD]?|[HCmfsu]|lp|LN|rb|Sg[DH]?|RG|LOG|THB|TLB|TEB|atomProp"
_EXTENSION = re.compile(rf"\s*\|(?:\^\d|[&o]\d|(?:{_TAGS}):\S|[$(]|r(?=[,|]))[^|]*\|\s*")


def read_text(
    path: Path, file_format: Format, stack: ExitStack
) -> tuple[Iterator[Entry], Fraction]:
    """Open a file of lines or a table."""
    text, fraction = open_text(path, stack)
    lines = islice(numbered_lines(path, text), file_format.n_before, None)
    read = _read_lines if file_format.separator == " " else _read_table
    return read(path, lines, file_format), fraction


def words_of(line: str, n_cells: int, column: int) -> list[str]:
    """Return the cells of a line that blanks part; the last one takes what is left.

    A CXSMILES extension stays with the SMILES, in the cell `column`.
    """
    before = _BLANKS.split(line.strip(" \t\r\n"), column) if column else [line]
    text, rest = part(before.pop()) if len(before) > column else ("", "")
    most = n_cells - column - 2
    behind = [rest] if most == 0 else _BLANKS.split(rest, most) if most > 0 else []
    cells = [*before, text, *behind]
    return cells + [""] * (n_cells - len(cells))


def _read_lines(_path: Path, lines: Iterator[Line], file_format: Format) -> Iterator[Entry]:
    column = file_format.column or 0
    cells_of = _picked(file_format)
    is_header = file_format.has_header
    n_columns = len(file_format.columns)
    # names behind a header of one word, and the most frequent of large files
    is_plain = n_columns == 1 or (n_columns, column, file_format.kept, is_header) == (2, 0, (), 0)
    for number, line in lines:
        if is_header:
            is_header = not line.strip()
            continue
        if is_plain:
            text, name = part(line)
            yield Entry(number, text, name)
            continue
        cells = words_of(line, n_columns, column)
        yield Entry(number, cells[column], *cells_of(cells))


def _read_table(path: Path, lines: Iterator[Line], file_format: Format) -> Iterator[Entry]:
    column = file_format.column or 0
    cells_of = _picked(file_format)
    _, records = read_records(
        lines,
        file_format.separator,
        has_header=file_format.has_header,
        n_cells=len(file_format.columns),
    )
    empty = ("",) * len(file_format.kept)
    for record in records:
        if record.fault:
            yield Entry(record.line, "", "", empty, record.fault)
            continue
        if record.others:
            _check_lines(path, record, column)
        cells = _with_extension(record.cells, column, file_format)
        text, behind = part(cells[column])
        name, kept = cells_of(cells)
        yield Entry(record.line, text, name or behind, kept)


def _with_extension(cells: list[str], column: int, file_format: Format) -> list[str]:
    """Return the cells of a row, a CXSMILES extension that a tab parts from its SMILES with it."""
    behind = column + 1
    if file_format.separator != "\t" or not _EXTENSION.fullmatch("".join(cells[behind:][:1])):
        return cells
    joined = [*cells[:column], f"{cells[column].strip()} {cells[behind].strip()}"]
    # names of columns stand where they are; without them the next cell is the name
    rest = ["", *cells[behind + 1 :]] if file_format.has_header else [*cells[behind + 1 :], ""]
    return joined + rest


def _picked(file_format: Format) -> Callable[[Sequence[str]], tuple[str, tuple[str, ...]]]:
    """Return what picks the name and what is kept from the cells of a row."""
    name, kept = file_format.name, file_format.kept
    if name is None and not kept:
        return lambda _: ("", ())
    return lambda cells: (
        "" if name is None else sheet_text(cells[name].strip()),
        tuple([sheet_text(cells[place]) for place in kept]),
    )


def _check_lines(path: Path, record: Record, place: int) -> None:
    """Raise InputError where a cell of several lines holds lines that may be molecules.

    A line with as many cells as the header may have a name behind its SMILES. In others the SMILES
    is alone in its cell, as texts may begin with one: ``I think``, or ``C 0.0 0.1`` of coordinates.
    The last line is the end of the row where the first one is its beginning and no row.
    """
    from molloop.smiles import is_smiles

    for line, cells in record.others if record.is_alone else record.others[:-1]:
        cell = cells[place].strip().strip('"').strip() if place < len(cells) else ""
        smiles, *rest = cell.split(None, 1) or [""]
        if len(cells) != len(record.cells) and rest:
            continue
        if is_smiles(smiles):
            raise InputError(
                f"{path}, line {line}",
                " | ".join(cells)[:200],
                "a row, or a part of a quoted cell of the row that begins in line "
                f"{record.first_line}; it may be both",
                "If it is a row, remove the quotation mark that opens the cell, in line "
                f"{record.first_line} or below; if not, remove the line ends in the cell.",
            )
