"""Which molecules a library takes."""

from dataclasses import dataclass
from functools import lru_cache

from rdkit import Chem, rdBase

from molloop.errors import InputError


@dataclass(frozen=True, slots=True)
class Filters:
    """What a molecule must be like; the defaults let every one in.

    Attributes
    ----------
    min_heavy_atoms, max_heavy_atoms
        Bounds of the number of atoms other than hydrogen, themselves allowed.
    elements
        Symbols of those allowed; hydrogen always is. None: all.
    excluded_smarts
        Patterns of which none may match.
    """

    min_heavy_atoms: int = 0
    max_heavy_atoms: int | None = None
    elements: tuple[str, ...] | None = None
    excluded_smarts: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise InputError where an element or a pattern is none."""
        if self.max_heavy_atoms is not None and self.max_heavy_atoms < self.min_heavy_atoms:
            raise InputError(
                "max_heavy_atoms",
                self.max_heavy_atoms,
                f"at least min_heavy_atoms ({self.min_heavy_atoms})",
                "No molecule would be left.",
            )
        table = Chem.GetPeriodicTable()
        known = {table.GetElementSymbol(number) for number in range(1, 119)}
        for symbol in self.elements or ():
            if symbol not in known:
                raise InputError("elements", symbol, "symbols such as C,N,O,F", "Mend it.")
        for smarts in self.excluded_smarts:
            if _pattern(smarts) is None:
                raise InputError("excluded SMARTS", smarts, "a valid SMARTS", "Mend it.")

    def objection(self, molecule: Chem.Mol) -> str | None:
        """Return why a molecule stays out, or None."""
        n_heavy = molecule.GetNumHeavyAtoms()
        if n_heavy < self.min_heavy_atoms:
            return f"{n_heavy} heavy atoms, fewer than {self.min_heavy_atoms}"
        if self.max_heavy_atoms is not None and n_heavy > self.max_heavy_atoms:
            return f"{n_heavy} heavy atoms, more than {self.max_heavy_atoms}"
        if self.elements is not None:
            found = {atom.GetSymbol() for atom in molecule.GetAtoms()}
            if others := sorted(found - {"H", *self.elements}):
                return f"element {', '.join(others)}"
        for smarts in self.excluded_smarts:
            if molecule.HasSubstructMatch(_pattern(smarts) or Chem.Mol()):
                return f"matches the excluded {smarts}"
        return None


@lru_cache(maxsize=1024)
def _pattern(smarts: str) -> Chem.Mol | None:
    with rdBase.BlockLogs():
        pattern = Chem.MolFromSmarts(smarts)
    return pattern if pattern is not None and pattern.GetNumAtoms() else None
