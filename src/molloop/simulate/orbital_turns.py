"""Whether a solution of the Kohn-Sham equations is a minimum: how the energy answers to turns.

Bauernschmitt and Ahlrichs, J. Chem. Phys. 104, 9047 (1996), doi:10.1063/1.471637. A turn mixes
occupied orbitals with empty ones: its components are pairs of them, of all spins in a row. PySCF
has such an analysis of its own (`stability`). It looks for three eigenvalues to more digits than
their signs need, and takes as long as five solutions; this one takes half of one.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from molloop.simulate.fast_pyscf import turn_of
from molloop.simulate.pyscf_apart import lib

Array = NDArray[np.float64]
N_STARTS = 4  # the pairs of orbitals that are nearest in energy: others mix in
RESIDUALS = (0.05, 0.005)  # in Hartree; the finer one where the coarse one does not tell the sign
MAX_CYCLES = 30
LEAST_DIFFERENCE = 1e-3
ANGLE = 0.5  # of a turn that leaves a saddle, in radians


class _Spin:
    """Orbitals of one spin, and what a turn does to them."""

    def __init__(self, energies: Array, orbitals: Array, occupations: Array) -> None:
        is_filled = occupations > 0
        self.filled, self.empty = orbitals[:, is_filled], orbitals[:, ~is_filled]
        # shape (empty, filled)
        self.differences = energies[~is_filled][:, None] - energies[is_filled]

    def mixed(self, turn: Array) -> Array:
        """Return what is mixed into each filled orbital."""
        mixed: Array = self.empty @ turn.reshape(self.differences.shape)
        return mixed

    def answer(self, turn: Array, potential: Array) -> Array:
        """Return what drives the turn on, or back."""
        own = self.differences * turn.reshape(self.differences.shape)
        return np.asarray(own + self.empty.T @ potential @ self.filled).ravel()


def _spins(solver: Any) -> list[_Spin]:
    if solver.mol.spin:
        return [
            _Spin(*one)
            for one in zip(solver.mo_energy, solver.mo_coeff, solver.mo_occ, strict=True)
        ]
    return [_Spin(solver.mo_energy, solver.mo_coeff, solver.mo_occ)]


def lowest_curvature(solver: Any) -> tuple[float, Array]:
    """Return the lowest curvature (Hartree) along a turn of orbitals, and that turn.

    Of a restricted solution the turns are those that unpair electrons. Infinite where no turn is
    possible.

    Parameters
    ----------
    solver
        PySCF's, converged.
    """
    spins = _spins(solver)
    differences = np.concatenate([one.differences.ravel() for one in spins])
    if not differences.size:
        return np.inf, differences
    ends = np.cumsum([one.differences.size for one in spins])[:-1]
    is_restricted = len(spins) == 1
    # of a restricted solution PySCF wants the change of both spins together
    n_spins = 2 if is_restricted else 1
    filled = [one.filled for one in spins]
    states = {"singlet": False} if is_restricted else {}
    respond = solver.gen_response(hermi=1, **states)

    def answers(turns: list[Array]) -> list[Array]:
        found = []
        for turn in turns:
            parts = np.split(turn, ends)
            mixed = [n_spins * one.mixed(x) for one, x in zip(spins, parts, strict=True)]
            halves = np.array([new @ old.T for new, old in zip(mixed, filled, strict=True)])
            changes = halves + halves.transpose(0, 2, 1)
            told = turn_of(changes[0] if is_restricted else changes, mixed, filled)
            potentials = respond(told).reshape(changes.shape)
            both = zip(spins, parts, potentials, strict=True)
            found.append(np.concatenate([one.answer(x, v) for one, x, v in both]))
        return found

    def precondition(residue: Array, value: float, _turn: Array) -> Array:
        far = differences - value
        return residue / np.where(np.abs(far) < LEAST_DIFFERENCE, LEAST_DIFFERENCE, far)

    nearest = np.argsort(differences, kind="stable")[:N_STARTS]
    turns = [np.eye(1, differences.size, k)[0] for k in nearest]
    for residual in RESIDUALS:
        _, [curvature, *_], turns = lib.davidson1(
            answers,
            turns,
            precondition,
            tol=residual,
            tol_residual=residual,
            max_cycle=MAX_CYCLES,
            verbose=0,
        )
        if abs(curvature) > residual:
            break
    return float(curvature), np.asarray(turns[0])


def turned(solver: Any, turn: Array) -> Array:
    """Return the orbitals of an unrestricted solution after a turn, shape (2, n, n)."""
    found, first = [], 0
    for orbitals, occupations in zip(solver.mo_coeff, solver.mo_occ, strict=True):
        is_filled = occupations > 0
        shape = (int((~is_filled).sum()), int(is_filled.sum()))
        last = first + shape[0] * shape[1]
        generator = np.zeros((len(occupations), len(occupations)))
        generator[np.ix_(~is_filled, is_filled)] = ANGLE * turn[first:last].reshape(shape)
        found.append(orbitals @ expm(generator - generator.T))
        first = last
    return np.array(found)
