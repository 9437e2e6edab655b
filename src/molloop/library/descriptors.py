"""Descriptors: numbers of a molecule, RDKit's and some that its graph tells of its electrons.

RDKit takes most of the time for a few of its own. These are made from the graphs of many molecules
at once where :mod:`molloop.library.graphs` can read them: by the same operations in the same order,
so that each is RDKit's to the last bit.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from molloop.library.atom_values import SUMS, AtomValues
from molloop.library.atoms import Atoms, read_atoms
from molloop.library.charges import CHARGES, charge_descriptors
from molloop.library.counted import (
    BONDS,
    CARBONYLS,
    RINGS,
    bond_counts,
    carbonyl_counts,
    ring_counts,
)
from molloop.library.graphs import Graphs, as_plain, read_plain
from molloop.library.huckel import LEVELS, NO_LEVELS, huckel_levels

Descriptors = NDArray[np.float32]

# Counts of atoms, bonds and rings, connectivity and shape indices, surface areas, Crippen's logP
# and molar refractivity: all of RDKit's `Properties` but the rotatable bonds and the chi indices
# of order 2 to 4, which cost much and find nothing (benchmarks/features.py).
_LEFT_OUT = {"NumRotatableBonds", "chi2v", "chi2n", "chi3v", "chi3n", "chi4v", "chi4n"}
RDKITS: tuple[str, ...] = tuple(
    name for name in rdMolDescriptors.Properties.GetAvailableProperties() if name not in _LEFT_OUT
)
MOLLOOPS = (*BONDS, *RINGS, *CARBONYLS, *CHARGES, *LEVELS)
DESCRIPTORS = (*RDKITS, *MOLLOOPS)
VERSION = 2  # of molloop's own: to be raised where one comes out otherwise

_BY_GRAPHS = (*SUMS, "kappa2", "kappa3", "Phi")
_BY_RDKIT = tuple(name for name in RDKITS if name not in _BY_GRAPHS)

MAX_ATOMS = 100  # matrices of larger molecules are large, and RDKit's lists of matches end at 1,000
MAX_GRAPH_ATOMS = 300  # of larger molecules molloop's are those of no atoms
AT_A_TIME = 256  # molecules
_atom_values = AtomValues()


def descriptors(molecules: Sequence[Chem.Mol]) -> Descriptors:
    """:data:`DESCRIPTORS` of some molecules, shape (n, d); what cannot be said is 0."""
    table = np.zeros((len(molecules), len(DESCRIPTORS)), dtype=np.float32)
    for start in range(0, len(molecules), AT_A_TIME):
        block = molecules[start : start + AT_A_TIME]
        plain, graphs = read_plain(block, MAX_ATOMS)
        if graphs:
            table[start + np.array(plain)] = _of_plain([block[row] for row in plain], graphs)
        for row in sorted(set(range(len(block))) - set(plain)):
            table[start + row] = _of_any(block[row])
    return np.nan_to_num(table, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _of_any(molecule: Chem.Mol) -> NDArray[np.float64]:
    """Return the descriptors of a molecule that is large or not plain, shape (d,)."""
    rdkits = _by_rdkit([molecule], RDKITS)[0]
    own = np.array([*np.zeros(len(MOLLOOPS) - len(LEVELS)), *NO_LEVELS])
    plain = as_plain(molecule)
    if 0 < plain.GetNumAtoms() <= MAX_GRAPH_ATOMS:
        own = _molloops(Graphs([plain]))[0]
    return np.concatenate([rdkits, own])


def _molloops(graphs: Graphs) -> NDArray[np.float64]:
    """Return :data:`MOLLOOPS` of n molecules, shape (n, number of them)."""
    parts = [bond_counts, ring_counts, carbonyl_counts, charge_descriptors, huckel_levels]
    return np.concatenate([part(graphs) for part in parts], axis=1)


def _by_rdkit(molecules: Sequence[Chem.Mol], names: Sequence[str]) -> NDArray[np.float64]:
    """Return some descriptors of n molecules, shape (n, number of names)."""
    # `ComputeProperties` returns a vector of C++, which takes longer to read than all these calls
    functions = [rdMolDescriptors.Properties.GetProperty(name) for name in names]
    return np.array([[function(one) for function in functions] for one in molecules])


def _of_plain(molecules: Sequence[Chem.Mol], graphs: Graphs) -> NDArray[np.float64]:
    """Return the descriptors of n molecules that are plain, at least one: shape (n, d)."""
    atoms = read_atoms(molecules, graphs)
    known = dict(zip(_BY_RDKIT, _by_rdkit(molecules, _BY_RDKIT).T, strict=True))
    known |= dict(zip(SUMS, _atom_values.sums(molecules, atoms).T, strict=True))
    known |= _shape_indices(known, atoms)
    rdkits = np.stack([known[name] for name in RDKITS], axis=1)
    return np.concatenate([rdkits, _molloops(graphs)], axis=1)


def _shape_indices(
    known: dict[str, NDArray[np.float64]], atoms: Atoms
) -> dict[str, NDArray[np.float64]]:
    """Return Kier's kappa 2 and 3 and his flexibility.

    Hall and Kier, Rev. Comput. Chem. 2, 367 (1991), doi:10.1002/9780470125793.ch9.
    """
    n_atoms, alpha = known["NumHeavyAtoms"], known["hallKierAlpha"]
    size = n_atoms + alpha
    kappa_2 = _ratio((size - 1) * (size - 2) * (size - 2), atoms.n_paths_2 + alpha)
    first = np.where(n_atoms % 2 == 1, size - 1, size - 2)
    kappa_3 = _ratio(first * (size - 3) * (size - 3), atoms.n_paths_3 + alpha)
    return {"kappa2": kappa_2, "kappa3": kappa_3, "Phi": known["kappa1"] * kappa_2 / n_atoms}


def _ratio(above: NDArray[np.float64], root: NDArray[np.float64]) -> NDArray[np.float64]:
    below = root * root
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
