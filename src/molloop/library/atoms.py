"""What RDKit's patterns can see from the atoms of many molecules, and paths of their bonds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from molloop.library.graphs import AROMATIC, DOUBLE, Graphs, Indices, Labels, starts

IN_RING = 16  # is added to twice the order of a double bond
_BOND = np.uint64(0x9E3779B97F4A7C15)
_ELEMENT, _RING, _WITHOUT_HYDROGENS = np.uint64(0x1FF), np.uint64(0x200), np.uint64(0xFFFFFFFF)


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


def read_atoms(molecules: Sequence[Chem.Mol], graphs: Graphs) -> Atoms:
    """Read those of some molecules, at least one, whose graphs these are."""
    degree = np.diff(graphs.first_bonds)
    n_paths_2 = _by_molecule(graphs.owner, degree * (degree - 1) // 2, graphs.n)
    three = (degree[graphs.begin] - 1) * (degree[graphs.end] - 1)
    n_paths_3 = _by_molecule(graphs.bond_owner, three, graphs.n) // 2 - 2 * _triangles(graphs)
    return Atoms(graphs.owner, _surroundings(graphs, molecules), n_paths_2, n_paths_3)


def _by_molecule(owner: Indices, numbers: Indices, n: int) -> Indices:
    """Return the sum over what belongs to each molecule, shape (n,)."""
    return np.bincount(owner, numbers, n).astype(np.intp)


def _triangles(graphs: Graphs) -> Indices:
    """Return how many rings of three bonds each molecule has, shape (n,)."""
    n_others = np.diff(graphs.first_bonds)[graphs.begin]
    side = np.repeat(np.arange(len(graphs.begin)), n_others)
    turn = np.arange(len(side)) - np.repeat(starts(n_others), n_others)
    other = graphs.end[graphs.first_bonds[graphs.begin[side]] + turn]
    owner = graphs.bond_owner[side]
    closed = owner[graphs.orders_between(owner, graphs.end[side], other) > 0]
    return np.bincount(closed, minlength=graphs.n) // 6


def _surroundings(graphs: Graphs, molecules: Sequence[Chem.Mol]) -> Labels:
    """Return a number for what RDKit's patterns can see from each atom, shape (a,).

    That is the atom, its bonds, its neighbours but for their hydrogens, and of what hangs on these
    the element and whether it is aromatic: by a double bond, of which counts whether it is in a
    ring, or by any if they themselves hang by a double bond.
    """

    def around(labels: Labels) -> Labels:
        running = np.zeros(len(labels) + 1, dtype=np.uint64)
        np.cumsum(labels, out=running[1:])
        return running[graphs.first_bonds[1:]] - running[graphs.first_bonds[:-1]]

    is_aromatic = np.zeros(len(graphs.kinds), dtype=np.uint64)
    is_aromatic[graphs.begin[graphs.order == AROMATIC]] = 1
    kinds = graphs.kinds | is_aromatic << np.uint64(8)
    is_double = graphs.order == DOUBLE
    held = graphs.order.copy()
    held[_double_bonds_in_rings(kinds, graphs, molecules)] |= IN_RING
    rim = _mixed((kinds & _ELEMENT)[graphs.end] + held * _BOND)
    hanging = np.where(is_double, around(rim)[graphs.end], around(rim * is_double)[graphs.end])
    neighbours = _mixed((kinds & _WITHOUT_HYDROGENS)[graphs.end] + graphs.order * _BOND)
    return _mixed(kinds + around(_mixed(neighbours + hanging)))


def _double_bonds_in_rings(
    kinds: Labels, graphs: Graphs, molecules: Sequence[Chem.Mol]
) -> NDArray[np.bool_]:
    """Tell which double bonds are in a ring, shape (b,)."""
    are = np.zeros(len(graphs.order), dtype=np.bool_)
    ends_are = (kinds[graphs.begin] & kinds[graphs.end] & _RING) > 0
    for bond in np.flatnonzero(ends_are & (graphs.order == DOUBLE)).tolist():
        owner = graphs.bond_owner[bond]
        first = graphs.first_atoms[owner]
        begin, end = int(graphs.begin[bond] - first), int(graphs.end[bond] - first)
        are[bond] = molecules[owner].GetRingInfo().AreAtomsInSameRing(begin, end)
    return are


def _mixed(labels: Labels) -> Labels:
    """Return other labels, one to one, of which sums tell summands apart: the end of SplitMix64.

    Steele, Lea and Flood, OOPSLA 2014, doi:10.1145/2660193.2660195.
    """
    labels = (labels ^ (labels >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    labels = (labels ^ (labels >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return labels ^ (labels >> np.uint64(31))
