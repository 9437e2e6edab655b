"""SMILES to features: packed Morgan fingerprints."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import rdFingerprintGenerator

PackedFingerprints = NDArray[np.uint8]


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


def parse(smiles: str) -> Chem.Mol | None:
    """Return the molecule, or None where RDKit refuses the SMILES, or it has no or a dummy atom."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or molecule.GetNumAtoms() == 0:
        return None
    may_have_dummy = "*" in smiles or "#0" in smiles  # asking every atom would cost more
    if may_have_dummy and any(atom.GetAtomicNum() == 0 for atom in molecule.GetAtoms()):
        return None
    return molecule


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


def identity_hash(molecule: Chem.Mol) -> int:
    """64 bits that are equal for equal canonical SMILES: what finds duplicates."""
    canonical = Chem.MolToSmiles(molecule).encode()
    return int.from_bytes(hashlib.blake2b(canonical, digest_size=8).digest(), "little")
