"""The kinds of features, by name.

Light to import: the configuration reads the names. A kind of molloop is a file of this folder and a
line here.
"""

import hashlib
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from molloop.errors import InputError
from molloop.registry import Listed, Registry, import_named

if TYPE_CHECKING:
    from molloop.library.features import FeatureKind

SETTING = "search.features"  # what names features, for errors
FEATURES = Registry(
    {
        "descriptors": Listed(
            "molloop.library.features:MoleculeDescriptors",
            "numbers of the molecule, standardised",
        ),
        "fingerprints": Listed(
            "molloop.library.features:Fingerprints", "bits, of Morgan fingerprints"
        ),
    },
    group="molloop.features",
)


def is_own(name: str) -> bool:
    """Whether a name is of molloop's own features: no other code is executed for it."""
    return name in FEATURES.own


def is_name(name: str) -> bool:
    """Whether features have a name, as far as that is known without their code."""
    try:
        FEATURES.reference(name)
    except KeyError:
        return False
    return True


def names() -> str:
    """Return which names there are, for users."""
    listed = ", ".join(FEATURES.listed())
    return f"one of {listed}, or features of your own, package.module:function or a class"


def feature_kind(name: str) -> "FeatureKind":
    """Return a kind of features by its name; this imports it.

    Raises
    ------
    InputError
        There is none, it cannot be imported, or it is neither a class of features nor a function.
    """
    return imported(name)[0]


@cache  # together: a file that is edited later is not what was imported
def imported(name: str) -> "tuple[FeatureKind, str]":
    """Return the same, and a checksum of the file that it is in; empty where there is none."""
    kind = _import(name)
    module = sys.modules.get(FEATURES.reference(name).partition(":")[0])
    path = getattr(module, "__file__", None)
    with suppress(OSError):
        return kind, hashlib.sha256(Path(path).read_bytes()).hexdigest() if path else ""
    return kind, ""


def _import(name: str) -> "FeatureKind":
    import numpy as np

    from molloop.library.features import FeatureKind, OfFunction

    if not is_name(name):
        raise InputError(SETTING, name, names(), "`molloop config` explains them.")
    found = import_named(FEATURES.reference(name), SETTING, "features that can be imported")
    if callable(found) and not isinstance(found, type):
        return OfFunction(found)
    base = f"{FeatureKind.__module__}.{FeatureKind.__name__}"
    if not (isinstance(found, type) and issubclass(found, FeatureKind)):
        expected = f"a function, or a class that derives from {base}"
        raise InputError(SETTING, name, expected, f"It is {found!r}.")
    if found.__abstractmethods__:
        expected = "features with the method compute"
        raise InputError(SETTING, name, expected, f"Write it, as {FeatureKind.__module__} says.")
    if found.dtype not in (np.float32, np.uint8):
        expected = "features whose dtype is numpy.float32 or numpy.uint8"
        raise InputError(SETTING, name, expected, f"It is {found.dtype!r}.")
    try:
        return found()
    except Exception as error:  # the class is a user's, and may raise anything
        told = f"It fails with {type(error).__name__}: {error}."
        raise InputError(SETTING, name, "a class that is made without arguments", told) from error
