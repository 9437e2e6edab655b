"""What becomes of molecules in several pieces, such as salts, and of charges, by RDKit's rules."""

from functools import cache

from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize


def largest_piece(molecule: Chem.Mol) -> Chem.Mol:
    """Return the piece with the most atoms; the molecule itself where it is one piece."""
    if len(Chem.GetMolFrags(molecule)) == 1:
        return molecule
    with rdBase.BlockLogs():
        return _chooser().choose(molecule)


def neutralised(molecule: Chem.Mol) -> Chem.Mol:
    """Return it without the charges that adding or removing hydrogens takes away.

    The molecule itself where that changes nothing: a nitro group or a quaternary nitrogen stays.
    """
    before = _charges(molecule)
    if not any(before):
        return molecule
    with rdBase.BlockLogs():
        neutral = _uncharger().uncharge(molecule)
    return molecule if _charges(neutral) == before else neutral


def _charges(molecule: Chem.Mol) -> list[int]:
    return [atom.GetFormalCharge() for atom in molecule.GetAtoms()]


@cache
def _chooser() -> rdMolStandardize.LargestFragmentChooser:
    return rdMolStandardize.LargestFragmentChooser()


@cache
def _uncharger() -> rdMolStandardize.Uncharger:
    return rdMolStandardize.Uncharger()
