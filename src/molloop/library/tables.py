"""Tables with a line of names: the column of SMILES, and rows of values."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from molloop.errors import InputError
from molloop.library.delimited import Record, read_records
from molloop.library.opened import file_format, open_text, readable

_DELIMITERS = {".tsv": "\t"}  # of other files: a comma

Row = tuple[int, dict[str, str]]  # line, cells by column


def delimiter_of(path: Path) -> str:
    """Return what stands between the cells of a file."""
    return _DELIMITERS.get(file_format(path), ",")


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


def check_lines(path: Path, record: Record, place: int) -> None:
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
        text, _ = open_text(path, stack, errors="strict")
        names, records = read_records(text, delimiter_of(path))
        if missing := [name for name in columns if name not in names]:
            raise InputError(
                f"the columns of {path}",
                ", ".join(names),
                " and ".join(columns),
                f"Add {' and '.join(missing)} to its first line, which names the columns.",
            )
        if others is None:
            others = [name for name in names if name and names.count(name) == 1]
        for name in (*columns, *others):
            if names.count(name) > 1:
                raise InputError(
                    f"the columns of {path}", name, "each name once", "Rename all but one."
                )
        places = {name: names.index(name) for name in (*columns, *others) if name in names}
        yield _rows(path, places, records, places[columns[0]])


def _rows(
    path: Path, places: Mapping[str, int], records: Iterator[Record], smiles: int
) -> Iterator[Row]:
    for record in records:
        check_lines(path, record, smiles)
        if record.fault:
            raise InputError(
                f"{path}, line {record.line}",
                record.fault,
                "a cell a column",
                "Quote the cells that hold the delimiter, or remove the line.",
            )
        yield record.line, {name: record.cells[place] for name, place in places.items()}


def _is_smiles(text: str) -> bool:
    from molloop.library.features import parse_any

    return parse_any(first_word(text)) is not None
