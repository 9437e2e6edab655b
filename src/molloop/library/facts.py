"""What conditions ask of a molecule beside its descriptors: charge, fragments, elements."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

N_ELEMENTS = 118
ELEMENT_BYTES = -(-(N_ELEMENTS + 1) // 8)
MAX_FRAGMENTS = 255  # more count as so many


@dataclass(frozen=True, eq=False)
class Facts:
    """Of n molecules.

    Attributes
    ----------
    charges
        Formal charges, cut at -128 and 127, shape (n,), int8.
    n_fragments
        Parts without a bond between them, shape (n,), uint8.
    elements
        Bit k of byte j: whether there is an atom of atomic number 8 j + k, shape (n, 15), uint8.
        Hydrogens that the SMILES leaves out are not among them.
    """

    charges: NDArray[np.int8]
    n_fragments: NDArray[np.uint8]
    elements: NDArray[np.uint8]


def facts(molecules: Sequence[Chem.Mol]) -> Facts:
    """Return the facts of some molecules."""
    n = len(molecules)
    charges = np.fromiter(map(Chem.GetFormalCharge, molecules), np.int64, n)
    n_fragments = [len(Chem.GetMolFrags(one)) for one in molecules]
    has = np.zeros((n, 8 * ELEMENT_BYTES), dtype=np.bool_)
    for row, molecule in enumerate(molecules):
        has[row, [atom.GetAtomicNum() for atom in molecule.GetAtoms()]] = True
    return Facts(
        np.clip(charges, -128, 127).astype(np.int8),
        np.minimum(n_fragments, MAX_FRAGMENTS).astype(np.uint8),
        np.packbits(has, axis=1, bitorder="little"),
    )
