"""Rules of plain values: what is kept of a number, a word or a text, so that it can be stored."""

import re
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isfinite
from numbers import Integral
from typing import Any

import numpy as np

from molloop.simulate.outcome import LARGEST_CHARGE, LARGEST_COUNT, LARGEST_VALUE

MAX_TEXT = 4000  # characters
MAX_WORD = 64
NO_WORD = "unexpected"  # the kind of a failure whose own has no letter and no digit
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
            where = part + "".join(f"[{shown(place)}]" for place in places)
            raise OutcomeError(f"{where}: got {shown(given)}, expected {self.expected}") from error


def storable(text: str) -> str:
    """Return a text as it can be stored and read anywhere; what is no Unicode becomes ``?``."""
    kept = text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} ..."
    if kept.isascii() and "\0" not in kept:
        return kept
    return kept.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")


def shown(given: object) -> str:
    """Return an object in few words, whatever its own `repr` does."""
    try:
        return " ".join(_SHORT.repr(given).split())
    except Exception:  # noqa: BLE001 - it is a user's
        return f"an object of the type {type(given).__name__}"


def require(condition: object) -> None:
    """Raise an error, which `Rule.keep` turns into words, where a condition does not hold."""
    if not condition:
        raise ValueError


def _real(given: Any) -> float:
    """Return a real number; a truth, a text and an array are none, though `float` may take them."""
    if type(given) is float:
        return given
    if isinstance(given, np.ndarray | np.generic):
        require(given.ndim == 0 and given.dtype.kind in "iuf")
    require(not isinstance(given, NO_NUMBERS))
    return float(given)


def is_number(given: object) -> bool:
    """Whether something alone is taken as a value: a real number of Python, NumPy or others."""
    try:
        _real(given)
    except OverflowError:
        return True  # too large a one, which its check says
    except Exception:  # noqa: BLE001 - what a user's object raises when it is read
        return False
    return True


def _value(given: Any) -> float:
    value = _real(given)
    require(abs(value) <= LARGEST_VALUE)  # nan neither
    return value


def _seconds(given: Any) -> float:
    seconds = _real(given)
    require(isfinite(seconds) and seconds >= 0)
    return seconds


def _number(given: Any) -> float:
    if type(given) is float:  # most are
        return given
    if isinstance(given, bool | np.bool_):
        return int(given)  # such as whether something has converged
    is_whole = isinstance(given, int | Integral) and abs(int(given)) <= LARGEST_COUNT
    return int(given) if is_whole else _real(given)


def _whole(least: int, most: int, given: Any) -> int:
    require(not isinstance(given, NO_NUMBERS) and int(given) == given)
    require(least <= given <= most)
    return int(given)


def text_of(given: Any) -> str:
    """Return a text that can be stored."""
    require(isinstance(given, str))
    return storable(str.__str__(given))  # a subclass has a `str` of its own


def _kind(given: Any) -> str:
    word = re.sub(r"^(?=\d)", "_", re.sub(r"\W+", "_", text_of(given)))[:MAX_WORD]
    return word if word.strip("_") else NO_WORD


def _flag(given: Any) -> str:
    return "_".join(text_of(given).split())  # tables join flags by blanks


NUMBER = Rule(_number, "a number")
VALUE = Rule(_value, f"a real number, {LARGEST_VALUE:g} at most in size")
FLAG = Rule(_flag, "a word")
TEXT = Rule(text_of, "a text")
CHARGE = Rule(
    partial(_whole, -LARGEST_CHARGE, LARGEST_CHARGE),
    f"a whole number, {LARGEST_CHARGE} at most in size",
)
COUNT = Rule(partial(_whole, 0, LARGEST_COUNT), f"a whole number, 0 to {LARGEST_COUNT}")
SECONDS = Rule(_seconds, "a finite number of seconds, 0 or more")
KIND = Rule(_kind, "a text")
