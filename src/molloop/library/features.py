"""Molecules to features: packed Morgan fingerprints and descriptors, and what a kind of them is."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from molloop.library.descriptors import MOLLOOPS, RDKITS, Descriptors, descriptors

PackedFingerprints = NDArray[np.uint8]

# standardised numbers are cut here, so that a freak does not pull a model away; counts of what is
# rare, such as a bond, later: from two C-F bonds to four it is many standard deviations
MAX_SIGMA, MAX_SIGMA_OF_MOLLOOPS = 10.0, 30.0


@dataclass(frozen=True, slots=True)
class MorganSpec:
    """Which Morgan fingerprint: the defaults are those of the published workflow.

    Rogers and Hahn, J. Chem. Inf. Model. 50, 742 (2010), doi:10.1021/ci100050t.

    Attributes
    ----------
    radius
        In bonds.
    n_bits
        Length of the folded fingerprint, a multiple of 64.
    """

    radius: int = 4
    n_bits: int = 256


@dataclass(frozen=True, eq=False)
class Scaling:
    """How each of d numbers is standardised.

    Attributes
    ----------
    mean, std
        Over a library, shape (d,).
    cut
        So many standard deviations are the most, shape (d,) or one for all.
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    cut: NDArray[np.float64] | float = MAX_SIGMA

    def as_array(self) -> NDArray[np.float64]:
        """Return its three parts, shape (3, d)."""
        return np.stack([self.mean, self.std, np.broadcast_to(self.cut, self.mean.shape)])

    def apply(self, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
        """Standardise numbers of shape (n, d), cut.

        One that is the same in the whole library becomes 0.
        """
        inverse = np.divide(1.0, self.std, out=np.zeros_like(self.std), where=self.std > 0)
        scaled = numbers - self.mean.astype(np.float32)
        scaled *= inverse.astype(np.float32)
        cut = np.asarray(self.cut, dtype=np.float32)
        return np.clip(scaled, -cut, cut, out=scaled)


def cuts(names: Sequence[str]) -> NDArray[np.float64]:
    """Return how many standard deviations are the most for some descriptors, shape (d,)."""
    return np.array([MAX_SIGMA_OF_MOLLOOPS if name in MOLLOOPS else MAX_SIGMA for name in names])


class FeatureKind(ABC):
    """A kind of features: numbers of a molecule that models learn from.

    Attributes
    ----------
    dtype
        ``numpy.float32``: numbers, which models see standardised over the library, cut at ten
        standard deviations; ``numpy.uint8``: bits, eight in a byte and a multiple of 64, which they
        see as they are.
    version
        To be changed where other numbers come out: what is kept beside a library is computed anew.
        A change of the file with the class is noticed without it.
    groups
        How many stand in each of the groups whose weights a model may learn, one behind the other;
        empty: all are alike.
    """

    dtype: ClassVar[type[np.generic]] = np.float32
    version: ClassVar[str] = "1"
    groups: ClassVar[tuple[int, ...]] = ()

    @property
    def form(self) -> str:
        """What they are, in a word: numbers or bits."""
        return "bits" if self.dtype == np.uint8 else "numbers"

    @abstractmethod
    def compute(self, molecules: Sequence[Chem.Mol]) -> NDArray[Any]:
        """Return the features of n >= 1 molecules, shape (n, width).

        Those of a library have its names in the property ``_Name`` of RDKit, and what it keeps of
        other columns in properties of the columns' names.
        """


@dataclass(frozen=True)
class OfFunction(FeatureKind):
    """A function of n molecules that returns numbers, shape (n, width)."""

    function: Callable[[Sequence[Chem.Mol]], ArrayLike]

    def compute(self, molecules: Sequence[Chem.Mol]) -> NDArray[Any]:
        """Return what the function does, shape (n, width)."""
        return np.asarray(self.function(molecules))


@dataclass(frozen=True)
class Fingerprints(FeatureKind):
    """Packed Morgan fingerprints."""

    dtype = np.uint8

    spec: MorganSpec = MorganSpec()

    def compute(self, molecules: Sequence[Chem.Mol]) -> PackedFingerprints:
        """Return them, shape (n, n_bits / 8)."""
        return morgan(molecules, self.spec)


class MoleculeDescriptors(FeatureKind):
    """Descriptors: RDKit's, and those of molloop."""

    groups = (len(RDKITS), len(MOLLOOPS))

    def compute(self, molecules: Sequence[Chem.Mol]) -> Descriptors:
        """Return them, shape (n, d)."""
        return descriptors(molecules)


def for_models(kept: NDArray[Any], scaling: Scaling) -> NDArray[Any]:
    """Return what models see of features as a library keeps them, shape (n, width)."""
    return kept if kept.dtype == np.uint8 else scaling.apply(kept)


def morgan(molecules: Sequence[Chem.Mol], spec: MorganSpec) -> PackedFingerprints:
    """Morgan fingerprints of some molecules.

    Returns
    -------
    Shape (n, n_bits / 8); bit k of a fingerprint is bit k % 8 of byte k // 8.
    """
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=spec.radius, fpSize=spec.n_bits)
    packed = b"".join(
        DataStructs.BitVectToBinaryText(generator.GetFingerprint(molecule))
        for molecule in molecules
    )
    return np.frombuffer(packed, dtype=np.uint8).reshape(len(molecules), spec.n_bits // 8)


def identity_hash(canonical: str) -> int:
    """64 bits of a canonical SMILES: what finds duplicates.

    Among 10^9 different molecules, two share one with a probability of 3%.
    """
    return int.from_bytes(hashlib.blake2b(canonical.encode(), digest_size=8).digest(), "little")
