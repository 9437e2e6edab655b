"""What conditions ask of a molecule beside its descriptors: charge, fragments, elements."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

N_ELEMENTS = 118
ELEMENT_BYTES = -(-(N_ELEMENTS + 1) // 8)
MAX_FRAGMENTS = 255  # more count as so many
_SYMBOL = re.compile("[A-Z][a-z]?")


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
    elements = b"".join(map(_elements, molecules))
    return Facts(
        np.clip(charges, -128, 127).astype(np.int8),
        np.minimum(n_fragments, MAX_FRAGMENTS).astype(np.uint8),
        np.frombuffer(elements, dtype=np.uint8).reshape(n, ELEMENT_BYTES),
    )


def _elements(molecule: Chem.Mol) -> bytes:
    symbols = set(_SYMBOL.findall(rdMolDescriptors.CalcMolFormula(molecule)))
    if molecule.GetNumAtoms() == molecule.GetNumHeavyAtoms():
        symbols.discard("H")  # the formula's are counts of other atoms
    return _bits(frozenset(symbols))


@lru_cache(maxsize=2**14)
def _bits(symbols: frozenset[str]) -> bytes:
    table = Chem.GetPeriodicTable()
    has = np.zeros(8 * ELEMENT_BYTES, dtype=np.bool_)
    has[[table.GetAtomicNumber(symbol) for symbol in symbols]] = True
    return np.packbits(has, bitorder="little").tobytes()
