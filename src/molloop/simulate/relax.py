"""From a start geometry to a relaxed one."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.optimize import LBFGSLineSearch

from molloop.simulate.outcome import Geometry

FMAX_EV_PER_ANGSTROM = 0.02
MAX_STEPS = 250


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The end of a relaxation."""

    geometry: Geometry
    energy_ev: float
    n_steps: int
    converged: bool


def relax(start: Geometry, calculator: Calculator) -> Relaxed:
    """Relax a geometry with the optimiser and the thresholds of the published workflow.

    Ends when no force exceeds 0.02 eV/Å, or after 250 steps.
    """
    atoms = Atoms(start.numbers, start.positions_angstrom)
    atoms.calc = calculator
    optimizer = LBFGSLineSearch(atoms, logfile=None)
    converged = optimizer.run(fmax=FMAX_EV_PER_ANGSTROM, steps=MAX_STEPS)
    return Relaxed(
        geometry=Geometry(start.numbers, np.array(atoms.positions)),
        energy_ev=float(atoms.get_potential_energy()),
        n_steps=int(optimizer.nsteps),
        converged=bool(converged),
    )
