"""What the first lines of a text say: what parts the cells, what names the columns, which is which.

A name that is known decides, then what the cells hold, then the end of the file's name.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import mode

from molloop.errors import InputError
from molloop.library.reading.columns import (
    find_texts,
    has_names,
    listed,
    other_columns,
    place_of,
    places_of,
)
from molloop.library.reading.delimited import read_records
from molloop.library.reading.format import AS_ASKED, Format, TextKind
from molloop.library.reading.opened import ending
from molloop.library.reading.options import Reading
from molloop.library.reading.parts import looks_like_molecule, part
from molloop.library.reading.preamble import preamble_of, without

SAMPLE = 30  # rows
MOST_COLUMNS = 30  # that are looked at
MOST_COMMENTS = 2**16  # signs: of a file that is looked at in part, they would hide the rest
# what may part the cells, what a file's end promises first
_SEPARATORS = {".csv": ",;\t ", ".tsv": "\t,; "}
_ANY = "\t,; "
_INCHI = "InChI=1"
# 12.5, <3, -5 eV; 2,4-D and numbers with hyphens are names
_NUMBER = re.compile(r"[<>~=]*\s*[-+]?[\d.,]+(e[-+]?\d+)?(\s.*)?|nan", re.IGNORECASE)


@dataclass(frozen=True)
class _Table:
    """The first rows of a text, as a separator parts them; the first one may be a header."""

    separator: str
    rows: list[list[str]]

    @property
    def first(self) -> list[str]:
        return self.rows[0] if self.rows else []

    def cells(self, column: int) -> list[str]:
        """Return what stands in a column below the first row; if there is one only, in that."""
        rows = self.rows[1:] or self.rows
        return [row[column] for row in rows if column < len(row) and row[column].strip()]


def look_at_text(path: Path, head: str, reading: Reading) -> Format:
    """Understand a file of lines or a table by its first lines.

    Raises
    ------
    InputError
        A column that is named is not there, or the column of the molecules is not known.
    """
    before = preamble_of(head, reading)
    n_signs = len(head)
    head = without(head, before.n_lines)
    if before.n_lines and not head.strip() and n_signs > MOST_COMMENTS:
        raise InputError(
            "library",
            str(path),
            f"a line of a table among its first {n_signs:,} signs",
            "All of these lines are comments: remove them.",
        )
    if before.separator and reading.separator is None:
        reading = replace(reading, separator=before.separator)
    table = _parted(path, head, reading)
    first = table.first
    named = None if reading.no_header else _named(path, table, reading)
    if named is not None:
        column, kind, found = named
        columns = tuple(first)
    else:
        columns = tuple(str(number + 1) for number in range(_n_cells(table, reading)))
        column, kind, found = _by_content(path, table, columns, reading)
    cells = table.cells(column)
    if cells:
        n_inchi = sum(cell.strip().startswith(_INCHI) for cell in cells)
        kind = "inchi" if 2 * n_inchi > len(cells) else "smiles"
    name, kept = other_columns(path, columns, column, reading)
    beside = 1 if column == 0 else 0  # a name stands beside its SMILES, as in a .smi
    is_beside = named is None and len(columns) == 2 and _holds_names(table, beside)
    has_names = table.separator == " " or (table.separator == "\t" and named is None)
    if name is None and (has_names or is_beside) and len(columns) > 1:
        name = beside
    return Format(
        "text",
        kind,
        columns,
        column,
        found,
        name,
        kept,
        table.separator,
        named is not None,
        before.n_lines,
        first=tuple(first),
    )


def _named(path: Path, table: _Table, reading: Reading) -> tuple[int, TextKind, str] | None:
    """Return the column of the molecules by the names in the first row; None: it has no names."""
    from molloop.smiles import is_smiles

    first, wanted = table.first, reading.column
    asked = places_of(wanted, first) if wanted is not None and not wanted.isdigit() else []
    if asked and wanted is not None:
        if is_smiles(part(wanted)[0]):
            raise InputError(
                "column",
                wanted,
                f"a number: the first line of {path} holds a molecule, and no names",
                f"It would not count: give `{reading.column_said(asked[0] + 1)} "
                f"{reading.spelling.no_header}`, or "
                "rename the column if it is a name.",
            )
        return place_of(path, wanted, first), "smiles", AS_ASKED
    known = find_texts(path, first, reading)
    if known and _is_row(table, known[0]):
        known = None
    if wanted is not None and wanted.isdigit():
        # cells of a molecule's row are no names, though one may be this number
        names = first if known else [str(place + 1) for place in range(len(first))]
        column = place_of(path, wanted, names)
        cell = part(first[column])[0]
        if known or not looks_like_molecule(cell):
            # names now, of which this may be one
            return place_of(path, wanted, first), "smiles", AS_ASKED
        return None
    if known and wanted is not None:
        place_of(path, wanted, first)  # says that it is not there
    return None if known is None else (*known, "by its name")


def _holds_names(table: _Table, column: int) -> bool:
    """Whether no cell is a number or a measured value, and no two are the same, as labels are."""
    cells = [row[column].strip() for row in table.rows if column < len(row) and row[column].strip()]
    return len(set(cells)) == len(cells) and not any(map(_NUMBER.fullmatch, cells))


def _is_row(table: _Table, column: int) -> bool:
    """Whether a first row with a known name is a molecule that is called so: ``CCO,smiles``."""
    below = _n_molecules(table, column)
    return any(
        looks_like_molecule(part(cell)[0]) and _n_molecules(table, place) > below
        for place, cell in enumerate(table.first)
    )


def _n_cells(table: _Table, reading: Reading) -> int:
    """Return how many cells a row of a text without names has; a name may stand in any line."""
    if table.separator != " ":
        return mode([len(row) for row in table.rows if row] or [1])
    asked = (reading.column, reading.name_column, *reading.keep_columns)
    numbers = [int(one) for one in asked if one is not None and one.isdigit() and len(one) < 3]
    return max([2, *numbers])


def _by_content(
    path: Path, table: _Table, columns: Sequence[str], reading: Reading
) -> tuple[int, TextKind, str]:
    """Return the column of the molecules of a text without names.

    Raises
    ------
    InputError
        The first row may be one of names, or a name is asked for.
    """
    if reading.column is not None and reading.column.isdigit():
        return place_of(path, reading.column, columns), "smiles", AS_ASKED
    best = max(range(min(len(columns), MOST_COLUMNS)), key=lambda one: _n_molecules(table, one))
    is_table = table.separator in ",;" or ending(path) in _SEPARATORS
    first = table.first
    cell = part(first[best])[0] if best < len(first) else ""
    is_molecule = looks_like_molecule(cell)
    if is_table and reading.column is not None:
        raise InputError(
            "column",
            reading.column,
            f"a column of {path} ({listed(first) or 'it has none'})",
            f"Its first line holds a molecule, and no names: `{reading.column_said(best + 1)}`."
            if is_molecule
            else "Give the name of the one with the SMILES, or its number from 1.",
        )
    if is_table and first and not is_molecule and not reading.no_header:
        holds = f"If it is column {best + 1}" if _n_molecules(table, best) else "If it is one"
        raise InputError(
            "column",
            None,
            f"the column of SMILES in {path}, {_first_lines(table)}",
            f"{holds}, {reading.remedy(best + 1)}. If there is no line of names, "
            f"`{reading.spelling.no_header}`.",
        )
    return best, "smiles", "by what it holds"


def _first_lines(table: _Table) -> str:
    """Say what the first three lines were understood to hold."""
    told = (
        f"{which} line has {listed(row, most) or 'another number of cells'}"
        for row, (which, most) in zip(
            table.rows, (("whose first", 20), ("the second", 8), ("the third", 8)), strict=False
        )
    )
    return "; ".join(told)


def _parted(path: Path, head: str, reading: Reading) -> _Table:
    """Return the first rows, parted by what parts them best."""
    if reading.separator is not None:
        return _table(head, reading.separator, reading)
    order = _SEPARATORS.get(ending(path), _ANY)
    tables = [_table(head, separator, reading) for separator in order]
    *cells, words = [len(one.first) > 1 and has_names(one.first, reading) for one in tables]
    if any(cells):
        return tables[cells.index(True)]
    # one column, of InChI perhaps, whose commas part nothing
    lines = [line.strip() for line in head.splitlines() if line.strip()][: SAMPLE + 1]
    alone = _share([_is_molecule(line.strip('"')) for line in lines[1:] or lines])
    is_quoted = alone > 0 and any(line.startswith('"') for line in lines)
    if words and alone < 1 and not looks_like_molecule(tables[-1].first[0]):
        return tables[-1]
    shares = [_share_of_rows(table, is_strict=order is _ANY) for table in tables]
    if max(shares) > alone:
        return tables[shares.index(max(shares))]
    if order is _ANY and not is_quoted:
        return tables[-1]
    return _table(head, "\t", reading) if alone else tables[0]


def _table(head: str, separator: str, reading: Reading) -> _Table:
    lines = enumerate(io.StringIO(head, newline=""), start=1)
    if separator == " ":
        texts = [text.strip() for _, text in islice(lines, SAMPLE + 1) if text.strip()]
        words = texts[0].split() if texts else []
        n_cells = len(words) if has_names(words, reading) else 2
        return _Table(" ", [text.split(None, max(1, n_cells - 1)) for text in texts])
    first, records = read_records(lines, separator)
    rows = [record.cells for record in islice(records, SAMPLE)]
    return _Table(separator, [first, *rows] if first else [])


def _share_of_rows(table: _Table, *, is_strict: bool) -> float:
    """Return in how many of the rows a column, the best one, holds a molecule.

    Strictly, commas and semicolons part no names, as they may stand in them.
    """
    is_strict = is_strict and table.separator in ",;"
    width = mode([len(row) for row in table.rows] or [0])
    if width < 2:
        return 0.0
    rows = table.rows[1:] or table.rows
    return max(
        _share(
            [len(row) == width and _is_molecule(row[place], is_strict=is_strict) for row in rows]
        )
        for place in range(min(width, MOST_COLUMNS))
    )


def _n_molecules(table: _Table, column: int) -> int:
    return sum(_is_molecule(cell, is_strict=False) for cell in table.cells(column))


def _is_molecule(text: str, *, is_strict: bool = True) -> bool:
    """Whether a text is a SMILES or an InChI, strictly with no name behind it."""
    from molloop.smiles import is_smiles

    found, name = part(text)
    if name and is_strict:
        return False
    return found.startswith(_INCHI) or is_smiles(found.partition(" ")[0])


def _share(are_good: Sequence[bool]) -> float:
    return sum(are_good) / len(are_good) if are_good else 0.0
