"""Conditions on the structure of molecules: computed once a molecule, and kept."""

import importlib.util
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, RDConfig, rdBase
from rdkit.Chem import FilterCatalog

from molloop.errors import RunError
from molloop.library.computable import Computable
from molloop.library.conditions_on_columns import Admitted, Condition, too_far, within

CATALOGUES: tuple[str, ...] = tuple(FilterCatalog.FilterCatalogParams.FilterCatalogs.names)


class StructureCondition(Condition, Computable):
    """A condition on what is computed of a molecule: a truth, or a number. Some share it."""

    @abstractmethod
    def compute(self, molecule: Chem.Mol) -> float:
        """Compute it."""

    def compute_all(self, molecules: Sequence[Chem.Mol]) -> list[float]:
        """Compute it of n molecules."""
        return [self.compute(one) for one in molecules]

    @abstractmethod
    def admits(self, computed: NDArray[Any]) -> Admitted:
        """Return which molecules meet it by what was computed of each, shape (n,)."""


@dataclass(frozen=True)
class Smarts(StructureCondition):
    """A pattern matches, or does not."""

    smarts: str
    is_required: bool

    @property
    def words(self) -> str:
        """What it asks, as a configuration says it."""
        return f"{'required' if self.is_required else 'excluded'}_smarts = {self.smarts}"

    @property
    def fact(self) -> str:
        """What is computed: whether it matches."""
        return f"smarts {self.smarts}"

    def compute(self, molecule: Chem.Mol) -> bool:
        """Return whether it matches."""
        return bool(molecule.HasSubstructMatch(pattern(self.smarts) or Chem.Mol()))

    def admits(self, computed: NDArray[Any]) -> Admitted:
        """Return which molecules meet it, shape (n,)."""
        return computed if self.is_required else ~computed

    def objection(self, molecule: Chem.Mol) -> str | None:
        """Return why a molecule does not meet it, or None."""
        if self.compute(molecule) == self.is_required:
            return None
        told = "does not match the required" if self.is_required else "matches the excluded"
        return f"{told} {self.smarts}"


@lru_cache(maxsize=1024)
def pattern(smarts: str) -> Chem.Mol | None:
    """Return the pattern that a SMARTS stands for, or None where it is none."""
    with rdBase.BlockLogs():
        found = Chem.MolFromSmarts(smarts)
    return found if found is not None and found.GetNumAtoms() else None


@dataclass(frozen=True)
class Catalogue(StructureCondition):
    """No entry of one of RDKit's catalogues matches."""

    name: str

    @property
    def words(self) -> str:
        """What it asks, as a configuration says it."""
        return f"excluded_catalogues = {self.name}"

    @property
    def fact(self) -> str:
        """What is computed: whether an entry matches."""
        return f"catalogue {self.name}"

    def compute(self, molecule: Chem.Mol) -> bool:
        """Return whether an entry matches."""
        return bool(_catalogue(self.name).HasMatch(molecule))

    def admits(self, computed: NDArray[Any]) -> Admitted:
        """Return which molecules meet it, shape (n,)."""
        return ~computed

    def objection(self, molecule: Chem.Mol) -> str | None:
        """Return why a molecule does not meet it, or None."""
        entry = _catalogue(self.name).GetFirstMatch(molecule)
        return None if entry is None else f"matches {self.name}: {entry.GetDescription()}"


@lru_cache(maxsize=4)
def _catalogue(name: str) -> FilterCatalog.FilterCatalog:
    params = FilterCatalog.FilterCatalogParams()
    params.AddCatalog(FilterCatalog.FilterCatalogParams.FilterCatalogs.names[name])
    return FilterCatalog.FilterCatalog(params)


@dataclass(frozen=True)
class SyntheticAccessibility(StructureCondition):
    """How easily a molecule is made, from 1 (easily) to 10, is at least or at most some number.

    Ertl and Schuffenhauer, J. Cheminform. 1, 8 (2009), doi:10.1186/1758-2946-1-8, as in RDKit's
    Contrib.
    """

    limit: float
    is_least: bool

    @property
    def words(self) -> str:
        """What it asks, as a configuration says it."""
        return f"{'min' if self.is_least else 'max'}_synthetic_accessibility = {self.limit}"

    @property
    def dtype(self) -> type[np.generic]:
        """Of the score."""
        return np.float32

    @property
    def fact(self) -> str:
        """What is computed: the score."""
        return "synthetic accessibility"

    def compute(self, molecule: Chem.Mol) -> float:
        """Return the score."""
        return float(_sascorer().calculateScore(molecule))

    def admits(self, computed: NDArray[Any]) -> Admitted:
        """Return which molecules meet it, shape (n,)."""
        return within(computed, self)

    def objection(self, molecule: Chem.Mol) -> str | None:
        """Return why a molecule does not meet it, or None."""
        score = np.array([self.compute(molecule)], np.float32)
        return None if self.admits(score).all() else too_far(self.fact, score[0], self)


@lru_cache(maxsize=1)
def _sascorer() -> ModuleType:
    """Return RDKit's module, which is in no package.

    Raises
    ------
    RunError
        This RDKit comes without its Contrib.
    """
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    try:
        spec = importlib.util.spec_from_file_location("sascorer", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except OSError as error:
        raise RunError(
            f"RDKit's synthetic-accessibility score cannot be loaded ({error}).",
            "Install RDKit from PyPI, which has it, or leave that condition out.",
        ) from error
    return module
