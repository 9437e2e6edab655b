"""Values and molecules that come from elsewhere, in a program's own objects."""

from collections.abc import Iterable, Mapping
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
