"""Values as they come out of a run's database, checked: anybody may have changed them."""

import json
from collections.abc import Iterable
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from molloop.simulate.outcome import LARGEST_COUNT

N_SHOWN = 60  # letters of a wrong value that an error shows


T = TypeVar("T")


def read_json(adapter: TypeAdapter[T], text: object, what: str) -> T:
    """Return what a text holds.

    Parameters
    ----------
    what
        Name of the thing, for the error.

    Raises
    ------
    ValueError
        It is no JSON, or of another kind; in one line.
    """
    written = read_text(text, what)
    try:
        return adapter.validate_json(written, strict=True)
    except ValidationError as error:
        if error.errors()[0]["type"] != "json_invalid":
            raise ValueError(_explained(error, what)) from error
        first = error
    # parts of letters that no text may hold, from bytes of a program, are shown as ?
    try:
        text_again = json.dumps(json.loads(written), ensure_ascii=False)
        return adapter.validate_json(text_again.encode("utf-8", "replace"), strict=True)
    except (ValueError, RecursionError):
        raise ValueError(_explained(first, what)) from first


def read_text(value: object, what: str) -> str:
    """Return a text; ValueError where it is none."""
    if not isinstance(value, str):
        raise ValueError(f"{what}: expected a text, got {_shown(value)}")
    return value


def read_one_of(value: object, words: Iterable[str], what: str) -> str:
    """Return one of some words; ValueError where it is none of them."""
    if value not in (known := tuple(words)):
        raise ValueError(f"{what}: expected one of {', '.join(known)}, got {_shown(value)}")
    return str(value)


def read_count(value: object, what: str) -> int:
    """Return a count or a number of something; ValueError where it is none."""
    if not (isinstance(value, int) and 0 <= value <= LARGEST_COUNT):
        raise ValueError(f"{what}: expected a whole number, not negative, got {_shown(value)}")
    return value


def read_number(value: object, what: str, largest: float, *, least: float | None = None) -> float:
    """Return a number; ValueError where it is none, too large, or too small.

    Parameters
    ----------
    least
        None: as far below zero as `largest` is above.
    """
    low = -largest if least is None else least
    if not (isinstance(value, int | float) and low <= value <= largest):  # nan is not
        raise ValueError(f"{what}: expected a number, {low:g} to {largest:g}, got {_shown(value)}")
    return value


def _explained(error: ValidationError, what: str) -> str:
    first = error.errors(include_url=False)[0]
    place = "".join(f" {_shown(part)}" for part in first["loc"])
    return f"{what}{place}: {first['msg']}, got {_shown(first['input'])}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= N_SHOWN else f"{text[:N_SHOWN]} ..."
