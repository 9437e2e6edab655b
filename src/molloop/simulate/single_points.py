"""One single point, by the program that a level names."""

from typing import Protocol

from ase import Atoms

from molloop.molecule import Geometry
from molloop.simulate.levels import Level
from molloop.simulate.recipes import Orbitals
from molloop.simulate.relax import ACCURACIES
from molloop.simulate.resources import Resources
from molloop.simulate.xtb import XTB


class Computed(Protocol):
    """What has computed a single point: it says more of it than the energy."""

    @property
    def flags(self) -> tuple[str, ...]:
        """Doubts."""

    def is_degenerate(self) -> bool:
        """Whether electrons are paired that may rather not be."""

    def orbitals(self) -> Orbitals:
        """Return the frontier orbitals and the dipole."""


def single_point(
    theory: Level,
    geometry: Geometry,
    *,
    charge: int,
    n_unpaired: int,
    solvent: str,
    label: str,
    resources: Resources,
    near: Computed | None,
) -> tuple[float, Computed]:
    """Return the energy (eV) of a state at a geometry, and what has computed it.

    Parameters
    ----------
    near
        What has computed another state at this geometry, if that is done.

    Raises
    ------
    SimulationError
        ``scf``: PySCF does not converge.
    TBLiteRuntimeError, TBLiteValueError
        tblite fails.
    """
    if theory.kohn_sham is not None:
        from molloop.simulate.dft import KohnShamPoint

        found = KohnShamPoint(
            theory.kohn_sham,
            geometry,
            charge=charge,
            n_unpaired=n_unpaired,
            label=label,
            resources=resources,
            near=near if isinstance(near, KohnShamPoint) else None,
        )
        return found.energy_ev, found
    calculator = XTB(
        theory.method,
        geometry,
        charge=charge,
        n_unpaired=n_unpaired,
        accuracy=ACCURACIES[-1],
        solvent=solvent,
    )
    atoms = Atoms(geometry.numbers, geometry.positions_angstrom)
    return float(calculator.get_potential_energy(atoms)), calculator
