"""Molecules as users have them: SMILES, RDKit's molecules, ASE's atoms."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeGuard

from molloop.errors import InputError, SimulationError
from molloop.molecule import Molecule

if TYPE_CHECKING:
    from ase import Atoms
    from rdkit.Chem import Mol

    Given = str | Molecule | Mol | Atoms

MAX_ITERATIONS = 100_000  # of the search for bond orders
CHARGE_ROUNDING = 1e-6


def listed(given: "Given | Iterable[Given]") -> "Iterable[Any]":
    """Return molecules, where one alone may be given.

    Raises
    ------
    InputError
        It is neither one nor several.
    """
    # atoms of ASE are iterable themselves
    is_one = isinstance(given, str | Molecule) or _is_rdkit(given) or _is_ase(given)
    if is_one:
        return [given]
    if not isinstance(given, Iterable):
        raise _no_molecule(given)
    return given


def name_of(given: "Given") -> str:
    """Return what a molecule is called: RDKit's title, or ``name`` in the info of ASE's atoms."""
    if isinstance(given, Molecule):
        return given.name
    if _is_rdkit(given):
        return str(given.GetProp("_Name")) if given.HasProp("_Name") else ""
    return str(given.info.get("name", "")) if _is_ase(given) else ""


def molecule_of(given: "Given") -> Molecule:
    """Return a molecule: a SMILES as it was given, or canonical, and the geometry if there is one.

    Of ASE's atoms the bonds are told by their coordinates and the charge, ``charge`` in their info
    or 0: Kim and Kim, Bull. Korean Chem. Soc. 36, 1769 (2015), doi:10.1002/bkcs.10334.

    Raises
    ------
    SimulationError
        ``invalid_molecule`` or ``unknown_bonds``.
    InputError
        It is something else.
    """
    if isinstance(given, Molecule):
        return given
    if isinstance(given, str):
        return Molecule(0, given)
    if _is_rdkit(given):
        return _of_rdkit(given, name_of(given))
    if _is_ase(given):
        return _of_rdkit(_bonded(given), name_of(given))
    raise _no_molecule(given)


def _no_molecule(given: object) -> InputError:
    expected = "a SMILES, a Molecule, a molecule of RDKit or atoms of ASE"
    return InputError("molecules", given, expected, "Give one of these, or several.")


def _is_rdkit(given: object) -> "TypeGuard[Mol]":
    return _is(given, "rdkit.Chem", "Mol")


def _is_ase(given: object) -> "TypeGuard[Atoms]":
    return _is(given, "ase", "Atoms")


def _is(given: object, module: str, name: str) -> bool:
    """Whether something is of a class; who has one has loaded its module, others need not."""
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(given, kind)


def _of_rdkit(molecule: "Mol", name: str) -> Molecule:
    from rdkit import rdBase

    from molloop.geometries import smiles_and_geometry

    try:
        with rdBase.BlockLogs():
            smiles, geometry = smiles_and_geometry(molecule)
    except (ValueError, RuntimeError) as error:
        raise SimulationError("invalid_molecule", f"RDKit cannot write it: {error}") from error
    return Molecule(0, smiles, name, geometry)


def _bonded(atoms: "Atoms") -> "Mol":
    """Return a molecule of RDKit that has the bonds of atoms of ASE."""
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdDetermineBonds

    formula, charge = atoms.get_chemical_formula(), _whole(atoms.info.get("charge", 0))
    molecule = Chem.RWMol()
    for number in atoms.numbers.tolist():
        atom = Chem.Atom(number)
        atom.SetNoImplicit(True)  # all hydrogens are there
        molecule.AddAtom(atom)
    conformer = Chem.Conformer(len(atoms))
    conformer.SetPositions(atoms.get_positions())
    molecule.AddConformer(conformer)
    try:
        with rdBase.BlockLogs():
            rdDetermineBonds.DetermineBonds(molecule, charge=charge, maxIterations=MAX_ITERATIONS)
    except (ValueError, RuntimeError, TypeError) as error:
        raise SimulationError(
            "unknown_bonds",
            f"the coordinates of {formula} do not tell the bonds of a molecule of charge {charge} "
            f"({str(error).strip()}). Is it right in atoms.info['charge']? "
            "A radical needs a SMILES",
        ) from error
    return molecule


def _whole(charge: Any) -> int:
    """Return a charge as a whole number; one that is none but by a rounding is another one's."""
    try:
        nearest = round(charge)
        if abs(charge - nearest) <= CHARGE_ROUNDING:
            return int(nearest)
    except (TypeError, ValueError, OverflowError):
        pass
    raise SimulationError(
        "invalid_molecule", f"the charge in atoms.info['charge'] is {charge!r}, no whole number"
    )
