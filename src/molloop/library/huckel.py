"""Hückel levels of a molecule's pi electrons and lone pairs, from the graph alone.

An atom with a multiple bond, a lone pair, an odd electron or an empty orbital gives one orbital;
bonded ones interact. Energies are x in alpha + x beta: the larger, the more strongly bound.
Parameters: Van-Catledge, J. Org. Chem. 45, 4801 (1980), doi:10.1021/jo01311a060.
"""

import numpy as np
from numpy.typing import NDArray

from molloop.library.graphs import AROMATIC, SINGLE, Graphs, Indices, Numbers, starts

LEVELS = (
    "HuckelHOMO",
    "HuckelNextHOMO",
    "HuckelLUMO",
    "HuckelGap",
    "HuckelEnergyPerAtom",
    "HuckelSquarePerAtom",
)
# where a molecule has no such level: beyond those that parameters give
NO_HOMO, NO_LUMO = 4.0, -3.0
NO_LEVELS = (NO_HOMO, NO_HOMO, NO_LUMO, NO_HOMO - NO_LUMO, 0.0, 0.0)
_CHLORINE, _BROMINE, _IODINE = 12, 13, 14
# boron, carbon, nitrogen with one electron and with two, oxygen, fluorine, silicon, phosphorus,
# sulphur, chlorine; bromine and iodine, which have no parameters there, go on from chlorine
_H = (-0.45, 0.0, 0.51, 1.37, 0.97, 2.09, 2.71, 0.0, 0.19, 0.75, 0.46, 1.11, 1.48, 1.2, 0.9)
_K = (
    (0.87,),
    (0.73, 1.00),
    (0.66, 1.02, 1.09),
    (0.53, 0.89, 0.99, 0.98),
    (0.60, 1.06, 1.14, 1.13, 1.26),
    (0.35, 0.66, 0.80, 0.89, 1.02, 0.95),
    (0.26, 0.52, 0.65, 0.77, 0.92, 0.94, 1.04),
    (0.57, 0.75, 0.72, 0.43, 0.65, 0.24, 0.17, 0.64),
    (0.53, 0.77, 0.78, 0.55, 0.75, 0.31, 0.21, 0.62, 0.63),
    (0.54, 0.76, 0.81, 0.64, 0.82, 0.39, 0.22, 0.52, 0.58, 0.63),
    (0.51, 0.81, 0.83, 0.68, 0.84, 0.43, 0.28, 0.61, 0.65, 0.65, 0.68),
    (0.44, 0.69, 0.78, 0.73, 0.85, 0.54, 0.32, 0.40, 0.48, 0.60, 0.58, 0.63),
    (0.41, 0.62, 0.77, 0.80, 0.88, 0.70, 0.51, 0.34, 0.35, 0.55, 0.52, 0.59, 0.68),
)
_HEAVIER = ((_BROMINE, 0.8), (_IODINE, 0.6))  # their k, over chlorine's
# element: its kind with one electron and with two, and its valence electrons
_ELEMENTS = {
    5: (0, 0, 3),
    6: (1, 1, 4),
    7: (2, 3, 5),
    8: (4, 5, 6),
    9: (6, 6, 7),
    14: (7, 7, 4),
    15: (8, 9, 5),
    16: (10, 11, 6),
    17: (12, 12, 7),
    32: (7, 7, 4),
    33: (8, 9, 5),
    34: (10, 11, 6),
    35: (13, 13, 7),
    53: (14, 14, 7),
}
_NO_ELEMENT = (0, 0, 0)
_KINDS = np.array([_ELEMENTS.get(element, _NO_ELEMENT) for element in range(256)])


def _resonances() -> Numbers:
    n = len(_H)
    table = np.zeros((n, n))
    for row, values in enumerate(_K):
        table[row, : row + 1] = table[: row + 1, row] = values
    for heavier, share in _HEAVIER:
        table[heavier] = table[_CHLORINE] * share
        table[:, heavier] = table[heavier]
    table[_BROMINE, _IODINE] = table[_IODINE, _BROMINE] = table[_CHLORINE, _CHLORINE] * 0.8 * 0.6
    return table


_COULOMB, _RESONANCE = np.array(_H), _resonances()


def orbitals(graphs: Graphs) -> tuple[NDArray[np.bool_], Indices, Indices]:
    """Return which atoms give an orbital, how many electrons, and their kind, each (a,)."""
    one, two, valence = _KINDS[graphs.elements].T
    has_multiple = np.zeros(len(valence), dtype=np.bool_)
    has_multiple[graphs.begin[graphs.order > SINGLE]] = True
    is_aromatic = np.zeros(len(valence), dtype=np.bool_)
    is_aromatic[graphs.begin[graphs.order == AROMATIC]] = True
    free = valence - graphs.charges - graphs.degrees  # electrons that no bond in the plane takes
    n_electrons = np.where(free <= 0, 0, 2 - free % 2)
    n_electrons[has_multiple & ~is_aromatic] = 1
    is_empty = (free == 0) & (graphs.degrees <= 3)
    gives = (valence > 0) & (has_multiple | (free > 0) | is_empty)
    return gives, np.where(gives, n_electrons, 0), np.where(n_electrons == 2, two, one)


def huckel_levels(graphs: Graphs) -> Numbers:
    """Return :data:`LEVELS` of n molecules, shape (n, 6).

    The energy is that of all electrons, the square that of all levels, over the heavy atoms.
    """
    gives, n_electrons, kinds = orbitals(graphs)
    owner = graphs.owner[gives]
    n_orbitals = np.bincount(owner, minlength=graphs.n)
    place = np.cumsum(gives) - 1 - starts(n_orbitals)[graphs.owner]  # of an atom's orbital
    atoms = np.flatnonzero(gives)
    bonds = np.flatnonzero(gives[graphs.begin] & gives[graphs.end])
    begin, end = graphs.begin[bonds], graphs.end[bonds]
    rows = np.concatenate([place[atoms], place[begin]])
    columns = np.concatenate([place[atoms], place[end]])
    energies = np.concatenate([_COULOMB[kinds[atoms]], _RESONANCE[kinds[begin], kinds[end]]])
    levels = _levels(
        n_orbitals, np.concatenate([owner, graphs.bond_owner[bonds]]), rows, columns, energies
    )
    electrons = np.bincount(graphs.owner, n_electrons, graphs.n).astype(np.intp)
    return _told(levels, n_orbitals, electrons, graphs.sizes)


def _levels(
    sizes: Indices, owner: Indices, rows: Indices, columns: Indices, energies: Numbers
) -> Numbers:
    """Return the eigenvalues of n matrices, the largest first, shape (n, m), behind them nan.

    The elements that are not 0 are given, with the matrix to which each belongs.
    """
    order = np.argsort(sizes, kind="stable")  # those of one size become one array
    first = np.empty(len(sizes), dtype=np.intp)
    first[order] = starts(sizes[order] ** 2)
    flat = np.zeros(np.square(sizes).sum())
    flat[first[owner] + rows * sizes[owner] + columns] = energies
    found = np.full((len(sizes), max(1, sizes.max())), np.nan)
    start = 0
    for size, n in zip(*np.unique(sizes, return_counts=True), strict=True):
        stop = start + n * size**2
        matrices = flat[start:stop].reshape(n, size, size)
        found[np.sort(order[sizes[order] == size]), :size] = np.linalg.eigvalsh(matrices)[:, ::-1]
        start = stop
    return found


def _told(levels: Numbers, n_levels: Indices, electrons: Indices, n_atoms: Indices) -> Numbers:
    """Return :data:`LEVELS` of n molecules by their levels, shape (n, m), filled from the first."""
    n, m = levels.shape
    padded = np.full((n, m + 3), NO_LUMO)
    padded[:, :2] = NO_HOMO
    np.copyto(padded[:, 2:-1], levels, where=~np.isnan(levels))
    n_filled = np.minimum((electrons + 1) // 2, n_levels)
    next_homo, homo, lumo = np.take_along_axis(padded, n_filled[:, None] + np.arange(3), axis=1).T
    levels = np.nan_to_num(levels)
    occupation = np.clip(electrons[:, None] - 2 * np.arange(m), 0, 2)
    # one after the other, so that a sum does not depend on the molecules beside it
    energy = np.cumsum(occupation * levels, axis=1)[:, -1] / n_atoms
    square = np.cumsum(levels**2, axis=1)[:, -1] / n_atoms
    return np.stack([homo, next_homo, lumo, homo - lumo, energy, square], axis=1)
