"""The graphs of many molecules at once, as arrays: atoms, bonds, rings.

To ask RDKit's objects atom by atom costs a microsecond an answer. Two calls a molecule say the
same: the invariants of its atoms and the matrix of its bonds.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

SINGLE, AROMATIC, DOUBLE, TRIPLE = 2, 3, 4, 6  # twice the order of such a bond
_KNOWN_BONDS = {
    Chem.BondType.SINGLE,
    Chem.BondType.AROMATIC,
    Chem.BondType.DOUBLE,
    Chem.BondType.TRIPLE,
}
_DATIVE_BONDS = {Chem.BondType.DATIVE, Chem.BondType.DATIVEONE}
# so RDKit calls what it keeps with a molecule; else all molecules of a block keep theirs
_ADJACENCY = "AdjacencyMatrixBO"
_DISTANCES = "DistanceMatrix", "DistanceMatrix_Paths"
# by RDKit's invariants: none of 46,440 kinds of the elements up to 86 share one of 32 bits, and of
# 185,760 with isotopes 3 pairs do, of seven bonds at an atom from Ge on: a test counts them
_KNOWN_KINDS: dict[int, int] = {}

Indices = NDArray[np.intp]
Labels = NDArray[np.uint64]
Numbers = NDArray[np.float64]


def read_plain(molecules: Sequence[Chem.Mol], max_atoms: int) -> tuple[list[int], "Graphs | None"]:
    """Return which of some molecules are plain, and their graphs if there are any.

    Plain are those of 1 to so many atoms without hydrogens among them and without odd bonds.
    """
    rows = [
        row
        for row, one in enumerate(molecules)
        if 0 < one.GetNumAtoms() <= max_atoms and one.GetNumAtoms() == one.GetNumHeavyAtoms()
    ]
    graphs = Graphs([molecules[row] for row in rows]) if rows else None
    if graphs is None or graphs.have_known_bonds.all():
        return rows, graphs
    rows = [row for row, is_known in zip(rows, graphs.have_known_bonds, strict=True) if is_known]
    return rows, Graphs([molecules[row] for row in rows]) if rows else None


def as_plain(molecule: Chem.Mol) -> Chem.Mol:
    """Return a copy whose hydrogens are counts of their neighbours, and whose odd bonds are single.

    A dative bond becomes a single one between charges: its pair is the donor's no more.

    It has no atoms where there are none but hydrogens.
    """
    plain = Chem.RWMol(Chem.RemoveAllHs(molecule, sanitize=False))
    plain.UpdatePropertyCache(strict=False)
    for bond in plain.GetBonds():
        if bond.GetBondType() in _DATIVE_BONDS:
            for atom, charge in ((bond.GetBeginAtom(), 1), (bond.GetEndAtom(), -1)):
                atom.SetFormalCharge(atom.GetFormalCharge() + charge)
        if bond.GetBondType() not in _KNOWN_BONDS:
            bond.SetBondType(Chem.BondType.SINGLE)
    Chem.GetSymmSSSR(plain)
    return plain


class Graphs:
    """The graphs of n molecules, those of one behind those of another.

    There are a atoms in all, and b bonds, each from either end, ordered by their beginning.

    Attributes
    ----------
    n
        How many molecules.
    sizes, first_atoms
        How many atoms each molecule has, and which is its first, shape (n,).
    owner
        Which molecule an atom belongs to, shape (a,).
    kinds
        What each atom is by itself, shape (a,): see :func:`_kind`.
    bond_owner, begin, end, order
        Which molecule a bond belongs to; its atoms, numbered over all molecules; twice its order.
        Shape (b,).
    first_bonds
        Where the bonds begin that begin at an atom, shape (a + 1,).
    """

    def __init__(self, molecules: Sequence[Chem.Mol]) -> None:
        """Read molecules of which each is plain: see :func:`read_plain`."""
        self.n = len(molecules)
        self._molecules = molecules
        self.sizes = np.array([one.GetNumAtoms() for one in molecules], dtype=np.intp)
        self.first_atoms = starts(self.sizes)
        self.owner = np.repeat(np.arange(self.n), self.sizes)
        self.kinds = _kinds(molecules)
        self._matrix_starts = starts(self.sizes**2)
        self._matrices = np.concatenate([_matrix(one) for one in molecules])
        places = np.flatnonzero(self._matrices)
        n_bonds = np.searchsorted(places, self._matrix_starts + self.sizes**2)
        self.bond_owner = np.repeat(np.arange(self.n), np.diff(n_bonds, prepend=0))
        inside = places - self._matrix_starts[self.bond_owner]
        begin, end = np.divmod(inside, self.sizes[self.bond_owner])
        self.begin = begin + self.first_atoms[self.bond_owner]
        self.end = end + self.first_atoms[self.bond_owner]
        self.order = (2 * self._matrices[places]).astype(np.uint64)
        self.first_bonds = np.searchsorted(self.begin, np.arange(len(self.owner) + 1))

    @cached_property
    def elements(self) -> Indices:
        """Atomic number of each atom, shape (a,)."""
        return (self.kinds & np.uint64(0xFF)).astype(np.intp)

    @cached_property
    def charges(self) -> Indices:
        """Formal charge of each atom, shape (a,)."""
        return (self.kinds >> np.uint64(16) & np.uint64(0xFF)).astype(np.int8).astype(np.intp)

    @cached_property
    def degrees(self) -> Indices:
        """How many bonds each atom has, those to hydrogens among them, shape (a,)."""
        return (self.kinds >> np.uint64(24) & np.uint64(0xFF)).astype(np.intp)

    @cached_property
    def n_hydrogens(self) -> Indices:
        """How many hydrogens each atom has, shape (a,)."""
        return (self.kinds >> np.uint64(32) & np.uint64(0xFF)).astype(np.intp)

    @cached_property
    def have_known_bonds(self) -> NDArray[np.bool_]:
        """Whether a molecule's bonds are single, double, triple or aromatic ones, shape (n,).

        The matrix of RDKit has a dative bond from one end alone, and others not at all.
        """
        n_bonds = np.array([one.GetNumBonds() for one in self._molecules])
        is_known = np.isin(self.order, (SINGLE, AROMATIC, DOUBLE, TRIPLE))
        found: NDArray[np.bool_] = (
            np.bincount(self.bond_owner[is_known], minlength=self.n) == 2 * n_bonds
        )
        return found

    def orders_between(self, owner: Indices, one: Indices, other: Indices) -> Numbers:
        """Return orders of bonds between pairs of atoms, 0 where there is none; each (k,)."""
        first = self.first_atoms[owner]
        row, column = one - first, other - first
        orders: Numbers = self._matrices[
            self._matrix_starts[owner] + row * self.sizes[owner] + column
        ]
        return orders

    def distances(self, number: int) -> Numbers:
        """Return the bonds between the atoms of a molecule, shape (size, size).

        Those of different fragments are as far apart as the molecule has atoms.
        """
        molecule = self._molecules[number]
        found: Numbers = np.minimum(
            Chem.GetDistanceMatrix(molecule, force=True), self.sizes[number]
        )
        for name in _DISTANCES:
            molecule.ClearProp(name)
        return found

    @cached_property
    def rings(self) -> tuple[Indices, Indices]:
        """Of each of their smallest rings, as RDKit finds them, its molecule and its atoms."""
        found = [one.GetRingInfo().AtomRings() for one in self._molecules]
        sizes = np.fromiter(map(len, chain.from_iterable(found)), np.intp)
        return np.repeat(np.arange(self.n), list(map(len, found))), sizes


def starts(sizes: NDArray[Any]) -> Indices:
    """Return where each begins that stands behind others of these sizes."""
    found: Indices = np.cumsum(sizes) - sizes
    return found


def _matrix(molecule: Chem.Mol) -> Numbers:
    """Return the orders of its bonds, shape (size * size,)."""
    matrix: Numbers = Chem.GetAdjacencyMatrix(molecule, useBO=True, force=True)
    molecule.ClearProp(_ADJACENCY)
    return matrix.reshape(-1)


def _kinds(molecules: Sequence[Chem.Mol]) -> Labels:
    """Return what each atom is by itself, shape (a,).

    RDKit's invariant of an atom stands for all of that.
    """
    invariants = list(map(rdMolDescriptors.GetConnectivityInvariants, molecules))
    flat = list(chain.from_iterable(invariants))
    if not _KNOWN_KINDS.keys() >= set(flat):
        for molecule, some in zip(molecules, invariants, strict=True):
            _KNOWN_KINDS.update(zip(some, map(_kind, molecule.GetAtoms()), strict=True))
    return np.fromiter(map(_KNOWN_KINDS.__getitem__, flat), np.uint64, len(flat))


def _kind(atom: Chem.Atom) -> int:
    """Return an atom's kind.

    Bits 0 to 7 are its element, bit 9 says whether it is in a ring, 16 to 23 its charge, 24 to 31
    how many bonds it has, those to hydrogens among them, and 32 to 39 these.
    """
    return (
        atom.GetAtomicNum()
        | atom.IsInRing() << 9
        | (atom.GetFormalCharge() % 256) << 16
        | atom.GetTotalDegree() << 24
        | atom.GetTotalNumHs() << 32
    )
