"""The simulator `ionization`: quantities by the published protocol, fast and guarded."""

from collections.abc import Iterable, Iterator
from functools import partial

from rdkit import rdBase

from molloop.errors import SimulationError
from molloop.molecule import Molecule
from molloop.simulate.calculate import Calculations
from molloop.simulate.levels import BORROWED, LEVELS, uses_input
from molloop.simulate.outcome import Success
from molloop.simulate.recipes import RECIPES, Computed
from molloop.simulate.resources import Resources
from molloop.simulate.solvents import ELECTRODES
from molloop.simulate.structure import given_structure, start_structure, with_spin

D_AND_F_BLOCK = frozenset((*range(21, 31), *range(39, 49), *range(57, 81)))
NOT_BOUND = {"anion": "anion_not_bound", "anion_relaxed": "relaxed_anion_not_bound"}
MULTIPLICITY = "multiplicity"  # of columns that a library has kept


def quantities_of(
    molecule: Molecule,
    *,
    quantity: str = "ie",
    quantities: Iterable[str] = (),
    level: str = "gfn2",
    solvent: str = "",
    reference: str = "SHE",
    multiplicity: int | None = None,
    fidelity: str = "relaxed",
    start_geometry: str = "embedded",
    n_conformers: int = 1,
    max_atoms: int = 200,
    resources: Resources | None = None,
) -> Success:
    """Compute quantities of a molecule, from calculations that they share.

    The geometry starts from a force field's minimum, or from the molecule's own geometry, and is
    relaxed with xTB to 0.02 eV/Å, as in the published workflow, at levels of DFT too. A value does
    not depend on what ran before it.

    Parameters
    ----------
    molecule
        Its SMILES is not rewritten.
    quantity
        A key of :data:`molloop.simulate.recipes.RECIPES`; without its value there is none.
    quantities
        Further ones. One that cannot be computed is left out, and a flag says so: ``no_ea``.
    level
        A key of :data:`molloop.simulate.levels.LEVELS`.
    solvent, reference
        Keys of :data:`molloop.simulate.solvents.SOLVENTS`, empty for none, and ``ELECTRODES``.
    multiplicity
        Of the molecule; None: the column of this name that the library has kept, or the SMILES.
    fidelity
        A key of :data:`molloop.simulate.levels.FIDELITIES`.
    start_geometry
        A key of :data:`molloop.simulate.levels.START_GEOMETRIES`.
    n_conformers
        How many are embedded; the lowest by the force field is taken.
    max_atoms
        Hydrogens included.
    resources
        What DFT may take; None: one core and 4 GiB.

    Returns
    -------
    Its values by name, each in its unit. Flags are explained in the documentation.

    Raises
    ------
    SimulationError
        ``invalid_smiles``, ``fragments``, ``element``, ``too_large``, ``embedding``,
        ``no_geometry``, ``geometry_mismatch``, ``spin``, ``scf``, ``rearranged`` or
        ``out_of_bounds``.
    """
    theory = LEVELS[level]
    with rdBase.BlockLogs():
        if uses_input(fidelity, start_geometry):
            structure = given_structure(molecule, elements=theory.elements, max_atoms=max_atoms)
        else:
            structure = start_structure(
                molecule.smiles,
                elements=theory.elements,
                max_atoms=max_atoms,
                n_conformers=n_conformers,
                name=molecule.name,
            )
        structure = with_spin(structure, multiplicity or molecule.kept.get(MULTIPLICITY))
        calculations = Calculations(
            structure, theory, fidelity, solvent, molecule.label, resources or Resources()
        )
        zero_v = ELECTRODES[reference][0]
        values = {quantity: _value(calculations, quantity, zero_v)}
        missing = []
        for name in quantities:
            try:
                values[name] = _value(calculations, name, zero_v)
            except SimulationError:
                missing.append(f"no_{name}")
    flags = (
        *(*calculations.flags, *_flags_of_molecule(calculations, level)),
        *(flag for name in values for flag in _flags_of_value(calculations, name)),
        *missing,
    )
    return Success(
        values, calculations.all_done, calculations.geometries, tuple(dict.fromkeys(flags))
    )


def _value(calculations: Calculations, name: str, zero_v: float) -> float:
    recipe, charge = RECIPES[name], calculations.structure.charge
    for point in recipe.points:
        calculations.compute(point)
    computed = Computed(
        {point: one.energy_ev for point, one in calculations.done.items()},
        partial(calculations.orbitals, "molecule"),
        calculations.theory.shift_ev,
        calculations.theory.electron_ev,
        zero_v,
    )
    value, (low, high) = recipe.value(computed), recipe.bounds(charge)
    if not low < value < high:  # nan neither
        raise SimulationError(
            "out_of_bounds",
            f"{recipe.quantity.heading} of {calculations.label!r} is {value}, expected between "
            f"{low} and {high}",
        )
    return value


def _flags_of_molecule(calculations: Calculations, level: str) -> Iterator[str]:
    numbers = calculations.structure.geometry.numbers.tolist()
    # the SMILES of a metal complex does not say its spin: the lowest was taken
    if not calculations.structure.has_given_spin and not D_AND_F_BLOCK.isdisjoint(numbers):
        yield "spin_assumed"
    # its two highest electrons fit into two orbitals, as in O=O: a triplet may lie below, and an
    # electronic entropy in the energy of the singlet hides it
    if calculations.is_degenerate:
        yield "spin_doubtful"
    if not BORROWED.get(level, frozenset()).isdisjoint(numbers):
        yield "borrowed_parameters"


def _flags_of_value(calculations: Calculations, name: str) -> Iterator[str]:
    done = calculations.done
    for anion, flag in NOT_BOUND.items():
        if anion not in RECIPES[name].points:
            continue
        # by the energy of a free electron, whatever the level's own shift
        theory = calculations.theory
        affinity_ev = done["molecule"].energy_ev - done[anion].energy_ev - theory.electron_ev
        # by DFT the highest orbital of an anion lies too high, also where its electron is bound
        is_loose = theory.kohn_sham is None and calculations.orbitals(anion).homo_ev > 0
        if affinity_ev < 0 or is_loose:
            yield flag
