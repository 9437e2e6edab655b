"""A molecule, and atoms in space."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the command's help needs none of them
    import numpy as np
    from ase import Atoms
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Geometry:
    """Atoms in space.

    Without slots: geometries go from process to process, and frozen classes with slots are pickled
    by functions in Python.

    Attributes
    ----------
    numbers
        Atomic numbers, shape (n,).
    positions_angstrom
        Shape (n, 3).
    """

    numbers: "NDArray[np.uint8]"
    positions_angstrom: "NDArray[np.float64]"

    def to_atoms(self) -> "Atoms":
        """Return ASE's atoms, without a cell."""
        from ase import Atoms

        return Atoms(self.numbers, self.positions_angstrom)


def label(smiles: str, name: str) -> str:
    """Return what people read of a molecule: its name, where it has one, and its SMILES."""
    return f"{name} {smiles}" if name else smiles


_NO_CELLS: Mapping[str, str] = {}  # of all molecules: millions of empty ones take their time


def _no_cells() -> Mapping[str, str]:
    return _NO_CELLS


@dataclass(frozen=True)
class Molecule:
    """A molecule of a library.

    Attributes
    ----------
    id
        Its row in the library.
    smiles
        As its file has it.
    name
        What the user's file calls it; empty where it says nothing.
    geometry
        Where the file has one.
    kept
        Cells of further columns of the file that the library has kept, by their names.
    """

    id: int
    smiles: str
    name: str = ""
    geometry: Geometry | None = None
    kept: Mapping[str, str] = field(default_factory=_no_cells)

    @property
    def label(self) -> str:
        """What people read of it, see :func:`label`."""
        return label(self.smiles, self.name)


class Labels(Protocol):
    """What the user's file says of a library's molecules beside their structures.

    A library is one, and so is what a run's database tells of it.
    """

    @property
    def title(self) -> str:
        """What the user calls the library; empty where it is not known."""

    @property
    def kept_names(self) -> tuple[str, ...]:
        """Names of the columns that were kept."""

    def name(self, molecule_id: int) -> str:
        """Return what the file calls a molecule; empty where it says nothing."""

    def kept(self, molecule_id: int) -> Mapping[str, str]:
        """Return what a molecule has in the columns that were kept, by their names."""
