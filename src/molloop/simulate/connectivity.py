"""Is a geometry one of the molecule? Its bonds, compared with those of the SMILES."""

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

# A bond is broken when it is longer than any bond of its elements and has grown; two other atoms
# have formed one when they are as near as a bond and have come nearer. Distance alone would call
# small cages rearranged: across bicyclo[1.1.1]pentane, two atoms without a bond stand 1.87 Å apart.
BROKEN = 1.3  # times the sum of covalent radii
BROKEN_OF_IONS = 1.25  # what an electron more or less has loosened so far: the bond of Cl2-
GROWN = 1.2  # times the start distance
FORMED = 1.2
FORMED_ANGSTROM = 0.95  # two hydrogens: their radii add up to less than the bond of H2
SHRUNK = 0.8
# before a relaxation there are only distances to go by, and a bond may be stretched; two silicon
# atoms without a bond stand 1.07 times the sum of their radii apart, across a ring with oxygen
BOND_LIMITS = (0.5, 1.5)
CONTACT = 1.05

Pairs = list[tuple[int, int]]


def wrong_bonds(molecule: Chem.Mol) -> Pairs:
    """Return bonds that no molecule has so short or so long in its conformer, by atom indices."""
    reach, distances, is_bond = _distances_of(molecule)
    low, high = BOND_LIMITS
    return _pairs(is_bond & ~((distances > low * reach) & (distances < high * reach)))


def contacts(molecule: Chem.Mol) -> Pairs:
    """Return atoms as near as a bond that have none in the molecule, by their indices."""
    reach, distances, is_bond = _distances_of(molecule)
    return _pairs(~is_bond & ~(distances > np.maximum(CONTACT * reach, FORMED_ANGSTROM)))


def changed_bonds(
    molecule: Chem.Mol, relaxed_angstrom: NDArray[np.float64], broken: float = BROKEN
) -> tuple[Pairs, Pairs]:
    """Compare a relaxed geometry with the bonds and the start geometry of a molecule.

    Parameters
    ----------
    molecule
        With hydrogens and the start geometry as its conformer.
    relaxed_angstrom
        Shape (n_atoms, 3).
    broken
        A bond longer than so many times the sum of covalent radii is none.

    Returns
    -------
    Broken and formed bonds, as pairs of atom indices.
    """
    reach, before, is_bond = _distances_of(molecule)
    after = _distances(relaxed_angstrom)
    is_broken = is_bond & (after > broken * reach) & (after > GROWN * before)
    is_formed = (
        ~is_bond & (after < np.maximum(FORMED * reach, FORMED_ANGSTROM)) & (after < SHRUNK * before)
    )
    return _pairs(is_broken), _pairs(is_formed)


def _distances_of(
    molecule: Chem.Mol,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return sums of covalent radii, distances (Å), and which are bonds, each of shape (n, n)."""
    table = Chem.GetPeriodicTable()
    radii = np.array([table.GetRcovalent(atom.GetAtomicNum()) for atom in molecule.GetAtoms()])
    is_bond = Chem.GetAdjacencyMatrix(molecule).astype(bool)
    return radii[:, None] + radii, _distances(molecule.GetConformer().GetPositions()), is_bond


def _distances(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    distances: NDArray[np.float64] = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    return distances


def _pairs(matrix: NDArray[np.bool_]) -> Pairs:
    return [(int(one), int(other)) for one, other in np.argwhere(np.triu(matrix, k=1))]
