"""A text of a file becomes the molecule that a library takes."""

from typing import NamedTuple

from rdkit import Chem

from molloop.geometries import Positions, is_in_space
from molloop.library.coordinates import coordinates
from molloop.library.identity import IDENTITY_TEXTS, canonical_smiles
from molloop.library.molblocks import Molblocks
from molloop.library.pieces import largest_piece, neutralised
from molloop.smiles import TextKind, read_quietly


class Taken(NamedTuple):
    """A molecule that a library may take.

    Attributes
    ----------
    molecule
        Its hydrogens are counts, but for those that a SMILES has to name.
    is_altered
        Whether a piece or a charge of what stands in the file was taken away.
    in_space
        Whether the text has coordinates in space.
    """

    molecule: Chem.Mol
    is_altered: bool
    in_space: bool = False

    def described(self, same_as: str) -> tuple[str, str]:
        """Return the text that tells it from others, and its canonical SMILES."""
        identity = IDENTITY_TEXTS[same_as](self.molecule)
        return identity, identity if same_as == "smiles" else canonical_smiles(self.molecule)

    @property
    def keeps_geometry(self) -> bool:
        """Whether the coordinates of the file are those of the molecule."""
        return self.in_space and not self.is_altered

    def positions(self, molblock: str) -> Positions | None:
        """Return those of its text in the order of the SMILES just described, hydrogens last."""
        if not self.keeps_geometry:
            return None
        return coordinates(Molblocks.of([molblock]), [self.molecule])[0]


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
    molecule = found = read_quietly(text, kind)
    in_space = kind == "molblock" and is_in_space(found)
    if fragments != "refuse":
        molecule = largest_piece(molecule)
    if fragments == "neutralise":
        molecule = neutralised(molecule)
    return Taken(molecule, molecule is not found, in_space)
