"""Single points by density functional theory: PySCF, for simulation processes alone.

Sun et al., J. Chem. Phys. 153, 024109 (2020), doi:10.1063/5.0006074.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import nan
from typing import Any

import numpy as np
from ase.data import atomic_masses, chemical_symbols
from ase.units import Bohr, Debye, Hartree
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from molloop.errors import SimulationError
from molloop.molecule import Geometry
from molloop.simulate.fast_pyscf import Fitted, Integration
from molloop.simulate.functionals import AUXILIARY, LAST_WITH_ALL_ELECTRONS, KohnSham
from molloop.simulate.orbital_turns import lowest_curvature, turned
from molloop.simulate.pyscf_apart import dft, elsewhere, gto, lib
from molloop.simulate.recipes import Orbitals
from molloop.simulate.resources import Resources

Array = NDArray[np.float64]
GUESS = "minao"  # from others ions end in a wrong minimum more often, those of N2, CO2 and HCN
# what decides a value is said here, as a user's own settings of PySCF may be other ones
TOLERANCE_HARTREE = 1e-8
COARSE_HARTREE = 1e-5  # the tolerance on a coarse grid, from which the solution goes on
MAX_CYCLES = 100
LEVEL_SHIFT_HARTREE = 0.3
# of what there is: the kernel of the functional takes up to 2 GB more than PySCF is told
MEMORY_SHARE = 0.5
# a curvature of the energy (Hartree) below that is none of a minimum; a degenerate ion has orbitals
# that turn at no cost
LEAST_CURVATURE = -1e-3
MAX_FOLLOWED = 3
LOWER_HARTREE = 1e-6  # than a saddle that was left: else it has come back
SOLUTION = ("converged", "e_tot", "mo_coeff", "mo_energy", "mo_occ")
MIB_A_GIB = 1024
CONTAMINATED = 0.1  # of <S²> above that of the pure spin


class KohnShamPoint:
    """A converged solution of the Kohn-Sham equations, restricted where all electrons are paired.

    It starts from another state at the same geometry, whose orbitals are filled from below, or from
    atoms. Where it does not converge the empty levels are shifted, and then Newton's method is
    tried. An unrestricted solution that is no minimum is left along its lowest curvature, for a
    lower one. A restricted one stays, and says so.

    Parameters
    ----------
    charge, n_unpaired
        Elementary charges; unpaired electrons.
    label
        What errors call the molecule.
    near
        Another state at the same geometry.
    guess
        What it starts from without one, as PySCF calls it.

    Attributes
    ----------
    energy_ev
        The total energy.
    flags
        ``unstable``: no minimum was found; ``spin_doubtful``: electrons are paired, and a solution
        where they are not lies below; ``spin_contaminated``: <S²> is more than 0.1 above that of
        the multiplicity.

    Raises
    ------
    SimulationError
        ``scf``: it does not converge.
    """

    def __init__(
        self,
        theory: KohnSham,
        geometry: Geometry,
        *,
        charge: int,
        n_unpaired: int,
        label: str,
        resources: Resources,
        near: "KohnShamPoint | None" = None,
        guess: str = GUESS,
    ) -> None:
        lib.param.TMPDIR = tempfile.gettempdir()
        cores = resources.cores
        with elsewhere(), lib.with_omp_threads(cores), threadpool_limits(cores, "blas"):
            molecule = _molecule(theory, geometry, charge, n_unpaired, resources)
            solver = _solver(theory, molecule, near and near._solver)
            self._coarse: Any = (
                near._coarse if near else _grid(molecule, theory.functional.grid - 1)
            )
            density = near.filled(*molecule.nelec) if near else solver.get_init_guess(key=guess)
            if not _converge(solver, density, self._coarse):
                told = f"{theory.name} does not converge for {label!r} at charge {charge}"
                raise SimulationError("scf", told)
            self._solver: Any = solver
            self._geometry = geometry
            self.flags = (*self._instability(), *self._contamination())
        self.energy_ev = float(self._solver.e_tot) * Hartree

    @property
    def _is_restricted(self) -> bool:
        return int(self._solver.mol.spin) == 0

    def _instability(self) -> tuple[str, ...]:
        """Go on to a minimum; return a flag where there is none."""
        for n_followed in range(MAX_FOLLOWED + 1):
            with _integrated_on(self._coarse, self._solver):
                curvature, turn = lowest_curvature(self._solver)
            if curvature > LEAST_CURVATURE:
                return ()
            if self._is_restricted:
                return ("spin_doubtful",)
            if n_followed == MAX_FOLLOWED:
                break
            if not _descend(self._solver, turned(self._solver, turn)):
                break
        return ("unstable",)

    def _contamination(self) -> tuple[str, ...]:
        if self._is_restricted:
            return ()
        spin = self._solver.mol.spin / 2
        excess = self._solver.spin_square()[0] - spin * (spin + 1)
        return ("spin_contaminated",) if excess > CONTAMINATED else ()

    def filled(self, n_up: int, n_down: int) -> Array:
        """Return the density where so many electrons fill the orbitals from below.

        Of shape (2, n, n) in n basis functions; (n, n), summed over the spins, where all electrons
        are paired.
        """
        energies, orbitals = np.array(self._solver.mo_energy), np.array(self._solver.mo_coeff)
        if energies.ndim == 1:  # both spins have the same
            energies, orbitals = np.array([energies] * 2), np.array([orbitals] * 2)
        densities = []
        for levels, columns, n in zip(energies, orbitals, (n_up, n_down), strict=True):
            occupied = columns[:, np.argsort(levels, kind="stable")[:n]]
            densities.append(occupied @ occupied.T)
        return np.array(densities) if n_up != n_down else sum(densities)

    def is_degenerate(self) -> bool:
        """Whether electrons are paired that may rather not be."""
        return "spin_doubtful" in self.flags

    def orbitals(self) -> Orbitals:
        """Return the frontier orbitals, of either spin, and the dipole."""
        solver = self._solver
        energies_ev, is_filled = solver.mo_energy * Hartree, solver.mo_occ > 0
        return Orbitals(
            homo_ev=float(max(energies_ev[is_filled], default=nan)),
            lumo_ev=float(min(energies_ev[~is_filled], default=nan)),
            dipole_debye=self._dipole_debye(),
        )

    def _dipole_debye(self) -> float:
        molecule, geometry = self._solver.mol, self._geometry
        # about the centre of mass, as the dipole of an ion depends on where it is taken
        masses = atomic_masses[geometry.numbers]
        centre = masses @ geometry.positions_angstrom / masses.sum() / Bohr
        dipole = self._solver.dip_moment(unit="AU", verbose=0) - molecule.charge * centre
        return float(np.linalg.norm(dipole)) * Bohr / Debye


def _molecule(
    theory: KohnSham, geometry: Geometry, charge: int, n_unpaired: int, resources: Resources
) -> Any:
    numbers, basis = geometry.numbers.tolist(), theory.basis.name
    # without being told, PySCF would put all electrons of a heavy atom into the basis of the
    # outer ones
    heavy = {chemical_symbols[one] for one in numbers if one > LAST_WITH_ALL_ELECTRONS}
    molecule = gto.Mole(
        atom=list(zip(numbers, geometry.positions_angstrom.tolist(), strict=True)),
        unit="Angstrom",
        basis=basis,
        ecp=dict.fromkeys(heavy, basis),
        charge=charge,
        spin=n_unpaired,
        cart=False,
        symmetry=False,
        verbose=0,
        max_memory=resources.memory_gib * MEMORY_SHARE * MIB_A_GIB,
    )
    return molecule.build(dump_input=False, parse_arg=False)


def _solver(theory: KohnSham, molecule: Any, near: Any) -> Any:
    """Return a solver, by the fitted integrals and the grid of another state at the geometry."""
    method = dft.UKS if molecule.spin else dft.RKS
    fitted = near.with_df if near else Fitted(molecule, auxbasis=AUXILIARY)
    solver = method(molecule, xc=theory.functional.xc).density_fit(with_df=fitted)
    solver._numint = near._numint if near else Integration(molecule.max_memory)
    solver.grids = near.grids if near else _grid(molecule, theory.functional.grid)
    solver.conv_tol, solver.conv_tol_grad = TOLERANCE_HARTREE, None
    solver.max_cycle, solver.level_shift, solver.damp = MAX_CYCLES, 0.0, 0.0
    return solver


def _grid(molecule: Any, level: int) -> Any:
    grid = dft.Grids(molecule)
    grid.level = level
    return grid


@contextmanager
def _integrated_on(grid: Any, solver: Any) -> Iterator[None]:
    """Let a solver integrate on another grid."""
    before, solver.grids = solver.grids, grid
    try:
        yield
    finally:
        solver.grids = before


def _converge(solver: Any, density: Array, coarse: Any) -> bool:
    """Solve the equations, by ever slower ways; return whether that has been done.

    Most steps are done on a coarse grid, of a fifth of the points.
    """
    with _integrated_on(coarse, solver):
        solver.conv_tol = COARSE_HARTREE
        solver.kernel(dm0=density)
        solver.conv_tol = TOLERANCE_HARTREE
    solver.kernel(dm0=solver.make_rdm1() if solver.converged else density)
    if not solver.converged:
        solver.level_shift = LEVEL_SHIFT_HARTREE
        solver.kernel(dm0=solver.make_rdm1())
        solver.level_shift = 0.0
    if not solver.converged:
        _newton(solver, solver.mo_coeff)
    return bool(solver.converged)


def _descend(solver: Any, orbitals: Array) -> bool:
    """Solve the equations from some orbitals; return whether a lower solution was found.

    Where it was not the solver has the one that it had.
    """
    before = {name: getattr(solver, name) for name in SOLUTION}
    most_hartree = solver.e_tot - LOWER_HARTREE
    solver.kernel(dm0=solver.make_rdm1(orbitals, solver.mo_occ))
    if not solver.converged or solver.e_tot > most_hartree:
        _newton(solver, orbitals)
    if solver.converged and solver.e_tot <= most_hartree:
        return True
    for name, one in before.items():
        setattr(solver, name, one)
    return False


def _newton(solver: Any, orbitals: Array) -> None:
    """Solve the equations from some orbitals by Newton's method."""
    newton = solver.newton()
    newton.max_cycle = MAX_CYCLES
    newton.kernel(orbitals, solver.mo_occ)
    for name in SOLUTION:
        setattr(solver, name, np.asarray(getattr(newton, name)))
