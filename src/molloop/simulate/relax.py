"""From a start geometry to a relaxed one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.optimize import BFGS
from numpy.typing import NDArray

from molloop.molecule import Geometry
from molloop.simulate.xtb import XTB

FMAX_EV_PER_ANGSTROM = 0.02
MAX_STEPS = 250
LEAST_CURVATURE_EV_PER_ANGSTROM2 = 0.5
# of the self-consistent field: a coarse one leads to the minimum, a fine one ends there
ACCURACIES = (5.0, 1.0)


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The end of a relaxation, and of what it began with the energy.

    Also what it was computed by, and the Hessian (eV/Å²) that its steps have come to.
    """

    geometry: Geometry
    energy_ev: float
    start_ev: float
    n_steps: int
    converged: bool
    by: XTB
    hessian: NDArray[np.float64]


class _PreconditionedBFGS(BFGS):
    """ASE's BFGS with a start Hessian of our own."""

    def __init__(self, atoms: Atoms, start_hessian: NDArray[np.float64]) -> None:
        self._start_hessian = start_hessian
        super().__init__(atoms, logfile=None)

    def initialize(self, *arguments: Any) -> None:
        super().initialize(*arguments)
        self.H0 = self._start_hessian


def relax(
    start: Geometry,
    hessian: NDArray[np.float64] | None,
    calculator: XTB,
    fmax_ev_per_angstrom: float = FMAX_EV_PER_ANGSTROM,
    accuracies: Sequence[float] = ACCURACIES,
) -> Relaxed:
    """Relax a geometry until no force exceeds a bound, or for 250 steps.

    Parameters
    ----------
    hessian
        A guess in eV/Å², shape (3 n, 3 n), such as a force field's; soft modes are stiffened.
        It saves most of the steps that BFGS takes from a multiple of the unit matrix.
    accuracies
        Of the self-consistent field, one after the other.
    """
    atoms = Atoms(start.numbers, start.positions_angstrom, calculator=calculator)
    if hessian is None:
        optimizer = BFGS(atoms, logfile=None)
    else:
        optimizer = _PreconditionedBFGS(atoms, _stiffened(hessian))
    began_ev = []
    for accuracy in accuracies:
        calculator.set_accuracy(accuracy)
        began_ev.append(float(atoms.get_potential_energy()))
        n_left = MAX_STEPS - optimizer.nsteps
        converged = optimizer.run(fmax=fmax_ev_per_angstrom, steps=n_left)
    return Relaxed(
        geometry=Geometry(start.numbers, np.array(atoms.positions)),
        energy_ev=float(atoms.get_potential_energy()),
        start_ev=began_ev[0],
        n_steps=int(optimizer.nsteps),
        converged=bool(converged),
        by=calculator,
        hessian=optimizer.H0 if optimizer.state is None else optimizer.H,
    )


def _stiffened(hessian: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(hessian)
    stiff: NDArray[np.float64] = (
        vectors * np.maximum(values, LEAST_CURVATURE_EV_PER_ANGSTROM2)
    ) @ vectors.T
    return stiff
