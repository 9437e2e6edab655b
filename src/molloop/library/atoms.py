"""The atoms of many molecules at once, as arrays.

To ask RDKit's objects atom by atom costs a microsecond an answer. Two calls a molecule say the
same: the invariants of its atoms and the matrix of its bonds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

AROMATIC, DOUBLE = 3, 4  # twice the order of such a bond
IN_RING = 16  # is added to that of a double one
_ODD_BOND = Chem.MolFromSmarts("*!-!=!#!:*")  # dative ones, for example: matrices do not tell
_MATRIX = "AdjacencyMatrix"  # so RDKit calls what it keeps with the molecule
_BOND = np.uint64(0x9E3779B97F4A7C15)
_ELEMENT, _RING, _WITHOUT_HYDROGENS = np.uint64(0x1FF), np.uint64(0x200), np.uint64(0xFFFFFFFF)
_KNOWN_KINDS: dict[int, int] = {}

Indices = NDArray[np.intp]
Labels = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Atoms:
    """The atoms of n molecules, those of one behind those of another: a atoms in all.

    Attributes
    ----------
    owner
        Which molecule each belongs to, shape (a,).
    surroundings
        Two atoms share this number if they are alike in what :func:`_surroundings` names, shape
        (a,). Among 10^5 that are not, two share one with a probability of 3e-10.
    n_paths_2, n_paths_3
        Paths of two bonds in each molecule, and of three; around a ring of three goes one. Shape
        (n,).
    """

    owner: Indices
    surroundings: Labels
    n_paths_2: Indices
    n_paths_3: Indices


def are_plain(molecule: Chem.Mol) -> bool:
    """Tell whether :func:`read_atoms` takes a molecule: no atom is a hydrogen, no bond is odd."""
    n_atoms = molecule.GetNumAtoms()
    return n_atoms == molecule.GetNumHeavyAtoms() > 0 and not molecule.HasSubstructMatch(_ODD_BOND)


def read_atoms(molecules: Sequence[Chem.Mol]) -> Atoms:
    """Read those of some molecules, at least one."""
    bonds = _Bonds(molecules)
    degree = np.diff(bonds.first_of_atom)
    n_paths_2 = bonds.sum_by_molecule(bonds.atom_owner, degree * (degree - 1) // 2)
    three = (degree[bonds.begin] - 1) * (degree[bonds.end] - 1)
    n_paths_3 = bonds.sum_by_molecule(bonds.owner, three) // 2 - 2 * bonds.count_triangles()
    surroundings = _surroundings(_kinds(molecules), bonds, molecules)
    return Atoms(bonds.atom_owner, surroundings, n_paths_2, n_paths_3)


class _Bonds:
    """The bonds of n molecules, each from either end: b in all, ordered by their beginning.

    Attributes
    ----------
    atom_owner
        Which molecule an atom belongs to, shape (a,).
    owner, begin, end, order
        Which molecule a bond belongs to; its atoms, numbered over all molecules; twice its order.
        Shape (b,).
    first_atoms
        Of each molecule, shape (n,).
    first_of_atom
        Where the bonds begin that begin at an atom, shape (a + 1,).
    """

    def __init__(self, molecules: Sequence[Chem.Mol]) -> None:
        self._sizes = np.array([one.GetNumAtoms() for one in molecules], dtype=np.intp)
        self.first_atoms = _starts(self._sizes)
        self._matrix_starts = _starts(self._sizes**2)
        self._matrices = np.concatenate([_matrix(one) for one in molecules])
        places = np.flatnonzero(self._matrices)
        n_bonds = np.searchsorted(places, self._matrix_starts + self._sizes**2)
        self.owner = np.repeat(np.arange(len(molecules)), np.diff(n_bonds, prepend=0))
        inside = places - self._matrix_starts[self.owner]
        begin, end = np.divmod(inside, self._sizes[self.owner])
        self.begin = begin + self.first_atoms[self.owner]
        self.end = end + self.first_atoms[self.owner]
        self.order = (2 * self._matrices[places]).astype(np.uint64)
        self.atom_owner = np.repeat(np.arange(len(molecules)), self._sizes)
        self.first_of_atom = np.searchsorted(self.begin, np.arange(len(self.atom_owner) + 1))

    def sum_by_atom(self, labels: Labels) -> Labels:
        """Return the sum of labels of bonds over those that begin at each atom, shape (a,)."""
        running = np.zeros(len(labels) + 1, dtype=np.uint64)
        np.cumsum(labels, out=running[1:])
        return running[self.first_of_atom[1:]] - running[self.first_of_atom[:-1]]

    def sum_by_molecule(self, owner: Indices, numbers: Indices) -> Indices:
        """Return the sum over what belongs to each molecule, shape (n,)."""
        return np.bincount(owner, numbers, len(self._sizes)).astype(np.intp)

    def count_triangles(self) -> Indices:
        """Return how many rings of three bonds each molecule has, shape (n,)."""
        n_others = np.diff(self.first_of_atom)[self.begin]
        side = np.repeat(np.arange(len(self.begin)), n_others)
        turn = np.arange(len(side)) - np.repeat(_starts(n_others), n_others)
        other = self.end[self.first_of_atom[self.begin[side]] + turn]
        owner = self.owner[side]
        first = self.first_atoms[owner]
        row, column = self.end[side] - first, other - first
        place = self._matrix_starts[owner] + row * self._sizes[owner] + column
        closed = owner[self._matrices[place] > 0]
        return np.bincount(closed, minlength=len(self._sizes)) // 6


def _matrix(molecule: Chem.Mol) -> NDArray[np.float64]:
    """Return the orders of its bonds, shape (size * size,)."""
    matrix: NDArray[np.float64] = Chem.GetAdjacencyMatrix(molecule, useBO=True, force=True)
    molecule.ClearProp(_MATRIX)  # else all molecules of a block keep theirs
    return matrix.reshape(-1)


def _starts(sizes: NDArray[Any]) -> Indices:
    """Return where each begins that stands behind others of these sizes."""
    starts: Indices = np.cumsum(sizes) - sizes
    return starts


def _kinds(molecules: Sequence[Chem.Mol]) -> Labels:
    """Return what each atom is by itself, shape (a,).

    Bits 0 to 7 are its element, bit 9 says whether it is in a ring, 16 to 23 its charge, 24 to 31
    how many bonds it has, those to hydrogens among them, and 32 to 39 these. RDKit's invariant of
    an atom stands for all of that.
    """
    invariants = list(map(rdMolDescriptors.GetConnectivityInvariants, molecules))
    flat = list(chain.from_iterable(invariants))
    if not _KNOWN_KINDS.keys() >= set(flat):
        for molecule, some in zip(molecules, invariants, strict=True):
            _KNOWN_KINDS.update(zip(some, map(_kind, molecule.GetAtoms()), strict=True))
    return np.fromiter(map(_KNOWN_KINDS.__getitem__, flat), np.uint64, len(flat))


def _kind(atom: Chem.Atom) -> int:
    return (
        atom.GetAtomicNum()
        | atom.IsInRing() << 9
        | (atom.GetFormalCharge() % 256) << 16
        | atom.GetTotalDegree() << 24
        | atom.GetTotalNumHs() << 32
    )


def _surroundings(kinds: Labels, bonds: _Bonds, molecules: Sequence[Chem.Mol]) -> Labels:
    """Return a number for what RDKit's patterns can see from each atom, shape (a,).

    That is the atom, its bonds, its neighbours but for their hydrogens, and of what hangs on these
    the element and whether it is aromatic: by a double bond, of which counts whether it is in a
    ring, or by any if they themselves hang by a double bond.
    """
    is_aromatic = np.zeros(len(kinds), dtype=np.uint64)
    is_aromatic[bonds.begin[bonds.order == AROMATIC]] = 1
    kinds = kinds | is_aromatic << np.uint64(8)
    is_double = bonds.order == DOUBLE
    held = bonds.order.copy()
    held[_double_bonds_in_rings(kinds, bonds, molecules)] |= IN_RING
    rim = _mixed((kinds & _ELEMENT)[bonds.end] + held * _BOND)
    hanging = np.where(
        is_double,
        bonds.sum_by_atom(rim)[bonds.end],
        bonds.sum_by_atom(rim * is_double)[bonds.end],
    )
    neighbours = _mixed((kinds & _WITHOUT_HYDROGENS)[bonds.end] + bonds.order * _BOND)
    return _mixed(kinds + bonds.sum_by_atom(_mixed(neighbours + hanging)))


def _double_bonds_in_rings(
    kinds: Labels, bonds: _Bonds, molecules: Sequence[Chem.Mol]
) -> NDArray[np.bool_]:
    """Tell which double bonds are in a ring, shape (b,)."""
    are = np.zeros(len(bonds.order), dtype=np.bool_)
    ends_are = (kinds[bonds.begin] & kinds[bonds.end] & _RING) > 0
    for bond in np.flatnonzero(ends_are & (bonds.order == DOUBLE)).tolist():
        owner = bonds.owner[bond]
        begin, end = (int(one[bond] - bonds.first_atoms[owner]) for one in (bonds.begin, bonds.end))
        are[bond] = molecules[owner].GetRingInfo().AreAtomsInSameRing(begin, end)
    return are


def _mixed(labels: Labels) -> Labels:
    """Return other labels, one to one, of which sums tell summands apart: the end of SplitMix64.

    Steele, Lea and Flood, OOPSLA 2014, doi:10.1145/2660193.2660195.
    """
    labels = (labels ^ (labels >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    labels = (labels ^ (labels >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return labels ^ (labels >> np.uint64(31))
