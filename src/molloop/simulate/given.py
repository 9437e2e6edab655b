"""Molecules as users have them: SMILES, RDKit's molecules, ASE's atoms."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeGuard

from molloop.errors import InputError, SimulationError

if TYPE_CHECKING:
    from ase import Atoms
    from rdkit.Chem import Mol

MAX_ITERATIONS = 100_000  # of the search for bond orders


def listed(given: "str | Mol | Atoms | Iterable[str | Mol | Atoms]") -> "Iterable[Any]":
    """Return molecules, where one alone may be given.

    Raises
    ------
    InputError
        It is neither one nor several.
    """
    # atoms of ASE are iterable themselves
    is_one = isinstance(given, str) or _is_rdkit(given) or _is_ase(given)
    if is_one:
        return [given]
    if not isinstance(given, Iterable):
        raise _no_molecule(given)
    return given


def name_of(given: "str | Mol | Atoms") -> str:
    """Return what a molecule is called: RDKit's title, or ``name`` in the info of ASE's atoms."""
    if _is_rdkit(given):
        return str(given.GetProp("_Name")) if given.HasProp("_Name") else ""
    return str(given.info.get("name", "")) if _is_ase(given) else ""


def smiles_of(given: "str | Mol | Atoms") -> str:
    """Return a SMILES: as it was given, or canonical.

    Of ASE's atoms the bonds are told by their coordinates and the charge, ``charge`` in their info
    or 0: Kim and Kim, Bull. Korean Chem. Soc. 36, 1769 (2015), doi:10.1002/bkcs.10334.

    Raises
    ------
    SimulationError
        ``invalid_molecule`` or ``unknown_bonds``.
    InputError
        It is something else.
    """
    if isinstance(given, str):
        return given
    if _is_rdkit(given):
        return _smiles_of_rdkit(given)
    if _is_ase(given):
        return _smiles_of_ase(given)
    raise _no_molecule(given)


def _no_molecule(given: object) -> InputError:
    expected = "a SMILES, a molecule of RDKit or atoms of ASE"
    return InputError("molecules", given, expected, "Give one of these, or several.")


def _is_rdkit(given: object) -> "TypeGuard[Mol]":
    return _is(given, "rdkit.Chem", "Mol")


def _is_ase(given: object) -> "TypeGuard[Atoms]":
    return _is(given, "ase", "Atoms")


def _is(given: object, module: str, name: str) -> bool:
    """Whether something is of a class; who has one has loaded its module, others need not."""
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(given, kind)


def _smiles_of_rdkit(molecule: "Mol") -> str:
    from rdkit import Chem, rdBase

    try:
        with rdBase.BlockLogs():
            return str(Chem.MolToSmiles(Chem.RemoveHs(molecule)))
    except (ValueError, RuntimeError) as error:
        raise SimulationError("invalid_molecule", f"RDKit cannot write it: {error}") from error


def _smiles_of_ase(atoms: "Atoms") -> str:
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdDetermineBonds

    formula, charge = atoms.get_chemical_formula(), atoms.info.get("charge", 0)
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
            rdDetermineBonds.DetermineBonds(
                molecule, charge=int(charge), maxIterations=MAX_ITERATIONS
            )
    except (ValueError, RuntimeError, TypeError) as error:
        raise SimulationError(
            "unknown_bonds",
            f"the coordinates of {formula} do not tell the bonds of a molecule of charge {charge} "
            f"({str(error).strip()}). Is it right in atoms.info['charge']? "
            "A radical needs a SMILES",
        ) from error
    return _smiles_of_rdkit(molecule)
