"""Single conditions, and those on what a library keeps of each molecule: its columns."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from molloop.library.descriptors import DESCRIPTORS, Descriptors
from molloop.library.facts import Facts
from molloop.texts import counted

Admitted = NDArray[np.bool_]
LARGEST = 1e38  # about what a float32 can be


class Columns(Protocol):
    """What a shard has of n molecules."""

    @property
    def descriptors(self) -> Descriptors:
        """Descriptors, shape (n, d)."""

    @property
    def facts(self) -> Facts:
        """Charges, fragments and elements."""

    @property
    def has_geometry(self) -> Admitted:
        """Which molecules have a geometry of their file, shape (n,)."""


class Condition(ABC):
    """What a molecule must be.

    Attributes
    ----------
    remedy
        What helps where no molecule meets it.
    """

    remedy: ClassVar[str] = "loosen it, or those before it."

    @property
    @abstractmethod
    def words(self) -> str:
        """What it asks, as a configuration says it."""

    @abstractmethod
    def objection(self, molecule: Chem.Mol) -> str | None:
        """Return why a molecule does not meet it, or None."""


class ColumnCondition(Condition):
    """A condition on columns."""

    @abstractmethod
    def admits(self, columns: Columns) -> Admitted:
        """Return which molecules meet it, shape (n,)."""


@dataclass(frozen=True)
class Bound(ColumnCondition):
    """A descriptor is at least, or at most, some number.

    Attributes
    ----------
    setting
        Of a configuration.
    title
        What the descriptor is.
    """

    setting: str
    title: str
    descriptor: str
    limit: float
    is_least: bool

    @property
    def words(self) -> str:
        """What it asks, as a configuration says it."""
        return f"{self.setting} = {self.limit}"

    def admits(self, columns: Columns) -> Admitted:
        """Return which molecules meet it, shape (n,)."""
        return within(columns.descriptors[:, DESCRIPTORS.index(self.descriptor)], self)

    def objection(self, molecule: Chem.Mol) -> str | None:
        """Return why a molecule does not meet it, or None."""
        (value,) = _properties(self.descriptor).ComputeProperties(molecule)
        kept = np.nan_to_num(np.array([value], np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        if within(kept, self).all():
            return None
        if isinstance(self.limit, int):
            side = "fewer" if self.is_least else "more"
            return (
                f"{counted(int(kept[0]), self.title.removesuffix('s'))}, {side} than {self.limit}"
            )
        return too_far(self.title, kept[0], self)


class Limit(Protocol):
    """A number that others must reach, or may not exceed."""

    @property
    def limit(self) -> float:
        """The number."""

    @property
    def is_least(self) -> bool:
        """Whether it is the least that is allowed, or the most."""


def within(values: NDArray[np.float32], bound: Limit) -> Admitted:
    """Return which of some values a bound allows; it is one of them itself, as they are rounded."""
    limit = np.float32(min(max(bound.limit, -LARGEST), LARGEST))
    return values >= limit if bound.is_least else values <= limit


def too_far(title: str, value: float, bound: Limit) -> str:
    """Say that a value is beyond a bound."""
    return f"{title} {value:g}, {'less' if bound.is_least else 'more'} than {bound.limit:g}"


@lru_cache(maxsize=64)
def _properties(descriptor: str) -> rdMolDescriptors.Properties:
    return rdMolDescriptors.Properties([descriptor])


@dataclass(frozen=True)
class Charge(ColumnCondition):
    """The formal charge is one of some."""

    charges: tuple[int, ...]

    @property
    def words(self) -> str:
        """What it asks, as a configuration says it."""
        return f"charge = {', '.join(map(str, self.charges))}"

    def admits(self, columns: Columns) -> Admitted:
        """Return which molecules meet it, shape (n,)."""
        return np.isin(columns.facts.charges, np.array(self.charges, dtype=np.int8))

    def objection(self, molecule: Chem.Mol) -> str | None:
        """Return why a molecule does not meet it, or None."""
        charge = Chem.GetFormalCharge(molecule)
        return None if charge in self.charges else f"charge {charge}"


@dataclass(frozen=True)
class Elements(ColumnCondition):
    """All atoms are of some elements, by atomic number; hydrogen is always allowed."""

    words_of_it: str
    numbers: tuple[int, ...]

    @property
    def words(self) -> str:
        """What it asks, as a configuration says it."""
        return self.words_of_it

    def admits(self, columns: Columns) -> Admitted:
        """Return which molecules meet it, shape (n,)."""
        found = columns.facts.elements
        others = np.ones(8 * found.shape[1], dtype=np.bool_)
        others[[1, *self.numbers]] = False
        strange = found & np.packbits(others, bitorder="little")
        return np.asarray(~strange.any(axis=1), dtype=np.bool_)

    def objection(self, molecule: Chem.Mol) -> str | None:
        """Return why a molecule does not meet it, or None."""
        allowed = {1, *self.numbers}
        others = {a.GetSymbol() for a in molecule.GetAtoms() if a.GetAtomicNum() not in allowed}
        return f"element {', '.join(sorted(others))}" if others else None


@dataclass(frozen=True)
class OneFragment(ColumnCondition):
    """All atoms hang together."""

    @property
    def words(self) -> str:
        """What it asks."""
        return "one fragment"

    def admits(self, columns: Columns) -> Admitted:
        """Return which molecules meet it, shape (n,)."""
        return np.equal(columns.facts.n_fragments, 1)

    def objection(self, molecule: Chem.Mol) -> str | None:
        """Return why a molecule does not meet it, or None."""
        n = len(Chem.GetMolFrags(molecule))
        return None if n == 1 else f"{n} fragments"


@dataclass(frozen=True)
class OwnGeometry(ColumnCondition):
    """The user's file has the places of all atoms."""

    remedy: ClassVar[str] = (
        "give a file with 3D coordinates of all atoms, hydrogens too, such as an SDF, or leave out "
        "simulation.start_geometry = input and the fidelity input-geometry."
    )

    @property
    def words(self) -> str:
        """What it asks."""
        return "the need of a geometry in the file"

    def admits(self, columns: Columns) -> Admitted:
        """Return which molecules meet it, shape (n,)."""
        return columns.has_geometry

    def objection(self, molecule: Chem.Mol) -> str | None:
        """Return why a molecule does not meet it, or None."""
        has = molecule.GetNumConformers() and molecule.GetConformer().Is3D()
        return None if has else "no geometry"
