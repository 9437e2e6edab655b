"""The vertical ionization energy: the published protocol, on xTB."""

import math

from ase import Atoms
from ase.calculators.calculator import CalculationFailed
from tblite.ase import TBLite

from molloop.errors import SimulationError
from molloop.simulate.levels import LEVELS
from molloop.simulate.outcome import Success
from molloop.simulate.relax import relax
from molloop.simulate.structure import start_structure

ACCURACY = 0.05
FIDELITY = "relaxed"


def vertical_ie(smiles: str, level: str = "gfn2") -> Success:
    """Vertical ionization energy: E(cation) - E(neutral), both at the neutral's relaxed geometry.

    Each molecule gets fresh calculators, so a value does not depend on what ran before it.

    Parameters
    ----------
    smiles
        As it was given; it is not rewritten.
    level
        A key of :data:`molloop.simulate.levels.LEVELS`.

    Returns
    -------
    Its value is the IE in eV, without any correction.

    Raises
    ------
    SimulationError
        ``invalid_smiles``, ``embedding``, ``relaxation`` or ``scf``.
    """
    structure = start_structure(smiles)
    method = LEVELS[level].method
    neutral = TBLite(
        method=method,
        charge=structure.charge,
        multiplicity=structure.n_unpaired + 1,
        accuracy=ACCURACY,
        verbosity=0,
    )
    # the electron that leaves is an unpaired one, if there is any
    n_unpaired = structure.n_unpaired - 1 if structure.n_unpaired else 1
    cation = TBLite(
        method=method,
        charge=structure.charge + 1,
        multiplicity=n_unpaired + 1,
        accuracy=ACCURACY,
        verbosity=0,
    )
    try:
        relaxed = relax(structure.geometry, neutral)
    except (CalculationFailed, RuntimeError) as error:
        raise SimulationError("relaxation", f"{smiles!r} does not relax: {error}") from error
    try:
        ion = Atoms(
            relaxed.geometry.numbers, relaxed.geometry.positions_angstrom, calculator=cation
        )
        cation_ev = float(ion.get_potential_energy())
    except (CalculationFailed, RuntimeError) as error:
        raise SimulationError("scf", f"the cation of {smiles!r} fails: {error}") from error
    ie_ev = cation_ev - relaxed.energy_ev
    if not math.isfinite(ie_ev):
        raise SimulationError("scf", f"{smiles!r} has an energy that is not finite")
    return Success(
        value=ie_ev,
        level=level,
        fidelity=FIDELITY,
        details={
            "neutral_energy_ev": relaxed.energy_ev,
            "cation_energy_ev": cation_ev,
            "n_steps": relaxed.n_steps,
        },
        flags=() if relaxed.converged else ("not_converged",),
        geometry=relaxed.geometry,
    )
