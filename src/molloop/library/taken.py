"""A text of a file becomes the molecule that a library takes."""

from dataclasses import dataclass

from rdkit import Chem

from molloop.library.geometry import Positions, ordered_positions
from molloop.library.identity import IDENTITY_TEXTS, canonical_smiles
from molloop.library.pieces import largest_piece, neutralised
from molloop.smiles import TextKind, read_molblock, read_quietly


@dataclass(frozen=True, slots=True)
class Taken:
    """A molecule that a library may take.

    Attributes
    ----------
    molecule
        Its hydrogens are counts, but for those that a SMILES has to name.
    is_altered
        Whether a piece or a charge of what stands in the file was taken away.
    in_space
        What stands in the file, where that is a molblock with coordinates in space.
    """

    molecule: Chem.Mol
    is_altered: bool
    in_space: Chem.Mol | None = None

    def described(self, same_as: str) -> tuple[str, str]:
        """Return the text that tells it from others, and its canonical SMILES."""
        identity = IDENTITY_TEXTS[same_as](self.molecule)
        return identity, identity if same_as == "smiles" else canonical_smiles(self.molecule)

    def positions(self) -> Positions | None:
        """Return its coordinates in the order of the SMILES just described, hydrogens last."""
        if self.in_space is None or self.is_altered:
            return None
        return ordered_positions(self.molecule, self.in_space)


def take(text: str, kind: TextKind, fragments: str) -> Taken:
    """Read a text, and take away what the library is not to have; RDKit's log must be blocked.

    Parameters
    ----------
    fragments
        A key of :data:`molloop.library.choices.FRAGMENTS`.

    Raises
    ------
    NoMoleculeError
        It stands for none.
    """
    if kind == "molblock":
        found, in_space = read_molblock(text)
    else:
        found, in_space = read_quietly(text, kind), None
    molecule = found
    if fragments != "refuse":
        molecule = largest_piece(molecule)
    if fragments == "neutralise":
        molecule = neutralised(molecule)
    return Taken(molecule, molecule is not found, in_space)
