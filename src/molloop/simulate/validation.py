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
from math import inf, isfinite
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molloop.molecule import Geometry
from molloop.simulate.outcome import (
    LARGEST_CHARGE,
    LARGEST_COUNT,
    LARGEST_VALUE,
    MOST_ATOMS,
    MOST_LETTERS,
    Calculation,
    Failure,
    Outcome,
    Success,
)

MAX_TEXT = 4000  # characters
MAX_WORD = 64
NO_WORD = "unexpected"  # the kind of a failure whose own has no letter and no digit
LAST_ELEMENT = 118
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


def checked(outcome: object, quantity: str = "") -> Outcome:
    """Return an outcome made of plain values that can be stored.

    Arrays that are right already are not copied.

    Parameters
    ----------
    quantity
        That was asked for: a success must have its value, which comes first, and a number alone is
        taken for it. Empty: any will do.

    Raises
    ------
    OutcomeError
        A `ValueError`: it is no outcome, or a part of it is wrong.
    """
    try:
        if type(outcome) is Success and _is_a_number_alone(outcome, quantity):
            return outcome
        for kind, rules in RULES.items():
            if isinstance(outcome, kind):  # a subclass may not be known where it is read
                parts = {name: getattr(outcome, name) for name in rules}
                if kind is Success:
                    parts["values"] = _named(parts["values"], quantity)
                return kind(**{name: rules[name].keep(name, one) for name, one in parts.items()})
    except OutcomeError:
        raise
    except Exception as error:
        raise OutcomeError(f"outcome: cannot be read, as it raises {_shown(error)}") from error
    raise OutcomeError(f"outcome: got {_shown(outcome)}, expected a Success or a Failure")


def _is_a_number_alone(success: Success, quantity: str) -> bool:
    """Whether a success is nothing but the value that was asked for, as most of many are."""
    values = success.values
    if not (type(values) is dict and len(values) == 1 and quantity in values):
        return False
    parts = (success.calculations, success.geometries, success.flags)
    return (
        tuple(map(type, parts)) == (dict, dict, tuple)
        and not any(parts)
        and type(success.smiles) is type(success.name) is str
        and type(value := values[quantity]) is float
        and abs(value) <= LARGEST_VALUE
        and type(success.seconds) is float
        and 0 <= success.seconds < inf
    )


def accepted(outcome: object, quantity: str) -> Outcome:
    """Return a checked outcome, or the failure that says what is wrong with it."""
    try:
        return checked(outcome, quantity)
    except OutcomeError as error:
        return Failure("invalid_result", storable(str(error)))


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


def is_number(given: object) -> bool:
    """Whether something alone is taken as a value: a real number of Python, NumPy or others."""
    try:
        _real(given)
    except OverflowError:
        return True  # too large a one, which its check says
    except Exception:  # noqa: BLE001 - what a user's object raises when it is read
        return False
    return True


def _named(given: Any, quantity: str) -> Any:
    """Return values by their names, the one that was asked for first."""
    if not quantity:
        return given
    if not isinstance(given, Mapping):
        return {quantity: VALUE.keep("value", given)}
    if quantity not in given:
        told = f"values: got {_shown(list(given))}, expected {quantity!r} among their names"
        raise OutcomeError(told)
    asked = VALUE.keep("values", given[quantity], quantity)
    return {quantity: asked} | {name: one for name, one in given.items() if name != quantity}


def _value(given: Any) -> float:
    value = _real(given)
    _require(abs(value) <= LARGEST_VALUE)  # nan neither
    return value


def _seconds(given: Any) -> float:
    seconds = _real(given)
    _require(isfinite(seconds) and seconds >= 0)
    return seconds


def _number(given: Any) -> float:
    if type(given) is float:  # most are
        return given
    if isinstance(given, bool | np.bool_):
        return int(given)  # such as whether something has converged
    is_whole = isinstance(given, int | Integral) and abs(int(given)) <= LARGEST_COUNT
    return int(given) if is_whole else _real(given)


def _by_name(rule: Rule, part: str, given: Any) -> dict[str, Any]:
    """Return what is kept of each, by its name as a text."""
    _require(isinstance(given, Mapping))
    if not given:
        return {}
    names = {key: _text(key) for key in given}
    _require(len(set(names.values())) == len(given))
    return {name: rule.keep(part, given[key], key) for key, name in names.items()}


def _values(given: Any) -> dict[str, float]:
    kept = _by_name(NUMBER, "values", given)
    # no table has a place for others
    finite = {name: number for name, number in kept.items() if isfinite(number)}
    _require(finite)
    return finite


def _calculation(given: Any) -> Calculation:
    _require(isinstance(given, Calculation))
    parts = {name: getattr(given, name) for name in CALCULATION}
    return Calculation(**{name: CALCULATION[name].keep(name, one) for name, one in parts.items()})


def _whole(least: int, most: int, given: Any) -> int:
    _require(not isinstance(given, NO_NUMBERS) and int(given) == given)
    _require(least <= given <= most)
    return int(given)


def _text(given: Any) -> str:
    _require(isinstance(given, str))
    return storable(str.__str__(given))  # a subclass has a `str` of its own


def _kind(given: Any) -> str:
    word = re.sub(r"^(?=\d)", "_", re.sub(r"\W+", "_", _text(given)))[:MAX_WORD]
    return word if word.strip("_") else NO_WORD


def _flags(given: Any) -> tuple[str, ...]:
    _require(isinstance(given, list | tuple))  # a text would be a flag a letter
    words = [FLAG.keep("flags", flag, number) for number, flag in enumerate(given)]
    _require(sum(map(len, words)) <= MOST_LETTERS)
    return tuple(word for word in words if word)


def _flag(given: Any) -> str:
    return "_".join(_text(given).split())  # tables join flags by blanks


def _geometry(given: Any) -> Geometry:
    _require(isinstance(given, Geometry))
    numbers = NUMBERS.keep("geometry.numbers", given.numbers)
    rule = _positions_rule(len(numbers))
    return Geometry(numbers, rule.keep("geometry.positions_angstrom", given.positions_angstrom))


def _numbers(given: Any) -> NDArray[np.uint8]:
    array = np.asarray(given)
    _require(array.dtype.kind in "iuf" and array.ndim == 1)
    _require(1 <= array.size <= MOST_ATOMS)
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


NUMBER = Rule(_number, "a number")
VALUE = Rule(_value, f"a real number, {LARGEST_VALUE:g} at most in size")
FLAG = Rule(_flag, "a word")
NUMBERS = Rule(
    _numbers, f"atomic numbers of 1 to {LAST_ELEMENT}, of shape (n,), n from 1 to {MOST_ATOMS}"
)
TEXT = Rule(_text, "a text")
CHARGE = Rule(
    partial(_whole, -LARGEST_CHARGE, LARGEST_CHARGE),
    f"a whole number, {LARGEST_CHARGE} at most in size",
)
COUNT = Rule(partial(_whole, 0, LARGEST_COUNT), f"a whole number, 0 to {LARGEST_COUNT}")
CALCULATION = {
    "charge": CHARGE,
    "n_unpaired": COUNT,
    "method": TEXT,
    "energy_ev": VALUE,
    "geometry": TEXT,
    "solvent": TEXT,
    "n_steps": COUNT,
}
ONE_CALCULATION = Rule(_calculation, "a Calculation")
ONE_GEOMETRY = Rule(_geometry, "a Geometry")
SECONDS = Rule(_seconds, "a finite number of seconds, 0 or more")
RULES: dict[type[Success] | type[Failure], dict[str, Rule]] = {
    Success: {
        "values": Rule(_values, "finite numbers by their names, which differ"),
        "calculations": Rule(
            partial(_by_name, ONE_CALCULATION, "calculations"), "Calculations by their names"
        ),
        "geometries": Rule(partial(_by_name, ONE_GEOMETRY, "geometries"), "Geometries by names"),
        "flags": Rule(_flags, f"a tuple of words, {MOST_LETTERS} letters at most"),
        "seconds": SECONDS,
    },
    Failure: {"kind": Rule(_kind, "a text"), "message": TEXT, "seconds": SECONDS},
}
