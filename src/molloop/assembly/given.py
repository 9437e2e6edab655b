"""Values and molecules that come from elsewhere, in a program's own objects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING

from molloop.assembly.measured import PENDING, TRAINING_DATA, Measured
from molloop.errors import InputError
from molloop.library.reading.parts import part
from molloop.library.tables import number
from molloop.simulate.outcome import LARGEST_VALUE

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_NAME = "value"
NO_VALUE = ("", "nan", "none", "<na>")  # as texts: None, NaN and what pandas has for them


def given_values(
    values: "Mapping[str, float | None] | pd.Series", column: str | None = None
) -> Measured:
    """Take values by SMILES; None and NaN: the molecule was tried and gave none.

    Raises
    ------
    InputError
        One is no finite number, or its molecule no text.
    """
    name = column or DEFAULT_NAME
    kept, without = [], []
    for smiles, value in values.items():
        where, text = f"{name} of {smiles!r}", part(_smiles(TRAINING_DATA, smiles))[0]
        if str(value).lower() in NO_VALUE:
            without.append((where, text))
        else:
            kept.append((where, text, number(where, str(value), LARGEST_VALUE)))
    return Measured(name, tuple(kept), tuple(without))


def given_of_goal(
    values: "Mapping[str, Mapping[str, float | None]] | pd.DataFrame", columns: Sequence[str]
) -> Measured:
    """Take values of several quantities: a dict of columns by SMILES, or a frame indexed by them.

    Parameters
    ----------
    columns
        Of the quantities: without a value of the first, a molecule was tried and gave none.

    Raises
    ------
    InputError
        One is no finite number, a column is missing, or a molecule is no text.
    """
    to_dict = getattr(values, "to_dict", None)
    rows: Mapping[str, Mapping[str, float | None]] = to_dict("index") if to_dict else values
    of: list[dict[str, float | None]] = [{} for _ in columns]
    for smiles, row in rows.items():
        for place, name in enumerate(columns):
            if not isinstance(row, Mapping) or (place == 0 and name not in row):
                expected = f"a value of {name}"
                told = "Give values by their columns: a frame, or a dict of dicts."
                raise InputError(f"{TRAINING_DATA}, {smiles!r}", str(row), expected, told)
            of[place][smiles] = row.get(name)
    first, *others = (given_values(some, name) for some, name in zip(of, columns, strict=True))
    numbers = [{text: value for _, text, value in one.values} for one in others]
    further = {text: tuple(one.get(text, nan) for one in numbers) for _, text, _ in first.values}
    return replace(first, further=further)


def given_pending(molecules: Iterable[str]) -> list[tuple[str, str]]:
    """Take molecules by SMILES.

    Raises
    ------
    InputError
        They are none, or one is no text.
    """
    if not isinstance(molecules, Iterable):
        raise InputError(PENDING, molecules, "a file, or SMILES", "Give a list of them.")
    return [(f"pending {text!r}", part(_smiles(PENDING, text))[0]) for text in molecules]


def _smiles(what: str, given: object) -> str:
    if not isinstance(given, str):
        raise InputError(what, given, "a SMILES", "Are the molecules where something else stands?")
    return given
