"""Tables with a line of names, .csv or .tsv: opened, their columns found, their cells read.

All are read through here: the SMILES of libraries, the values of campaigns and replays.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path

from molloop.errors import InputError
from molloop.library.delimited import Record, read_records
from molloop.library.opened import Fraction, file_format, open_text, readable

MADE_BY = ("level", "fidelity")  # columns that say how a value was computed
_DELIMITERS = {".tsv": "\t"}  # of other files: a comma

Row = tuple[int, dict[str, str]]  # line, cells by column


@dataclass(frozen=True)
class OpenTable:
    """A table that is being read.

    Attributes
    ----------
    names
        Of its columns.
    fraction
        Says how much of the file is read, 0 to 1.
    """

    path: Path
    names: list[str]
    fraction: Fraction
    _records: Iterator[Record]

    def records(self, smiles: int) -> Iterator[Record]:
        """Return the rows, once.

        Parameters
        ----------
        smiles
            Place of the column of SMILES.

        Raises
        ------
        InputError
            A row can be read in two ways.
        """
        for record in self._records:
            _check_lines(self.path, record, smiles)
            yield record


def open_table(path: Path, stack: ExitStack, errors: str = "replace") -> OpenTable:
    """Open a table and read its line of names; `errors` says what becomes of what is no UTF-8."""
    text, fraction = open_text(path, stack, errors)
    names, records = read_records(text, _DELIMITERS.get(file_format(path), ","))
    return OpenTable(path, names, fraction, records)


def first_word(text: str) -> str:
    """Return what stands before the first blank: the SMILES of a line or a cell."""
    return text.strip().split(" ")[0].split("\t")[0]


def find_column(path: Path, column: str, names: Sequence[str]) -> int:
    """Return the place of the column of SMILES.

    Raises
    ------
    InputError
        There is none, there are two, or its name is a SMILES: the first line is no line of names.
    """
    if column not in names:
        raise InputError(
            "column",
            column,
            f"a column of {path} ({', '.join(names) or 'it has none'})",
            "The first line names the columns. Name the one with the SMILES: `--column` of "
            "`library build`, library.column of a configuration (`--set library.column=NAME`).",
        )
    if names.count(column) > 1:
        raise InputError("column", column, f"a name that {path} has once", "Rename the others.")
    if _is_smiles(column):
        raise InputError(
            "column",
            column,
            f"a name that is no SMILES, in the first line of {path}",
            "It would not count as a molecule: put a line of names before it, or rename the "
            "column.",
        )
    return names.index(column)


def number(where: str, text: str, largest: float, empty: float | None = None) -> float:
    """Return the number that a cell holds.

    Parameters
    ----------
    where
        File, line and column, for the error.
    largest
        That may stand there, of either sign.
    empty
        What a cell stands for that is empty or says ``nan``; None: such a cell is an error.

    Raises
    ------
    InputError
        It holds none, or a larger one.
    """
    if empty is not None and text.strip().lower() in ("", "nan"):
        return empty
    try:
        value = float(text.replace("_", "x"))  # Python takes 1_5 for 15
    except ValueError:
        value = inf
    if not abs(value) <= largest:  # nan is not
        expected = f"a finite number, {largest:g} at most"
        raise InputError(
            where,
            text,
            expected if empty is None else f"{expected}, or nothing",
            "Mend or remove the line.",
        )
    return value


def check_made_alike(where: str, cells: Mapping[str, str], made_by: dict[str, str]) -> None:
    """Look whether a value was computed as those before it, by the columns `MADE_BY`.

    Parameters
    ----------
    where
        File and line, for the error.
    made_by
        What the lines before say; the first line fills it in.

    Raises
    ------
    InputError
        It was computed in another way.
    """
    for name in MADE_BY:
        said = cells.get(name, "")
        if said != made_by.setdefault(name, said):
            raise InputError(
                f"{where}, {name}",
                said,
                f"{made_by[name]!r}, as the lines before",
                "Values that were computed in different ways do not compare: keep the lines of "
                "one.",
            )


@contextmanager
def rows_of(
    path: Path, what: str, columns: Sequence[str], others: Sequence[str] | None = ()
) -> Iterator[Iterator[Row]]:
    """Open a table of values, .csv or .tsv: its rows as cells by column, each with its line.

    Parameters
    ----------
    what
        The name that the user knows the file by.
    columns
        That it must have; the first one holds the SMILES.
    others
        That it may have; None: any that has a name of its own.

    Raises
    ------
    InputError
        It cannot be read, lacks a column or has one twice; while it is read: a row has not as many
        cells as the header, or can be read in two ways.
    """
    if path.exists() and not path.is_file():
        raise InputError(what, str(path), "a file", "A pipe or a device may never end: save it.")
    with readable(path, what), ExitStack() as stack:
        table = open_table(path, stack, errors="strict")
        if missing := [name for name in columns if name not in table.names]:
            raise InputError(
                f"the columns of {path}",
                ", ".join(table.names),
                " and ".join(columns),
                f"Add {' and '.join(missing)} to its first line, which names the columns.",
            )
        if others is None:
            others = [name for name in table.names if name and table.names.count(name) == 1]
        for name in (*columns, *others):
            if table.names.count(name) > 1:
                raise InputError(
                    f"the columns of {path}", name, "each name once", "Rename all but one."
                )
        kept = [name for name in (*columns, *others) if name in table.names]
        yield _rows(table, {name: table.names.index(name) for name in kept}, columns[0])


def _rows(table: OpenTable, places: Mapping[str, int], smiles: str) -> Iterator[Row]:
    for record in table.records(places[smiles]):
        if record.fault:
            raise InputError(
                f"{table.path}, line {record.line}",
                record.fault,
                "a cell a column",
                "Quote the cells that hold the delimiter, or remove the line.",
            )
        yield record.line, {name: record.cells[place] for name, place in places.items()}


def _check_lines(path: Path, record: Record, place: int) -> None:
    """Raise InputError where a cell of several lines holds lines that may be molecules.

    A line with as many cells as the header may have a name behind its SMILES. In others the SMILES
    is alone in its cell, as texts may begin with one: ``I think``, or ``C 0.0 0.1`` of coordinates.
    """
    for line, cells in record.others:
        cell = cells[place].strip().strip('"').strip() if place < len(cells) else ""
        if len(cells) != len(record.cells) and cell != first_word(cell):
            continue
        if cell and _is_smiles(cell):
            raise InputError(
                f"{path}, line {line}",
                " | ".join(cells),
                "a row, or a part of a quoted cell of the row that begins in line "
                f"{record.first_line}; it may be both",
                "If it is a row, remove the quotation mark that opens the cell, in line "
                f"{record.first_line} or below; if not, remove the line ends in the cell.",
            )


def _is_smiles(text: str) -> bool:
    from molloop.smiles import is_smiles

    return is_smiles(first_word(text))
