"""Every type of molloop that a public signature needs is public itself."""

import inspect
import re
import sys
import tomllib
import typing
from functools import cached_property
from pathlib import Path

import ase
import pandas as pd
import pytest
from rdkit.Chem import Mol

import molloop
from molloop import errors

# of other packages, which signatures name without loading them
OTHERS = {"pd": pd, "Atoms": ase.Atoms, "Mol": Mol}


def hints(thing):
    """Return the types of a signature; names that are imported for type checkers are found."""
    names = dict(OTHERS)
    while True:
        try:
            return typing.get_type_hints(thing, localns=names).values()
        except NameError as error:
            homes = [one for name, one in sys.modules.items() if name.startswith("molloop.")]
            names[error.name] = next(
                vars(one)[error.name] for one in homes if error.name in vars(one)
            )


def own_types(hint):
    """Return the classes of molloop that a hint is made of."""
    parts = hint if isinstance(hint, list) else typing.get_args(hint)
    if parts:
        return {one for part in parts for one in own_types(part)}
    is_own = isinstance(hint, type) and hint.__module__.startswith("molloop.")
    return {hint} if is_own else set()


def signatures(thing):
    """Return a function, or a class with its public methods and properties."""
    yield thing
    for name, member in vars(thing).items() if isinstance(thing, type) else ():
        if name.startswith("_"):
            continue
        if isinstance(member, classmethod | staticmethod):
            yield member.__func__
        elif isinstance(member, property):
            yield member.fget
        elif isinstance(member, cached_property):
            yield member.func
        elif inspect.isfunction(member):
            yield member


@pytest.mark.parametrize("name", molloop.__all__)
def test_types_of_signatures_are_public(name):
    needed = {
        one
        for signature in signatures(getattr(molloop, name))
        for hint in hints(signature)
        for one in own_types(hint)
    }
    missing = {one for one in needed if getattr(molloop, one.__name__, None) is not one}
    assert missing == set()


def raised(thing):
    """Return the errors of molloop that a docstring's section Raises names."""
    lines = iter((inspect.getdoc(thing) or "").splitlines())
    for line in lines:
        if line == "Raises":
            break
    next(lines, None)
    for line in lines:
        if line and not line.startswith(" "):
            yield from (one for one in line.split(", ") if hasattr(errors, one))


@pytest.mark.parametrize("name", molloop.__all__)
def test_errors_of_docstrings_are_public(name):
    told = {one for signature in signatures(getattr(molloop, name)) for one in raised(signature)}
    assert told <= set(molloop.__all__)


def test_a_docstring_names_its_errors():
    assert list(raised(molloop.run)) == ["InputError", "RunError"]
    assert list(raised(molloop.enumerate_library)) == ["InputError", "RunError"]
    assert list(raised(molloop.read_results)) == ["InputError", "StoreError"]
    assert list(raised(molloop.simulate_molecules)) == ["InputError"]


def test_the_citation_is_of_this_version():
    root = Path(__file__).parents[2]
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nversion: {version}\n" in (root / "CITATION.cff").read_text()


def test_a_signature_names_its_types():
    assert {molloop.Results, molloop.Settings, molloop.Finished, molloop.Interruption} <= {
        one for hint in hints(molloop.run) for one in own_types(hint)
    }
    fields = {one for hint in hints(molloop.Results) for one in own_types(hint)}
    assert {molloop.Known, molloop.Simulated, molloop.Task} <= fields


def test_the_reference_lists_what_is_public():
    page = Path(__file__).parents[2] / "docs" / "reference" / "python.md"
    text = page.read_text("utf-8")
    listed = re.findall(r"^\.\. auto\w+:: molloop\.(\w+)(?:\(\))?$", text, re.M)
    linked = re.findall(r"`molloop\.(\w+)\s<molloop\.campaign\.events", text)
    assert sorted([*listed, *linked]) == sorted(molloop.__all__)
