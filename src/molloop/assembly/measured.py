"""Values that come from elsewhere, an experiment or another code, in a file."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import nan
from pathlib import Path

from molloop.campaign.known_table import flags_of
from molloop.errors import InputError
from molloop.goal import OTHER_COLUMNS
from molloop.library.reading.columns import MOLECULE_NAMES, plain_name
from molloop.library.reading.look import look
from molloop.library.reading.options import Reading
from molloop.library.tables import (
    FLAGS,
    MADE_BY,
    SMILES,
    Row,
    ValueTable,
    check_made_alike,
    is_empty,
    rows_of,
)
from molloop.simulate.doubts import doubts
from molloop.simulate.outcome import LARGEST_VALUE
from molloop.simulate.recipes import RECIPES

TRAINING_DATA, PENDING, COLUMN = "training data", "pending", "column"
QUANTITIES = {one.quantity.column: name for name, one in RECIPES.items()}  # by their columns
MOSTLY = 0.5  # more of the cells of a column than this share


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
    doubtful
        SMILES of values that a flag casts doubt on: the model learns from them, and none is the
        best.
    further
        By SMILES, values of further quantities of a goal, NaN where there is none; of a SMILES that
        stands there twice those of the first row.
    """

    column: str
    values: tuple[tuple[str, str, float], ...]
    without: tuple[tuple[str, str], ...] = ()
    doubtful: frozenset[str] = frozenset()
    further: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def read_measured(
    path: Path,
    column: str | None = None,
    reading: Reading | None = None,
    further: Sequence[str] = (),
) -> Measured:
    """Read a table of SMILES and values; a cell that is empty or ``nan`` holds no value.

    Parameters
    ----------
    path
        A table, or any other file of molecules that has a column of values.
    column
        Of the values, by name or number; None: the one whose cells are numbers.
    reading
        What the user says of the file.
    further
        Columns of further quantities, beside one that is named.

    Raises
    ------
    InputError
        The file, a column or a value cannot be read; several columns hold numbers, and none was
        named; or its columns ``level`` and ``fidelity`` say that values were computed in different
        ways.
    """
    if column == SMILES:
        raise InputError(COLUMN, column, "a column of numbers", "Name another.")
    named = () if column is None else (column, *further)
    required, others = (named, (*MADE_BY, FLAGS) if named else None)
    with rows_of(path, TRAINING_DATA, required, others, reading) as table:
        rows = list(table)
    name = _column_of_numbers(table, rows) if column is None else column
    values, without, doubtful = [], [], set()
    made_by: dict[str, str] = {}
    beside: dict[str, tuple[float, ...]] = {}
    for line, cells in rows:
        where, smiles = f"{path}, line {line}", cells[SMILES]
        if is_empty(cells[name]):
            without.append((where, smiles))
            continue
        check_made_alike(where, cells, made_by)
        if doubts(flags_of(cells), QUANTITIES.get(name, "")):
            doubtful.add(smiles)
        values.append((where, smiles, table.number(line, name, cells[name], LARGEST_VALUE)))
        numbers = (table.number(line, one, cells[one], LARGEST_VALUE, nan) for one in further)
        beside.setdefault(smiles, tuple(numbers))
    return Measured(name, tuple(values), tuple(without), frozenset(doubtful), beside)


def read_pending(path: Path, reading: Reading | None = None) -> list[tuple[str, str]]:
    """Read where each molecule of a file stands, and its SMILES.

    Parameters
    ----------
    reading
        What the user says of the file, for one that a look does not tell how to read.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    if path.is_file():  # no pipe, which a look would empty
        with suppress(InputError):
            look(path, Reading(), PENDING)
            reading = None  # what was suggested before is read as it is, say
    with rows_of(path, PENDING, (), reading=reading) as rows:
        return [(f"{path}, line {line}", cells[SMILES]) for line, cells in rows]


def _is_number(table: ValueTable, line: int, name: str, text: str) -> bool:
    try:
        table.number(line, name, text, LARGEST_VALUE)
    except InputError:
        return False
    return True


def _column_of_numbers(table: ValueTable, rows: list[Row]) -> str:
    """Return the one column whose cells are numbers, beside names and what tables of runs say.

    Where there is none, the one whose cells mostly are: whoever reads it names the first that is
    not.
    """
    others = {SMILES, *MOLECULE_NAMES, *map(plain_name, OTHER_COLUMNS)}
    names = [name for name in (rows[0][1] if rows else {}) if plain_name(name) not in others]
    shares = {}
    for name in names:
        cells = [(line, cells[name]) for line, cells in rows if not is_empty(cells[name])]
        are = [_is_number(table, line, name, text) for line, text in cells]
        shares[name] = sum(are) / len(are) if are else 0.0
    found = [name for name, share in shares.items() if share == 1]
    found = found or [name for name, share in shares.items() if share > MOSTLY]
    if len(found) == 1:
        return found[0]
    raise InputError(
        COLUMN,
        None,
        f"the name of the values: {' and '.join(found) or 'none of the columns'} of {table.path} "
        f"{'hold numbers' if found else 'holds numbers alone'}",
        f"Name one of {', '.join(found or names) or 'its columns'}.",
    )
