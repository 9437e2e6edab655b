"""What names stand for: things of molloop, of other packages, and ``package.module:Thing``.

Light to import: a thing is imported where it is used, and other packages are looked up only where
a name is none of molloop's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from molloop.errors import InputError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@dataclass(frozen=True, slots=True)
class Listed:
    """A thing that has a name.

    Attributes
    ----------
    reference
        Where it is: ``package.module:Thing``.
    summary
        What it is, in a line for users.
    """

    reference: str
    summary: str


@dataclass(frozen=True)
class Registry:
    """Names of things of one sort.

    Attributes
    ----------
    own
        Those of molloop.
    group
        Of the entry points by which other installed packages add theirs; they cannot take a name of
        molloop's.
    """

    own: Mapping[str, Listed]
    group: str

    def listed(self) -> dict[str, Listed]:
        """Return all that has a name, molloop's own first."""
        return {**self.own, **{key: self._others[key] for key in sorted(self._others)}}

    def reference(self, name: str) -> str:
        """Return ``package.module:Thing`` of a name; one that is of this form stands for itself.

        Raises
        ------
        KeyError
            Nothing has this name.
        """
        if name in self.own:
            return self.own[name].reference
        return name if is_reference(name) else self._others[name].reference

    @cached_property
    def _others(self) -> dict[str, Listed]:
        return {
            name: Listed(
                point.value, f"of the package {point.dist.name}" if point.dist else point.value
            )
            for name, point in registered(self.group).items()
            if name not in self.own
        }


def is_name(text: str) -> bool:
    """Whether a text is of the form that names of entry points have."""
    return re.fullmatch(r"[\w.-]+", text) is not None


def registered(group: str) -> "dict[str, EntryPoint]":
    """Return what other installed packages have in a group of entry points, by name."""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=group)}


def is_reference(text: str) -> bool:
    """Whether a text is of the form ``package.module:Thing``."""
    module, colon, name = text.partition(":")
    return bool(colon) and all(part.isidentifier() for part in (*module.split("."), name))


def import_thing(reference: str) -> Any:
    """Import what ``package.module:Thing`` names; this executes the module.

    Raises
    ------
    ImportError, AttributeError
        There is no such module or thing; whatever else the module raises.
    """
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)


def import_named(reference: str, setting: str, expected: str) -> Any:
    """Import what a setting names, ``package.module:Thing``.

    Raises
    ------
    InputError
        It cannot be imported.
    """
    try:
        return import_thing(reference)
    except Exception as error:  # the module may do anything
        raise InputError(
            setting,
            reference,
            expected,
            f"It fails with {type(error).__name__}: {error}. Is its folder on PYTHONPATH?",
        ) from error
