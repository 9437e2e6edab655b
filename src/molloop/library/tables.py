"""Tables of values: of campaigns, of replays, of what was measured elsewhere.

They are files of molecules, read as those of a library are, with columns of numbers beside.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import inf
from pathlib import Path

from molloop.errors import InputError
from molloop.library.reading.columns import places_of
from molloop.library.reading.entries import opened_entries
from molloop.library.reading.format import Entry, Format, TextKind
from molloop.library.reading.look import check_effect, look
from molloop.library.reading.options import Reading
from molloop.library.reading.parts import as_smiles

_NUMERAL = re.compile(r"\s*[-+]?[\d.,]+(e[-+]?\d+)?\s*", re.IGNORECASE)
SMILES = "smiles"  # what the molecule of a row is called, whatever its column is
MADE_BY = ("level", "fidelity")  # columns that say how a value was computed
FLAGS = "flags"  # the column of what casts doubt on it
STATE = ("charge", "n_unpaired")  # columns of the molecule's charge and unpaired electrons

Row = tuple[int, dict[str, str]]  # line, cells by column


class ValueTable(Iterator[Row]):
    """The rows of a table, once: the cells by column, each row with its line.

    Attributes
    ----------
    path
        Of the file.
    text_kind
        What stands for a molecule. Its cell `smiles` is a SMILES in any case, as the file has it
        where the file holds SMILES.
    name
        What the file calls the molecule of the row that came last; empty where it says nothing.
    """

    def __init__(
        self, path: Path, file_format: Format, columns: Sequence[str], entries: Iterator[Entry]
    ) -> None:
        self.path = path
        self.text_kind: TextKind = file_format.text_kind
        self.name = ""
        self._columns = tuple(columns)
        self._entries = entries
        self._may_have_commas = file_format.separator not in (",", "")  # nor an SDF's
        self._signs: dict[str, str] = {}  # decimal signs, by column

    def __next__(self) -> Row:
        # a row without anything, as spreadsheets and editors leave them behind, is none
        entry = next(one for one in self._entries if _says_something(one))
        where = f"{self.path}, line {entry.line}"
        if entry.fault:
            raise InputError(
                where,
                entry.fault,
                "a cell a column, or a whole record",
                "Quote the cells that hold the delimiter, or remove the line.",
            )
        smiles = as_smiles(where, entry.text, self.text_kind)
        self.name = entry.name
        return entry.line, dict(zip(self._columns, entry.kept, strict=True)) | {SMILES: smiles}

    def number(
        self, line: int, column: str, text: str, largest: float, empty: float | None = None
    ) -> float:
        """Return the number that a cell holds, as `number` does.

        The comma is a decimal sign where it parts no cells, in a whole column or not at all.

        Raises
        ------
        InputError
            It holds none, or a larger one; or a comma where others of the column have a point.
        """
        where = f"{self.path}, line {line}, {column}"
        is_alike = _NUMERAL.fullmatch(text) and any(sign in text for sign in ",.")
        if not self._may_have_commas or not is_alike:
            return number(where, text, largest, empty)
        before, comma, behind = text.partition(",")
        sign = "," if comma and "," not in behind and "." not in text else "."
        if self._signs.setdefault(column, sign) != sign:
            raise InputError(
                where,
                text,
                f"the decimal sign of the lines before, {self._signs[column]!r}",
                "Write all numbers of the column alike.",
            )
        return number(where, f"{before}.{behind}" if sign == "," else text, largest, empty)


def _says_something(entry: Entry) -> bool:
    return bool(entry.fault or "".join((entry.text, entry.name, *entry.kept)).strip())


def is_empty(text: str) -> bool:
    """Whether a cell holds no number, as nobody knows it: it is empty, or says ``nan``."""
    return text.strip().lower() in ("", "nan")


def number(where: str, text: str, largest: float, empty: float | None = None) -> float:
    """Return the number that a text is.

    Parameters
    ----------
    where
        File, line and column, for the error.
    largest
        That may stand there, of either sign.
    empty
        What a text stands for that `is_empty`; None: such a text is an error.

    Raises
    ------
    InputError
        It is none, or a larger one.
    """
    if empty is not None and is_empty(text):
        return empty
    try:
        value = float(text.replace("_", "x"))  # Python takes 1_5 for 15
    except ValueError:
        value = inf
    if not abs(value) <= largest:  # nan is not
        expected = f"a finite number, {largest:g} at most"
        raise InputError(
            where,
            text[:60],
            expected if empty is None else f"{expected}, or nothing",
            "Correct the number, or remove the line.",
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
    path: Path,
    what: str,
    columns: Sequence[str],
    others: Sequence[str] | None = (),
    reading: Reading | None = None,
) -> Iterator[ValueTable]:
    """Open a table of values.

    Parameters
    ----------
    what
        The name that the user knows the file by.
    columns
        That it must have beside the one of molecules, by name or number.
    others
        That it may have; None: any that has a name of its own.
    reading
        What the user says of the file.

    Raises
    ------
    InputError
        It cannot be read, lacks a column or has one twice; while it is read: a row has not as many
        cells as the header, or can be read in two ways.
    """
    if path.exists() and not path.is_file():
        raise InputError(what, str(path), "a file", "A pipe or a device may never end: save it.")
    reading = reading or Reading()
    found = look(path, reading, what)
    check_effect(reading, [found], str(path))
    places = _places(path, found, columns, others)
    found = replace(found, kept=tuple(places.values()))
    with opened_entries(path, found, what) as (entries, _):
        yield ValueTable(path, found, list(places), entries)


def _places(
    path: Path, found: Format, columns: Sequence[str], others: Sequence[str] | None
) -> dict[str, int]:
    """Return the places of the columns that a table must have and may have, by their names."""
    names = found.columns
    if missing := [name for name in columns if not places_of(name, names)]:
        has_smiles = found.has_header or found.kind != "text"
        wanted = [*([] if has_smiles else [SMILES]), *missing]
        raise InputError(
            f"the columns of {path}",
            ", ".join(one[:40] for one in (names if has_smiles else found.first)[:20]),
            " and ".join(wanted if not has_smiles else [SMILES, *columns]),
            f"Add {' and '.join(wanted)} to its first line, which names the columns; or say which "
            "columns hold them, by name or number.",
        )
    if others is None:
        places = range(len(names))
        alone = [names[one] for one in places if names[one] and names.count(names[one]) == 1]
        others = [name for name in alone if names.index(name) != found.column]
    chosen: dict[str, int] = {}
    for name in (*columns, *others):
        at = places_of(name, names)
        if len(at) > 1:
            raise InputError(
                f"the columns of {path}", name, "each name once", "Rename all but one."
            )
        if at:
            chosen[name] = at[0]
    return chosen
