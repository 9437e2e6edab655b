"""A SMILES becomes a molecule that can be simulated, or is refused before it costs anything."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
from rdkit import Chem

from molloop.errors import SimulationError
from molloop.molecule import Geometry, Molecule, label
from molloop.simulate.connectivity import contacts, wrong_bonds
from molloop.simulate.embedding import embed
from molloop.smiles import NoMoleculeError, read_molecule
from molloop.texts import MAX_SMILES


@dataclass(frozen=True, slots=True)
class Structure:
    """A molecule in its start geometry.

    Attributes
    ----------
    molecule
        With hydrogens and one conformer; atoms in the order of the SMILES, hydrogens behind.
    charge
        In elementary charges.
    n_unpaired
        Unpaired electrons.
    has_given_spin
        Whether somebody said how many, and not the SMILES.
    """

    molecule: Chem.Mol
    charge: int
    n_unpaired: int
    has_given_spin: bool = False

    @property
    def geometry(self) -> Geometry:
        """Its atoms in space."""
        return Geometry(_numbers(self.molecule), self.molecule.GetConformer().GetPositions())

    @property
    def n_electrons(self) -> int:
        """How many there are."""
        return int(_numbers(self.molecule).sum(dtype=int)) - self.charge

    def n_unpaired_at(self, charge: int) -> int:
        """Return the fewest unpaired electrons with a charge beyond its own."""
        if charge == 0:
            return self.n_unpaired
        # who leaves is an unpaired electron, and who comes pairs one, if there is any
        return self.n_unpaired - 1 if self.n_unpaired else 1

    def spins_at(self, charge: int) -> tuple[int, ...]:
        """Return the numbers of unpaired electrons that may lie lowest, the fewest first.

        The ion of a radical has two: a paired electron may leave, and an unpaired one come. Those
        of oxygen's and chlorine's atoms do, and OH's.
        """
        fewest = self.n_unpaired_at(charge)
        is_of_radical = charge != 0 and self.n_unpaired > 0
        if is_of_radical and fewest + 2 <= self.n_electrons - charge:
            return fewest, fewest + 2
        return (fewest,)


def start_structure(
    smiles: str, *, elements: Collection[int], max_atoms: int, n_conformers: int = 1, name: str = ""
) -> Structure:
    """Read a SMILES as it was given and embed it.

    The order of the atoms decides which conformer is found, so the SMILES is not rewritten.

    Parameters
    ----------
    elements
        Atomic numbers that the method knows.
    max_atoms
        Hydrogens included.
    n_conformers
        How many are embedded; the lowest by the force field is taken.
    name
        What errors call the molecule beside its SMILES.

    Raises
    ------
    SimulationError
        ``invalid_smiles``, ``fragments``, ``element``, ``too_large`` or ``embedding``.
    """
    given = Molecule(0, smiles, name)
    molecule = _read(given, elements, max_atoms)
    embed(molecule, n_conformers, given.label)
    return _structure(molecule)


def given_structure(given: Molecule, *, elements: Collection[int], max_atoms: int) -> Structure:
    """Read a molecule's SMILES and put its atoms where its own geometry has them.

    Raises
    ------
    SimulationError
        ``invalid_smiles``, ``fragments``, ``element``, ``too_large``; ``no_geometry``: it has
        none; ``geometry_mismatch``: its atoms or bonds are not those of the SMILES.
    """
    molecule, geometry = _read(given, elements, max_atoms), given.geometry
    if geometry is None:
        raise SimulationError(
            "no_geometry",
            f"{given.label!r} has no geometry: its file, such as an SDF, must have 3D coordinates "
            "of all atoms, hydrogens too",
        )
    shape = (molecule.GetNumAtoms(), 3)
    is_shaped = geometry.positions_angstrom.shape == shape
    if not is_shaped or geometry.numbers.tolist() != _numbers(molecule).tolist():
        raise _mismatch(given, "atoms, or has them in another order")
    conformer = Chem.Conformer(len(geometry.numbers))
    conformer.SetPositions(geometry.positions_angstrom.astype(float))
    molecule.AddConformer(conformer)
    if wrong := bond_names(molecule, wrong_bonds(molecule)):
        raise _mismatch(given, f"bonds: too short or too long are {wrong}")
    if near := bond_names(molecule, contacts(molecule)):
        raise _mismatch(given, f"bonds: too near are {near}")
    return _structure(molecule)


def with_spin(structure: Structure, multiplicity: int | str | None) -> Structure:
    """Return a molecule with a multiplicity that somebody says; with its own where nobody does.

    Parameters
    ----------
    multiplicity
        1 for a singlet, 3 for a triplet; a text is that of a column.

    Raises
    ------
    SimulationError
        ``spin``: it is no whole number, or the molecule's electrons cannot have it.
    """
    if multiplicity in (None, ""):
        return structure
    n_electrons = structure.n_electrons
    try:
        n_unpaired = int(str(multiplicity)) - 1
    except ValueError:
        n_unpaired = -1
    if not 0 <= n_unpaired <= n_electrons or (n_electrons - n_unpaired) % 2:
        expected = "odd" if n_electrons % 2 == 0 else "even"
        raise SimulationError(
            "spin",
            f"multiplicity: got {multiplicity}, expected an {expected} number for "
            f"{n_electrons} electrons: 1 is a singlet, 2 a doublet, 3 a triplet",
        )
    return replace(structure, n_unpaired=n_unpaired, has_given_spin=True)


def _mismatch(given: Molecule, what: str) -> SimulationError:
    return SimulationError("geometry_mismatch", f"the geometry of {given.label!r} has other {what}")


def bond_names(molecule: Chem.Mol, pairs: Iterable[tuple[int, int]]) -> str:
    """Return pairs of atoms in words, such as ``C3-C7``."""
    symbols = [atom.GetSymbol() for atom in molecule.GetAtoms()]
    return ", ".join(f"{symbols[i]}{i}-{symbols[j]}{j}" for i, j in pairs)


def _structure(molecule: Chem.Mol) -> Structure:
    charge = Chem.GetFormalCharge(molecule)
    return Structure(molecule, charge, _n_unpaired(molecule, charge))


def state_of(molecule: Chem.Mol) -> tuple[int, int]:
    """Return charge and unpaired electrons of a molecule, as its SMILES has them."""
    charge = Chem.GetFormalCharge(molecule)
    return charge, _n_unpaired(Chem.AddHs(molecule), charge)


def molecule_with_hydrogens(
    smiles: str, name: str = "", *, may_have_dummies: bool = False
) -> Chem.Mol:
    """Read a SMILES as it was given and add its hydrogens behind.

    Parameters
    ----------
    name
        What an error calls the molecule beside its SMILES.
    may_have_dummies
        Whether ``*`` is allowed.

    Raises
    ------
    SimulationError
        ``invalid_smiles``.
    """
    try:
        molecule = read_molecule(smiles, may_have_dummies=may_have_dummies)
    except NoMoleculeError as error:
        shown = label(smiles, name) if len(smiles) <= MAX_SMILES else name
        told = f"{error} ({shown!r})" if name or len(smiles) <= MAX_SMILES else str(error)
        raise SimulationError("invalid_smiles", told) from error
    return Chem.AddHs(molecule)


def _read(given: Molecule, elements: Collection[int], max_atoms: int) -> Chem.Mol:
    molecule = molecule_with_hydrogens(given.smiles, given.name)
    n_fragments = len(Chem.GetMolFrags(molecule))
    if n_fragments > 1:
        told = f"{given.label!r} has {n_fragments} fragments, expected one"
        raise SimulationError("fragments", told)
    numbers = _numbers(molecule)
    unknown = [
        atom.GetSymbol() for atom in molecule.GetAtoms() if atom.GetAtomicNum() not in elements
    ]
    if unknown:
        raise SimulationError(
            "element", f"{given.label!r} has {unknown[0]}, which the method lacks"
        )
    if len(numbers) > max_atoms:
        raise SimulationError(
            "too_large", f"{len(numbers)} atoms, expected at most max_atoms = {max_atoms}"
        )
    return molecule


def _numbers(molecule: Chem.Mol) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()], dtype=np.uint8)


def _n_unpaired(molecule: Chem.Mol, charge: int) -> int:
    """Radical electrons of the SMILES, unless the number of electrons forbids it."""
    n_radical = sum(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms())
    is_odd = (sum(atom.GetAtomicNum() for atom in molecule.GetAtoms()) - charge) % 2
    return n_radical if n_radical % 2 == is_odd else is_odd
