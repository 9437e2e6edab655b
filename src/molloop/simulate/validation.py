"""What an outcome has to be, whoever made it: one rule a part, one function for all of them.

A rule takes what was given, and returns what is kept or raises. What only looks wrong is mended, as
a value is worth more than the look of its flags, and a failure's message more than its kind: blanks
in a word, and text that cannot be stored. What says nothing, or something else than it should, is
refused.
"""

import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from math import isfinite
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molloop.molecule import Geometry
from molloop.simulate.outcome import (
    LARGEST_VALUE,
    SCHEMA_VERSION,
    Failure,
    Outcome,
    Success,
)

MAX_TEXT = 4000  # characters
MAX_WORD = 64
NO_WORD = "unexpected"  # the kind of a failure whose own has no letter and no digit
LAST_ELEMENT = 118
LARGEST_INTEGER = 2**63  # beyond it JSON has no integer that all can read
NO_NUMBERS = (bool, str, bytes, bytearray, complex)

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80


class OutcomeError(ValueError):
    """A part of an outcome is wrong: it says which, what was given, and what was expected."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a part becomes, which raises an exception where it is wrong, and what was expected."""

    kept: Callable[[Any], Any]
    expected: str

    def keep(self, part: str, given: object, *places: object) -> Any:
        """Return what is kept of a part, or of what stands at a place in it.

        Raises
        ------
        OutcomeError
        """
        try:
            return self.kept(given)
        except OutcomeError:
            raise  # of a part of this part
        except Exception as error:  # what a user's object raises when it is read
            where = part + "".join(f"[{_shown(place)}]" for place in places)
            raise OutcomeError(f"{where}: got {_shown(given)}, expected {self.expected}") from error


def checked(outcome: object) -> Outcome:
    """Return an outcome made of plain values that can be stored.

    Arrays that are right already are not copied.

    Raises
    ------
    OutcomeError
        A `ValueError`: it is no outcome, or a part of it is wrong.
    """
    try:
        for kind, rules in RULES.items():
            if isinstance(outcome, kind):  # a subclass may not be known where it is read
                return kind(
                    **{
                        name: rule.keep(name, getattr(outcome, name))
                        for name, rule in rules.items()
                    }
                )
    except OutcomeError:
        raise
    except Exception as error:
        raise OutcomeError(f"outcome: cannot be read, as it raises {_shown(error)}") from error
    raise OutcomeError(f"outcome: got {_shown(outcome)}, expected a Success or a Failure")


def accepted(outcome: object, level: str, fidelity: str) -> Outcome:
    """Return a checked outcome, or the failure that says what is wrong with it."""
    try:
        return checked(outcome)
    except OutcomeError as error:
        return Failure("invalid_result", storable(str(error)), level, fidelity)


def storable(text: str) -> str:
    """Return a text as it can be stored and read anywhere; what is no Unicode becomes ``?``."""
    kept = text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} ..."
    if kept.isascii() and "\0" not in kept:
        return kept
    return kept.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")


def _shown(given: object) -> str:
    """Return an object in few words, whatever its own `repr` does."""
    try:
        return " ".join(_SHORT.repr(given).split())
    except Exception:  # noqa: BLE001 - it is a user's
        return f"an object of the type {type(given).__name__}"


def _require(condition: object) -> None:
    if not condition:
        raise ValueError


def _real(given: Any) -> float:
    """Return a real number; a truth, a text and an array are none, though `float` may take them."""
    if type(given) is float:
        return given
    if isinstance(given, np.ndarray | np.generic):
        _require(given.ndim == 0 and given.dtype.kind in "iuf")
    _require(not isinstance(given, NO_NUMBERS))
    return float(given)


def _value(given: Any) -> float:
    value = _real(given)
    _require(abs(value) <= LARGEST_VALUE)  # nan neither
    return value


def _seconds(given: Any) -> float:
    seconds = _real(given)
    _require(isfinite(seconds) and seconds >= 0)
    return seconds


def _detail(given: Any) -> float:
    if type(given) is float:  # most are
        return given
    if isinstance(given, bool | np.bool_):
        return int(given)  # such as whether something has converged
    is_whole = isinstance(given, int | Integral) and abs(int(given)) < LARGEST_INTEGER
    return int(given) if is_whole else _real(given)


def _details(given: Any) -> dict[str, float]:
    _require(isinstance(given, Mapping))
    names = {key: _text(key) for key in given}
    _require(len(set(names.values())) == len(given))
    kept = {name: DETAIL.keep("details", given[key], key) for key, name in names.items()}
    # JSON has no other numbers, and a table shows what is not there as it shows nan
    return {name: number for name, number in kept.items() if isfinite(number)}


def _text(given: Any) -> str:
    _require(isinstance(given, str))
    return storable(str.__str__(given))  # a subclass has a `str` of its own


def _kind(given: Any) -> str:
    word = re.sub(r"^(?=\d)", "_", re.sub(r"\W+", "_", _text(given)))[:MAX_WORD]
    return word if word.strip("_") else NO_WORD


def _flags(given: Any) -> tuple[str, ...]:
    _require(isinstance(given, list | tuple))  # a text would be a flag a letter
    words = [FLAG.keep("flags", flag, number) for number, flag in enumerate(given)]
    return tuple(word for word in words if word)


def _flag(given: Any) -> str:
    return "_".join(_text(given).split())  # tables join flags by blanks


def _truth(given: Any) -> bool:
    _require(isinstance(given, bool | np.bool_))
    return bool(given)


def _version(given: Any) -> int:
    _require(type(given) is int and 1 <= given <= SCHEMA_VERSION)
    return int(given)


def _geometry(given: Any) -> Geometry | None:
    if given is None:
        return None
    _require(isinstance(given, Geometry))
    numbers = NUMBERS.keep("geometry.numbers", given.numbers)
    rule = _positions_rule(len(numbers))
    return Geometry(numbers, rule.keep("geometry.positions_angstrom", given.positions_angstrom))


def _numbers(given: Any) -> NDArray[np.uint8]:
    array = np.asarray(given)
    _require(array.dtype.kind in "iuf" and array.ndim == 1 and array.size)
    _require(array.min() >= 1 and array.max() <= LAST_ELEMENT)  # nan neither
    kept = array.astype(np.uint8, copy=False)
    _require(kept is array or (kept == array).all())
    return kept


@lru_cache(maxsize=256)
def _positions_rule(n: int) -> Rule:
    return Rule(partial(_positions, n), f"finite numbers in Å, of shape ({n}, 3)")


def _positions(n: int, given: Any) -> NDArray[np.float64]:
    array = np.asarray(given)
    _require(array.dtype.kind in "iuf" and array.shape == (n, 3))
    kept = array.astype(np.float64, copy=False)
    _require(np.isfinite(kept).all())
    return kept


DETAIL = Rule(_detail, "a number")
FLAG = Rule(_flag, "a word")
NUMBERS = Rule(_numbers, f"atomic numbers of 1 to {LAST_ELEMENT}, of shape (n,), n > 0")
TEXT = Rule(_text, "a text")
COMMON = {
    "level": TEXT,
    "fidelity": TEXT,
    "seconds": Rule(_seconds, "a finite number of seconds, 0 or more"),
    "schema_version": Rule(_version, f"a whole number of 1 to {SCHEMA_VERSION}"),
}
RULES: dict[type[Success] | type[Failure], dict[str, Rule]] = {
    Success: {
        "value": Rule(_value, f"a real number, {LARGEST_VALUE:g} at most in size"),
        "details": Rule(_details, "numbers by their names, which differ"),
        "flags": Rule(_flags, "a tuple of words"),
        "geometry": Rule(_geometry, "a Geometry or None"),
        **COMMON,
    },
    Failure: {
        "kind": Rule(_kind, "a text"),
        "message": TEXT,
        "can_retry": Rule(_truth, "True or False"),
        **COMMON,
    },
}
