"""Conditions in the words of a configuration, as a run's database tells of them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

if TYPE_CHECKING:
    from molloop.library.conditions import Conditions

# what lets every molecule in, where that is not None
NO_LIMIT: dict[str, Any] = {
    "min_heavy_atoms": 0,
    "excluded_smarts": [],
    "required_smarts": [],
    "descriptors": [],
    "excluded_catalogues": [],
}


def in_words(conditions: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Say each condition: ``charge = 0, 1``, ``descriptors.CrippenClogP.max = 3.0``."""
    for name, one in conditions.items():
        if isinstance(one, Mapping):
            yield from in_words(one, f"{before}{name}.")
        elif one is not None:
            told = ", ".join(map(str, one)) if isinstance(one, list | tuple) else one
            yield f"{before}{name} = {told}"


def built_with(library: Mapping[str, Any]) -> list[str]:
    """Say the conditions that a library was built with; nothing where they are not known.

    Parameters
    ----------
    library
        What a run's environment keeps of its library.
    """
    try:
        filters = library["spec"]["filters"]
        if all(one is None or one == NO_LIMIT.get(name) for name, one in filters.items()):
            return []  # without what conditions need, which takes its memory
        filters = _reader().validate_python(filters)
    except (AttributeError, KeyError, TypeError, ValidationError):
        return []  # of another version, or no library's
    defaults = asdict(type(filters)())
    asked = {name: one for name, one in asdict(filters).items() if one != defaults[name]}
    limits = {one.name: {"min": one.min, "max": one.max} for one in filters.descriptors}
    return list(in_words(asked | {"descriptors": limits}))


@cache
def _reader() -> "TypeAdapter[Conditions]":
    from molloop.library.conditions import Conditions

    return TypeAdapter(Conditions)
