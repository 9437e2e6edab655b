"""The vertical ionization energy on xTB: the published protocol, made fast and guarded."""

from dataclasses import replace
from functools import partial

from ase import Atoms
from rdkit import rdBase

from molloop.errors import SimulationError
from molloop.molecule import Geometry, Molecule
from molloop.simulate.connectivity import changed_bonds
from molloop.simulate.force_field import hessian
from molloop.simulate.levels import LAST_ELEMENT, LEVELS, Level, uses_input
from molloop.simulate.outcome import Calculation, Success
from molloop.simulate.relax import ACCURACIES, Relaxed, relax
from molloop.simulate.simulators import IE
from molloop.simulate.structure import Structure, bond_names, given_structure, start_structure
from molloop.simulate.xtb import XTB, XTB_ERRORS

MOLECULE = "molecule"
INPUT = "input"  # the geometry of the molecule's file
D_AND_F_BLOCK = frozenset((*range(21, 31), *range(39, 49), *range(57, 81)))


def vertical_ie(
    molecule: Molecule,
    *,
    level: str = "gfn2",
    fidelity: str = "relaxed",
    start_geometry: str = "embedded",
    n_conformers: int = 1,
    max_atoms: int = 200,
) -> Success:
    """Vertical ionization energy: E(ion) - E(molecule), both at the molecule's geometry.

    The geometry starts from a force field's minimum, or from the molecule's own geometry, and is
    relaxed with xTB to 0.02 eV/Å, as in the published workflow. Each molecule gets fresh
    calculators, so a value does not depend on what ran before it.

    Parameters
    ----------
    molecule
        Its SMILES is not rewritten.
    level
        A key of :data:`molloop.simulate.levels.LEVELS`.
    fidelity
        A key of :data:`molloop.simulate.levels.FIDELITIES`.
    start_geometry
        A key of :data:`molloop.simulate.levels.START_GEOMETRIES`.
    n_conformers
        How many are embedded; the lowest by the force field is taken.
    max_atoms
        Hydrogens included.

    Returns
    -------
    Its value is the IE in eV. The flag ``not_converged`` says that 250 steps were not enough,
    ``spin_assumed`` that a transition metal was taken with the lowest spin.

    Raises
    ------
    SimulationError
        ``invalid_smiles``, ``fragments``, ``element``, ``too_large``, ``embedding``,
        ``no_geometry``, ``geometry_mismatch``, ``scf`` or ``rearranged``.
    """
    bounds = {"last_element": LAST_ELEMENT, "max_atoms": max_atoms}
    with rdBase.BlockLogs():
        if uses_input(fidelity, start_geometry):
            structure = given_structure(molecule, **bounds)
        else:
            smiles, name = molecule.smiles, molecule.name
            structure = start_structure(smiles, n_conformers=n_conformers, name=name, **bounds)
        return _vertical_ie(structure, LEVELS[level], fidelity, molecule.label)


def _vertical_ie(structure: Structure, theory: Level, fidelity: str, label: str) -> Success:
    try:
        relaxed = _relax(structure, theory) if fidelity == "relaxed" else None
        geometry = structure.geometry if relaxed is None else relaxed.geometry
        if relaxed is not None and theory.method == theory.geometry_method:
            molecule_ev = relaxed.energy_ev
        else:
            molecule_ev = _energy_ev(
                theory.method, geometry, structure.charge, structure.n_unpaired
            )
        ion_n_unpaired = _ion_n_unpaired(structure.n_unpaired)
        ion_ev = _energy_ev(theory.method, geometry, structure.charge + 1, ion_n_unpaired)
    except XTB_ERRORS as error:
        raise SimulationError("scf", f"xTB fails for {label!r}: {error}") from error
    _check_bonds(structure, geometry, label)
    ie_ev = ion_ev - molecule_ev + theory.shift_ev
    place = INPUT if fidelity == "input-geometry" else MOLECULE
    at = partial(Calculation, method=theory.method, geometry=place)
    calculations = {
        MOLECULE: at(structure.charge, structure.n_unpaired, energy_ev=molecule_ev),
        "ion": at(structure.charge + 1, ion_n_unpaired, energy_ev=ion_ev),
    }
    if relaxed is not None and theory.method == theory.geometry_method:
        calculations[MOLECULE] = replace(calculations[MOLECULE], n_steps=relaxed.n_steps)
    elif relaxed is not None:
        calculations["relaxation"] = Calculation(
            structure.charge,
            structure.n_unpaired,
            theory.geometry_method,
            relaxed.energy_ev,
            MOLECULE,
            n_steps=relaxed.n_steps,
        )
    return Success({IE.name: ie_ev}, calculations, {place: geometry}, _flags(structure, relaxed))


def _relax(structure: Structure, theory: Level) -> Relaxed:
    calculator = XTB(
        theory.geometry_method,
        structure.geometry,
        charge=structure.charge,
        n_unpaired=structure.n_unpaired,
        accuracy=ACCURACIES[0],
    )
    return relax(structure.geometry, hessian(structure.molecule), calculator)


def _energy_ev(method: str, geometry: Geometry, charge: int, n_unpaired: int) -> float:
    calculator = XTB(
        method, geometry, charge=charge, n_unpaired=n_unpaired, accuracy=ACCURACIES[-1]
    )
    atoms = Atoms(geometry.numbers, geometry.positions_angstrom)
    return float(calculator.get_potential_energy(atoms))


def _ion_n_unpaired(n_unpaired: int) -> int:
    # the electron that leaves is an unpaired one, if there is any
    return n_unpaired - 1 if n_unpaired else 1


def _flags(structure: Structure, relaxed: Relaxed | None) -> tuple[str, ...]:
    flags = {
        "not_converged": relaxed is not None and not relaxed.converged,
        # the SMILES of a metal complex does not say its spin: the lowest was taken
        "spin_assumed": any(number in D_AND_F_BLOCK for number in structure.geometry.numbers),
    }
    return tuple(name for name, is_set in flags.items() if is_set)


def _check_bonds(structure: Structure, geometry: Geometry, label: str) -> None:
    changed = changed_bonds(structure.molecule, geometry.positions_angstrom)
    broken, formed = (bond_names(structure.molecule, pairs) or "none" for pairs in changed)
    if any(changed):
        raise SimulationError(
            "rearranged", f"{label!r} became another molecule: broken {broken}, formed {formed}"
        )
