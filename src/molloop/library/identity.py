"""Which molecules are the same: each way is a text that only the same ones share."""

from collections.abc import Callable

from rdkit import Chem, rdBase
from rdkit.Chem import rdinchi, rdMolHash

from molloop.library.features import identity_hash


def identity_of(molecule: Chem.Mol, same_as: str) -> int:
    """Return the 64 bits by which a library finds a molecule again.

    Parameters
    ----------
    same_as
        A key of :data:`molloop.library.choices.SAME_AS`.
    """
    return identity_hash(IDENTITY_TEXTS[same_as](molecule))


def canonical_smiles(molecule: Chem.Mol) -> str:
    """Return RDKit's canonical SMILES."""
    return str(Chem.MolToSmiles(molecule))


def _without_stereo(molecule: Chem.Mol) -> str:
    # `isomericSmiles=False` would leave out the isotopes, too
    flat = Chem.Mol(molecule)
    Chem.RemoveStereochemistry(flat)
    return canonical_smiles(flat)


def _inchikey(molecule: Chem.Mol) -> str:
    with rdBase.BlockLogs():
        key = str(rdinchi.MolToInchiKey(molecule))
    # InChI knows fewer molecules than RDKit: those have no key, and are not all the same
    return key or canonical_smiles(molecule)


def _tautomer(molecule: Chem.Mol) -> str:
    return str(rdMolHash.MolHash(molecule, rdMolHash.HashFunction.HetAtomTautomerv2))


IDENTITY_TEXTS: dict[str, Callable[[Chem.Mol], str]] = {
    "smiles": canonical_smiles,
    "no-stereo": _without_stereo,
    "inchikey": _inchikey,
    "tautomer": _tautomer,
}
