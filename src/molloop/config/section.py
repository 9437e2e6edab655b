"""What all sections of a configuration share."""

import difflib
import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict, ValidationError

from molloop.errors import InputError

DIRECTIVE = re.compile(r"#(SBATCH|PBS) .+")


class Section(BaseModel):
    """A section: nothing unknown, nothing converted."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_default=True, allow_inf_nan=False
    )


def one_of(value: str, names: Iterable[str]) -> str:
    """Return a value that is one of some names; ValueError otherwise."""
    if value not in names:
        raise ValueError(f"expected one of {', '.join(names)}")
    return value


def one_line(value: str) -> str:
    """Return a text that has no line break; ValueError otherwise."""
    if len(value.splitlines()) > 1:
        raise ValueError("expected one line")
    return value


def batch_lines(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return lines that a scheduler reads in a batch script; ValueError otherwise."""
    if not all(map(DIRECTIVE.fullmatch, value)):
        raise ValueError("expected lines that begin with #SBATCH or #PBS")
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
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(path, names, n=1)
        remedy = f"Is {close[0]} meant?" if close else f"{explains} lists all settings."
        return InputError(f"{where}{path}", first["input"], "no such setting", remedy)
    expected = first["msg"]
    for prefix in ("Value error, expected ", "Input should be "):
        expected = expected.removeprefix(prefix)
    value = first["input"]
    if isinstance(value, dict):
        value = ", ".join(f"{key} = {item}" for key, item in value.items())
    return InputError(f"{where}{path}", value, expected, f"{explains} explains it{more}.")
