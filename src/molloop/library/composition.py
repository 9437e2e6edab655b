"""What the molecules of a library are, counted from the columns of its shards."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from molloop.library.descriptors import DESCRIPTORS
from molloop.library.facts import N_ELEMENTS

if TYPE_CHECKING:
    from molloop.library.shard import Shard

_HEAVY_ATOMS = DESCRIPTORS.index("NumHeavyAtoms")


@dataclass(eq=False)
class Composition:
    """Counts of molecules.

    Attributes
    ----------
    charges, elements, heavy_atoms
        By formal charge, by atomic number, by number of heavy atoms. A molecule counts for each of
        its elements; hydrogens that a SMILES does not name are none.
    n_in_pieces
        Of several pieces.
    n_open_stereo
        With a centre or a double bond whose stereo is not given.
    n_geometries
        With a geometry of the user's file.
    """

    charges: Counter[int] = field(default_factory=Counter)
    elements: Counter[int] = field(default_factory=Counter)
    heavy_atoms: Counter[int] = field(default_factory=Counter)
    n_in_pieces: int = 0
    n_open_stereo: int = 0
    n_geometries: int = 0

    def add(self, shard: "Shard") -> None:
        """Count the molecules of a shard."""
        self.heavy_atoms.update(_counted(shard.descriptors[:, _HEAVY_ATOMS].astype(np.int64)))
        self.n_geometries += shard.n_geometries
        facts = shard.facts
        self.charges.update(_counted(facts.charges))
        self.n_in_pieces += int(np.count_nonzero(facts.n_fragments > 1))
        has = np.unpackbits(facts.elements, axis=1, bitorder="little").sum(axis=0, dtype=int)
        self.elements.update(
            {number: int(has[number]) for number in range(1, N_ELEMENTS + 1) if has[number]}
        )
        self.n_open_stereo += int(np.count_nonzero(shard.unspecified_stereo))

    def median_heavy_atoms(self) -> int:
        """Return the median of the numbers of heavy atoms, the lower one of two."""
        half = (self.heavy_atoms.total() - 1) // 2
        sizes = sorted(self.heavy_atoms)
        reached = accumulate(self.heavy_atoms[size] for size in sizes)
        return next(size for size, n in zip(sizes, reached, strict=True) if n > half)


def _counted(numbers: NDArray[Any]) -> dict[int, int]:
    values, counts = np.unique(numbers, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def composition_of(shards: Iterable["Shard"]) -> Composition:
    """Count the molecules of some shards."""
    found = Composition()
    for shard in shards:
        found.add(shard)
    return found
