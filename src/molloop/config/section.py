"""What all sections of a configuration share."""

import difflib
from collections.abc import Sequence
from typing import ClassVar

from pydantic import ValidationError

from molloop.errors import InputError
from molloop.schema import Schema

STORED = "stored"  # the context in which what a run has stored is read
MARKS = {"slurm": "#SBATCH", "pbs": "#PBS"}  # begin what a scheduler reads in a batch script


class Section(Schema):
    """A section of a configuration."""


class TableSettings(Section):
    """A table of a list of a configuration, such as [[stages]].

    Attributes
    ----------
    OWN
        Settings that are explained where the list is; others are those of a section or list.
    """

    OWN: ClassVar[tuple[str, ...]]


def number_as_name(value: object) -> object:
    """Return a number as a text: columns are named, or numbered from 1."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


def one_line(value: str) -> str:
    """Return a text that has no line break; ValueError otherwise."""
    if len(value.splitlines()) > 1:
        raise ValueError("expected one line")
    return value


def batch_lines(value: tuple[str, ...], scheduler: str = "") -> tuple[str, ...]:
    """Return lines that a scheduler, or any, reads in a batch script; ValueError otherwise."""
    marks = [MARKS[scheduler]] if scheduler else list(MARKS.values())
    for line in value:
        mark, _, rest = line.partition(" ")
        if mark not in marks or not rest or len(line.splitlines()) > 1:
            raise ValueError(f"expected lines that begin with {' or '.join(marks)}")
    return value


def input_error(
    error: ValidationError, names: Sequence[str], explains: str, where: str = ""
) -> InputError:
    """Turn the first thing that pydantic minds into our words.

    Parameters
    ----------
    names
        All settings that there are.
    explains
        What explains them.
    where
        Stands before the setting's name.
    """
    # a name that is mistyped is why another one is missing
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    name = ".".join(part for part in first["loc"] if isinstance(part, str))
    path = _path_of(first["loc"])
    more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, names, n=1)
        remedy = f"Is {close[0]} meant?" if close else f"{explains} lists all settings."
        return InputError(f"{where}{path}", first["input"], "no such setting", remedy)
    expected = first["msg"]
    for prefix in ("Value error, expected ", "Input should be "):
        expected = expected.removeprefix(prefix).replace("a valid tuple", "a list")
    value = first["input"]
    if first["type"] == "missing":
        value, expected = None, "a value"
    if isinstance(value, dict):
        value = ", ".join(f"{key} = {item}" for key, item in value.items())
    return InputError(f"{where}{path}", value, expected, f"{explains} explains it{more}.")


def _path_of(parts: Sequence[str | int]) -> str:
    """Return what a setting is called: ``stages.2.level``, or ``conditions.charge, item 2``."""
    path = ""
    for place, part in enumerate(parts):
        if isinstance(part, str):
            path += f".{part}" if path else part
        else:
            is_last = place == len(parts) - 1
            path += f", item {part + 1}" if is_last else f".{part + 1}"
    return path
