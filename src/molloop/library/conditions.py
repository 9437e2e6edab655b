"""What a molecule must be like: to be taken into a library, or to be chosen from one."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rdkit import Chem

from molloop.errors import InputError
from molloop.library.conditions_on_columns import Bound, Charge, Condition, Elements
from molloop.library.conditions_on_structures import (
    CATALOGUES,
    Catalogue,
    Smarts,
    SyntheticAccessibility,
    pattern,
)
from molloop.library.descriptors import DESCRIPTORS
from molloop.library.facts import N_ELEMENTS

SECTION = "conditions"  # of a configuration
MAX_CHARGE = 100
HEAVY_ATOMS, MOLAR_MASS, RINGS = "NumHeavyAtoms", "amw", "NumRings"


@dataclass(frozen=True, slots=True)
class DescriptorRange:
    """A descriptor, and the least and the largest value that it may have; None: any."""

    name: str
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a molecule must be like; the defaults let every one in. Bounds are allowed themselves.

    Attributes
    ----------
    min_heavy_atoms, max_heavy_atoms
        Number of atoms other than hydrogen.
    elements
        Symbols of those allowed; hydrogen always is. None: all.
    excluded_smarts, required_smarts
        Patterns of which none may, or all must match.
    charge
        Formal charges that are allowed. None: all.
    min_molar_mass, max_molar_mass
        In g/mol.
    min_rings, max_rings
        Number of rings.
    descriptors
        Of those that a library keeps, by their RDKit names.
    min_synthetic_accessibility, max_synthetic_accessibility
        Score of Ertl and Schuffenhauer, from 1, easily made, to 10:
        J. Cheminform. 1, 8 (2009), doi:10.1186/1758-2946-1-8.
    excluded_catalogues
        Of RDKit, by name: ``PAINS``, ``BRENK``, ... No entry may match.
    """

    min_heavy_atoms: int = 0
    max_heavy_atoms: int | None = None
    elements: tuple[str, ...] | None = None
    excluded_smarts: tuple[str, ...] = ()
    required_smarts: tuple[str, ...] = ()
    charge: tuple[int, ...] | None = None
    min_molar_mass: float | None = None
    max_molar_mass: float | None = None
    min_rings: int | None = None
    max_rings: int | None = None
    descriptors: tuple[DescriptorRange, ...] = ()
    min_synthetic_accessibility: float | None = None
    max_synthetic_accessibility: float | None = None
    excluded_catalogues: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise InputError where a bound, element, pattern, descriptor or catalogue is none."""
        self._check_bounds()
        for symbol in self.elements or ():
            if symbol not in _SYMBOLS:
                raise _unknown("elements", symbol, "symbols such as C,N,O,F", _SYMBOLS)
        for charge in self.charge or ():
            if abs(charge) > MAX_CHARGE:
                expected = f"-{MAX_CHARGE} to {MAX_CHARGE}"
                remedy = "Write charges such as 0, or [-1, 0]."
                raise InputError(f"{SECTION}.charge", charge, expected, remedy)
        for setting in ("required_smarts", "excluded_smarts"):
            for smarts in getattr(self, setting):
                if pattern(smarts) is None:
                    remedy = "Write a pattern such as [NX3;H2], or leave it out."
                    raise InputError(f"{SECTION}.{setting}", smarts, "a valid SMARTS", remedy)
        for one in self.descriptors:
            if one.name not in DESCRIPTORS:
                expected = f"one of {', '.join(DESCRIPTORS)}"
                raise _unknown("descriptors", one.name, expected, DESCRIPTORS)
        for name in self.excluded_catalogues:
            if name not in CATALOGUES:
                expected = f"one of {', '.join(CATALOGUES)}"
                raise _unknown("excluded_catalogues", name, expected, CATALOGUES)

    def _check_bounds(self) -> None:
        pairs = [
            (name, getattr(self, f"min_{name}"), getattr(self, f"max_{name}"))
            for name in ("heavy_atoms", "molar_mass", "rings", "synthetic_accessibility")
        ]
        for name, least, most in pairs:
            _check_order(f"max_{name}", f"min_{name}", least, most)
        for one in self.descriptors:
            where = f"descriptors.{one.name}"
            _check_order(f"{where}.max", f"{where}.min", one.min, one.max)

    def objection(self, molecule: Chem.Mol) -> str | None:
        """Return why a molecule stays out, or None."""
        return first_objection(each_of(self), molecule)


def first_objection(conditions: Iterable[Condition], molecule: Chem.Mol) -> str | None:
    """Return why a molecule does not meet one of some conditions, or None."""
    for one in conditions:
        if (objection := one.objection(molecule)) is not None:
            return objection
    return None


def each_of(stated: Conditions) -> tuple[Condition, ...]:
    """Return the single conditions, those on columns first."""
    return (*_on_columns(stated), *_on_structures(stated))


def _on_columns(stated: Conditions) -> Iterator[Condition]:
    least_atoms = stated.min_heavy_atoms or None
    yield from _bounds(
        "heavy_atoms", "heavy atoms", HEAVY_ATOMS, least_atoms, stated.max_heavy_atoms
    )
    if stated.elements is not None:
        numbers = tuple(sorted(_SYMBOLS[symbol] for symbol in stated.elements))
        yield Elements(f"elements = {', '.join(stated.elements)}", numbers)
    if stated.charge is not None:
        yield Charge(stated.charge)
    yield from _bounds(
        "molar_mass", "molar mass", MOLAR_MASS, stated.min_molar_mass, stated.max_molar_mass
    )
    yield from _bounds("rings", "rings", RINGS, stated.min_rings, stated.max_rings)
    for one in stated.descriptors:
        for side, limit in (("min", one.min), ("max", one.max)):
            if limit is not None:
                setting = f"descriptors.{one.name}.{side}"
                yield Bound(setting, one.name, one.name, float(limit), side == "min")


def _on_structures(stated: Conditions) -> Iterator[Condition]:
    yield from (Smarts(one, is_required=True) for one in stated.required_smarts)
    yield from (Smarts(one, is_required=False) for one in stated.excluded_smarts)
    yield from map(Catalogue, stated.excluded_catalogues)
    least, most = stated.min_synthetic_accessibility, stated.max_synthetic_accessibility
    if least is not None:
        yield SyntheticAccessibility(least, is_least=True)
    if most is not None:
        yield SyntheticAccessibility(most, is_least=False)


def _bounds(
    name: str, title: str, descriptor: str, least: float | None, most: float | None
) -> Iterator[Bound]:
    if least is not None:
        yield Bound(f"min_{name}", title, descriptor, least, is_least=True)
    if most is not None:
        yield Bound(f"max_{name}", title, descriptor, most, is_least=False)


def _check_order(name: str, other: str, least: float | None, most: float | None) -> None:
    if least is not None and most is not None and most < least:
        raise InputError(
            f"{SECTION}.{name}", most, f"at least {other} ({least})", "No molecule would be left."
        )


def _unknown(setting: str, value: str, expected: str, known: Iterable[str]) -> InputError:
    by_lower = {one.lower(): one for one in known}
    close = difflib.get_close_matches(value.lower(), by_lower, n=1)
    remedy = f"Is {by_lower[close[0]]} meant?" if close else "Leave it out, or write another."
    return InputError(f"{SECTION}.{setting}", value, expected, remedy)


_TABLE = Chem.GetPeriodicTable()
_SYMBOLS = {_TABLE.GetElementSymbol(number): number for number in range(1, N_ELEMENTS + 1)}
