"""Molecules to features: packed Morgan fingerprints and descriptors, and what a kind of them is."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

PackedFingerprints = NDArray[np.uint8]
Descriptors = NDArray[np.float32]

# Counts of atoms, bonds and rings, connectivity and shape indices, surface areas, Crippen's logP
# and molar refractivity: all of RDKit's `Properties` but the rotatable bonds and the chi indices
# of order 2 to 4, which cost much and find nothing (benchmarks/features.py).
_LEFT_OUT = {"NumRotatableBonds", "chi2v", "chi2n", "chi3v", "chi3n", "chi4v", "chi4n"}
DESCRIPTORS: tuple[str, ...] = tuple(
    name for name in rdMolDescriptors.Properties.GetAvailableProperties() if name not in _LEFT_OUT
)
MAX_SIGMA = 6.0  # standardised descriptors are cut here: a freak may not pull a model away
_PROPERTIES = rdMolDescriptors.Properties(list(DESCRIPTORS))


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
    """Mean and standard deviation of each descriptor over a library, each of shape (d,)."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    def apply(self, descriptors: Descriptors) -> NDArray[np.float32]:
        """Standardise descriptors of shape (n, d), cut at six standard deviations.

        A descriptor that is the same in the whole library becomes 0.
        """
        inverse = np.divide(1.0, self.std, out=np.zeros_like(self.std), where=self.std > 0)
        scaled = descriptors - self.mean.astype(np.float32)
        scaled *= inverse.astype(np.float32)
        return np.clip(scaled, -MAX_SIGMA, MAX_SIGMA, out=scaled)


class FeatureKind(ABC):
    """A kind of features: numbers of a molecule that models learn from.

    Attributes
    ----------
    column, dtype
        Of the shards, where a library keeps them: bytes, or numbers.
    names
        What its numbers are, where that does not depend on how a library is built.
    """

    column: ClassVar[str]
    dtype: ClassVar[type[np.generic]]
    names: ClassVar[tuple[str, ...]] = ()

    def width(self, spec: MorganSpec) -> int:
        """Return how many numbers a molecule has."""
        del spec
        return len(self.names)

    @abstractmethod
    def compute(self, molecules: Sequence[Chem.Mol], spec: MorganSpec) -> NDArray[Any]:
        """Return the features of n molecules as a library keeps them, shape (n, width)."""

    def for_models(self, kept: NDArray[Any], scaling: Scaling) -> NDArray[Any]:
        """Return what models see of features as a library keeps them, shape (n, width)."""
        del scaling
        return kept


class Fingerprints(FeatureKind):
    """Packed Morgan fingerprints."""

    column = "fingerprint"
    dtype = np.uint8

    def width(self, spec: MorganSpec) -> int:
        """Return how many bytes a fingerprint has."""
        return spec.n_bits // 8

    def compute(self, molecules: Sequence[Chem.Mol], spec: MorganSpec) -> PackedFingerprints:
        """Return them, shape (n, n_bits / 8)."""
        return morgan(molecules, spec)


class StandardisedDescriptors(FeatureKind):
    """Descriptors, kept as RDKit gives them, and standardised for models."""

    column = "descriptors"
    dtype = np.float32
    names = DESCRIPTORS

    def compute(self, molecules: Sequence[Chem.Mol], spec: MorganSpec) -> Descriptors:
        """Return them as RDKit gives them, shape (n, d)."""
        del spec
        return descriptors(molecules)

    def for_models(self, kept: NDArray[Any], scaling: Scaling) -> NDArray[np.float32]:
        """Return them standardised, shape (n, d)."""
        return scaling.apply(kept)


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


def descriptors(molecules: Iterable[Chem.Mol]) -> Descriptors:
    """:data:`DESCRIPTORS` of some molecules, shape (n, d); what RDKit cannot say is 0."""
    rows = [_PROPERTIES.ComputeProperties(molecule) for molecule in molecules]
    table = np.array(rows, dtype=np.float32).reshape(-1, len(DESCRIPTORS))
    return np.nan_to_num(table, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def identity_hash(canonical: str) -> int:
    """64 bits of a canonical SMILES: what finds duplicates.

    Among 10^9 different molecules, two share one with a probability of 3%.
    """
    return int.from_bytes(hashlib.blake2b(canonical.encode(), digest_size=8).digest(), "little")
