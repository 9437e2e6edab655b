"""Values that come from elsewhere, an experiment or another code, in a file."""

from dataclasses import dataclass
from pathlib import Path

from molloop.errors import InputError
from molloop.goal import OTHER_COLUMNS
from molloop.library.tables import MADE_BY, Row, check_made_alike, first_word, number, rows_of
from molloop.simulate.outcome import LARGEST_VALUE

SMILES = "smiles"
TRAINING_DATA, PENDING, COLUMN = "training data", "pending", "column"


@dataclass(frozen=True, slots=True)
class Measured:
    """Values, and the molecules that were tried and gave none.

    Attributes
    ----------
    column
        What the values are called.
    values
        Where each stands, its SMILES and its value.
    without
        Where each molecule without a value stands, and its SMILES.
    """

    column: str
    values: tuple[tuple[str, str, float], ...]
    without: tuple[tuple[str, str], ...] = ()


def read_measured(path: Path, column: str | None = None) -> Measured:
    """Read a table of SMILES and values; a cell that is empty or ``nan`` holds no value.

    Parameters
    ----------
    path
        A .csv or .tsv file, also compressed, with the molecules in ``smiles``.
    column
        Of the values; None: the one whose cells are numbers.

    Raises
    ------
    InputError
        The file, a column or a value cannot be read; several columns hold numbers, and none was
        named; or its columns ``level`` and ``fidelity`` say that values were computed in different
        ways.
    """
    if column == SMILES:
        raise InputError(COLUMN, column, "a column of numbers", "Name another.")
    required, others = ((SMILES,), None) if column is None else ((SMILES, column), MADE_BY)
    with rows_of(path, TRAINING_DATA, required, others) as table:
        rows = list(table)
    name = _column_of_numbers(path, rows) if column is None else column
    values, without = [], []
    made_by: dict[str, str] = {}
    for line, cells in rows:
        where, smiles = f"{path}, line {line}", first_word(cells[SMILES])
        if _is_empty(cells[name]):
            without.append((where, smiles))
            continue
        check_made_alike(where, cells, made_by)
        values.append((where, smiles, _value(f"{where}, {name}", cells[name])))
    return Measured(name, tuple(values), tuple(without))


def read_pending(path: Path) -> list[tuple[str, str]]:
    """Read where each molecule of a table stands, and its SMILES, of the column ``smiles``.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    with rows_of(path, PENDING, (SMILES,)) as rows:
        return [(f"{path}, line {line}", first_word(cells[SMILES])) for line, cells in rows]


def _is_empty(text: str) -> bool:
    return text.strip().lower() in ("", "nan")


def _value(what: str, text: str) -> float:
    return number(what, text, LARGEST_VALUE)


def _is_number(text: str) -> bool:
    try:
        _value("", text)
    except InputError:
        return False
    return True


def _column_of_numbers(path: Path, rows: list[Row]) -> str:
    """Return the one column whose cells are numbers, beside what tables say of their making."""
    names = [name for name in (rows[0][1] if rows else {}) if name not in OTHER_COLUMNS]
    found = []
    for name in names:
        cells = [cells[name] for _, cells in rows if not _is_empty(cells[name])]
        if cells and all(map(_is_number, cells)):
            found.append(name)
    if len(found) == 1:
        return found[0]
    raise InputError(
        COLUMN,
        None,
        f"the name of the values: {' and '.join(found) or 'none of the columns'} of {path} "
        f"{'hold' if found else 'holds'} numbers alone",
        f"Name one of {', '.join(found or names) or 'its columns'}.",
    )
