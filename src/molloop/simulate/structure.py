"""A SMILES becomes a molecule that can be simulated, or is refused before it costs anything."""

from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from molloop.errors import SimulationError
from molloop.molecule import Geometry
from molloop.simulate.embedding import embed
from molloop.smiles import NoMoleculeError, read_molecule
from molloop.texts import MAX_SMILES


@dataclass(frozen=True, slots=True)
class Structure:
    """A molecule in its force-field minimum.

    Attributes
    ----------
    molecule
        With hydrogens and one conformer; atoms in the order of the SMILES, hydrogens behind.
    charge
        In elementary charges.
    n_unpaired
        Unpaired electrons.
    """

    molecule: Chem.Mol
    charge: int
    n_unpaired: int

    @property
    def geometry(self) -> Geometry:
        """Its atoms in space."""
        return Geometry(_numbers(self.molecule), self.molecule.GetConformer().GetPositions())


def start_structure(
    smiles: str, *, last_element: int, max_atoms: int, n_conformers: int = 1
) -> Structure:
    """Read a SMILES as it was given and embed it.

    The order of the atoms decides which conformer is found, so the SMILES is not rewritten.

    Parameters
    ----------
    last_element
        The largest atomic number that the method knows.
    max_atoms
        Hydrogens included.
    n_conformers
        How many are embedded; the lowest by the force field is taken.

    Raises
    ------
    SimulationError
        ``invalid_smiles``, ``fragments``, ``element``, ``too_large`` or ``embedding``.
    """
    molecule = _read(smiles, last_element, max_atoms)
    embed(molecule, n_conformers)
    charge = Chem.GetFormalCharge(molecule)
    return Structure(molecule, charge, _n_unpaired(molecule, charge))


def molecule_with_hydrogens(smiles: str) -> Chem.Mol:
    """Read a SMILES as it was given and add its hydrogens behind.

    Raises
    ------
    SimulationError
        ``invalid_smiles``.
    """
    try:
        molecule = read_molecule(smiles, may_have_dummies=True)
    except NoMoleculeError as error:
        shown = f" ({smiles!r})" if len(smiles) <= MAX_SMILES else ""
        raise SimulationError("invalid_smiles", f"{error}{shown}") from error
    return Chem.AddHs(molecule)


def _read(smiles: str, last_element: int, max_atoms: int) -> Chem.Mol:
    molecule = molecule_with_hydrogens(smiles)
    n_fragments = len(Chem.GetMolFrags(molecule))
    if n_fragments > 1:
        raise SimulationError("fragments", f"{smiles!r} has {n_fragments} fragments, expected one")
    numbers = _numbers(molecule)
    unknown = [
        atom.GetSymbol() for atom in molecule.GetAtoms() if not _is_known(atom, last_element)
    ]
    if unknown:
        raise SimulationError("element", f"{smiles!r} has {unknown[0]}, which the method lacks")
    if len(numbers) > max_atoms:
        raise SimulationError(
            "too_large", f"{len(numbers)} atoms, expected at most max_atoms = {max_atoms}"
        )
    return molecule


def _is_known(atom: Chem.Atom, last_element: int) -> bool:
    return 1 <= atom.GetAtomicNum() <= last_element


def _numbers(molecule: Chem.Mol) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()], dtype=np.uint8)


def _n_unpaired(molecule: Chem.Mol, charge: int) -> int:
    """Radical electrons of the SMILES, unless the number of electrons forbids it."""
    n_radical = sum(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms())
    is_odd = (sum(atom.GetAtomicNum() for atom in molecule.GetAtoms()) - charge) % 2
    return n_radical if n_radical % 2 == is_odd else is_odd
