"""What an outcome has to be, whoever made it: one rule a part, one function for all of them.

A rule takes what was given, and returns what is kept or raises. What only looks wrong is mended, as
a value is worth more than the look of its flags, and a failure's message more than its kind: blanks
in a word, and text that cannot be stored. What says nothing, or something else than it should, is
refused.
"""

from collections.abc import Mapping
from functools import lru_cache, partial
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molloop.molecule import Geometry
from molloop.simulate.outcome import (
    LARGEST_VALUE,
    MOST_ATOMS,
    MOST_LETTERS,
    Calculation,
    Failure,
    Outcome,
    Success,
)
from molloop.simulate.rules import (
    CHARGE,
    COUNT,
    FLAG,
    KIND,
    NUMBER,
    SECONDS,
    TEXT,
    VALUE,
    OutcomeError,
    Rule,
    require,
    shown,
    storable,
    text_of,
)

LAST_ELEMENT = 118


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
        raise OutcomeError(f"outcome: cannot be read, as it raises {shown(error)}") from error
    raise OutcomeError(f"outcome: got {shown(outcome)}, expected a Success or a Failure")


def _is_a_number_alone(success: Success, quantity: str) -> bool:
    """Whether a success is nothing but the value that was asked for, as most of many are."""
    values = success.values
    if not (type(values) is dict and len(values) == 1 and quantity in values):
        return False
    return (
        type(calculations := success.calculations) is dict
        and type(geometries := success.geometries) is dict
        and type(flags := success.flags) is tuple
        and not (calculations or geometries or flags)
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


def _named(given: Any, quantity: str) -> Any:
    """Return values by their names, the one that was asked for first."""
    if not quantity:
        return given
    if not isinstance(given, Mapping):
        return {quantity: VALUE.keep("value", given)}
    if quantity not in given:
        told = f"values: got {shown(list(given))}, expected {quantity!r} among their names"
        raise OutcomeError(told)
    asked = VALUE.keep("values", given[quantity], quantity)
    return {quantity: asked} | {name: one for name, one in given.items() if name != quantity}


def _by_name(rule: Rule, part: str, given: Any) -> dict[str, Any]:
    """Return what is kept of each, by its name as a text."""
    require(isinstance(given, Mapping))
    if not given:
        return {}
    names = {key: text_of(key) for key in given}
    require(len(set(names.values())) == len(given))
    return {name: rule.keep(part, given[key], key) for key, name in names.items()}


def _values(given: Any) -> dict[str, float]:
    kept = _by_name(NUMBER, "values", given)
    # no table has a place for others
    finite = {name: number for name, number in kept.items() if isfinite(number)}
    require(finite)
    return finite


def _calculation(given: Any) -> Calculation:
    require(isinstance(given, Calculation))
    parts = {name: getattr(given, name) for name in CALCULATION}
    return Calculation(**{name: CALCULATION[name].keep(name, one) for name, one in parts.items()})


def _flags(given: Any) -> tuple[str, ...]:
    require(isinstance(given, list | tuple))  # a text would be a flag a letter
    words = [FLAG.keep("flags", flag, number) for number, flag in enumerate(given)]
    require(sum(map(len, words)) <= MOST_LETTERS)
    return tuple(word for word in words if word)


def _geometry(given: Any) -> Geometry:
    require(isinstance(given, Geometry))
    numbers = NUMBERS.keep("geometry.numbers", given.numbers)
    rule = _positions_rule(len(numbers))
    return Geometry(numbers, rule.keep("geometry.positions_angstrom", given.positions_angstrom))


def _numbers(given: Any) -> NDArray[np.uint8]:
    array = np.asarray(given)
    require(array.dtype.kind in "iuf" and array.ndim == 1)
    require(1 <= array.size <= MOST_ATOMS)
    require(array.min() >= 1 and array.max() <= LAST_ELEMENT)  # nan neither
    kept = array.astype(np.uint8, copy=False)
    require(kept is array or (kept == array).all())
    return kept


@lru_cache(maxsize=256)
def _positions_rule(n: int) -> Rule:
    return Rule(partial(_positions, n), f"finite numbers in Å, of shape ({n}, 3)")


def _positions(n: int, given: Any) -> NDArray[np.float64]:
    array = np.asarray(given)
    require(array.dtype.kind in "iuf" and array.shape == (n, 3))
    kept = array.astype(np.float64, copy=False)
    require(np.isfinite(kept).all())
    return kept


NUMBERS = Rule(
    _numbers, f"atomic numbers of 1 to {LAST_ELEMENT}, of shape (n,), n from 1 to {MOST_ATOMS}"
)
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
    Failure: {"kind": KIND, "message": TEXT, "seconds": SECONDS},
}
