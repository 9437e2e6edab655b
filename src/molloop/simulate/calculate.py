"""The calculations of one molecule: each geometry relaxed once, each single point computed once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from molloop.errors import SimulationError
from molloop.molecule import Geometry
from molloop.simulate.connectivity import BROKEN_OF_IONS, changed_bonds
from molloop.simulate.force_field import hessian as force_field_hessian
from molloop.simulate.levels import Level
from molloop.simulate.outcome import Calculation
from molloop.simulate.recipes import POINTS, STATES, Orbitals, flag_of
from molloop.simulate.relax import ACCURACIES, FMAX_EV_PER_ANGSTROM, Relaxed, relax
from molloop.simulate.resources import Resources
from molloop.simulate.single_points import Computed, single_point
from molloop.simulate.structure import Structure, bond_names
from molloop.simulate.xtb import XTB, XTB_ERRORS

MOLECULE = "molecule"
# an ion's relaxation takes most of an adiabatic value's time; a coarser field leads it as well
ION_ACCURACIES = (20.0, 1.0)
INPUT = "input"  # the geometry of the molecule's file
SEED = 1
# beside an end: far enough to leave a saddle, near enough to fall back into a minimum
DISPLACEMENT_ANGSTROM = 0.05
FMAX_BESIDE_EV_PER_ANGSTROM = 0.1
FALLEN_BACK_EV = 3e-4
ABOVE_VERTICAL_EV = 0.005
MOST_STEPS_HELD = 3
N_MORE_ENDS = 2
ENDS_DIFFER_EV = 0.01


@dataclass
class Calculations:
    """What is computed of a molecule, when it is asked for.

    Attributes
    ----------
    fidelity
        A key of :data:`molloop.simulate.levels.FIDELITIES`.
    solvent
        A key of :data:`molloop.simulate.solvents.SOLVENTS`; empty for none.
    done
        By their names; of a relaxation by another method than the level's, too.
    geometries
        By the states that they are of.
    flags
        Doubts, in the order in which they arose.
    """

    structure: Structure
    theory: Level
    fidelity: str
    solvent: str
    label: str
    resources: Resources = field(default_factory=Resources)
    done: dict[str, Calculation] = field(default_factory=dict)
    geometries: dict[str, Geometry] = field(default_factory=dict)
    flags: dict[str, None] = field(default_factory=dict)
    _relaxed: dict[str, Relaxed] = field(default_factory=dict)
    _vertical_ev: dict[str, float] = field(default_factory=dict)
    _calculators: dict[str, Computed] = field(default_factory=dict)
    _relaxations: dict[str, Calculation] = field(default_factory=dict)

    @property
    def all_done(self) -> Mapping[str, Calculation]:
        """All of them, single points first."""
        return self.done | self._relaxations

    def compute(self, name: str) -> None:
        """Compute a single point of `POINTS`, and what it needs, unless that is done.

        Raises
        ------
        SimulationError
            ``scf`` or ``rearranged``.
        """
        if name in self.done:
            return
        point, own = POINTS[name], self.theory.method == self.theory.geometry_method
        with self._told():
            geometry = self._geometry(point.geometry)
            end = self._relaxed.get(point.geometry)
            if end is not None and own and STATES[point.geometry] == point.charge:
                energy_ev, n_steps, self._calculators[name] = end.energy_ev, end.n_steps, end.by
                n_unpaired = self.structure.n_unpaired_at(point.charge)
            else:
                energy_ev, n_unpaired = self._single_point(name, geometry)
                n_steps = 0
        place = self._place(point.geometry)
        if point.geometry != MOLECULE and STATES[point.geometry] == point.charge:
            self._compare(point.geometry, energy_ev)
        self.done[name] = self._calculation(
            self.theory.method, point.charge, n_unpaired, energy_ev, place, n_steps
        )

    def _compare(self, state: str, energy_ev: float) -> None:
        """Flag a relaxed ion that lies above the one at the molecule's geometry."""
        vertical_ev = self._vertical_ev[state]
        if self.theory.method != self.theory.geometry_method:
            name = next(
                name
                for name, one in POINTS.items()
                if (one.charge, one.geometry) == (STATES[state], MOLECULE)
            )
            self.compute(name)
            vertical_ev = self.done[name].energy_ev
        if energy_ev - vertical_ev > ABOVE_VERTICAL_EV:
            self.flag(f"{state}_above_vertical")

    @property
    def is_degenerate(self) -> bool:
        """Whether the molecule's electrons are paired, and its HOMO is as high as its LUMO."""
        return self.structure.n_unpaired == 0 and self._calculators[MOLECULE].is_degenerate()

    def orbitals(self, name: str) -> Orbitals:
        """Return the orbitals of a single point that is done."""
        return self._calculators[name].orbitals()

    def _calculation(
        self,
        method: str,
        charge: int,
        n_unpaired: int,
        energy_ev: float,
        place: str,
        n_steps: int,
    ) -> Calculation:
        return Calculation(
            self.structure.charge + charge,
            n_unpaired,
            method,
            energy_ev,
            place,
            self.solvent,
            n_steps,
        )

    def _place(self, state: str) -> str:
        """Return what the geometry of a state is called."""
        return INPUT if state == MOLECULE and self.fidelity == "input-geometry" else state

    def _geometry(self, state: str) -> Geometry:
        place = self._place(state)
        if place not in self.geometries:
            if state != MOLECULE:
                self._relax_ion(state)
            elif self.fidelity == "relaxed":
                self._relax_molecule()
            else:
                self.geometries[place] = self.structure.geometry
        return self.geometries[place]

    def _relax_molecule(self) -> None:
        relaxed = self.relaxed(self.structure.geometry, 0)
        changed = changed_bonds(self.structure.molecule, relaxed.geometry.positions_angstrom)
        if any(changed):
            names = (bond_names(self.structure.molecule, pairs) or "none" for pairs in changed)
            broken, formed = names
            raise SimulationError(
                "rearranged",
                f"{self.label!r} became another molecule: broken {broken}, formed {formed}",
            )
        self._keep(MOLECULE, relaxed, "relaxation")
        if not relaxed.converged:
            self.flag("not_converged")

    def _relax_ion(self, state: str) -> None:
        """Relax an ion from the molecule's geometry, and again from beside the end; keep the lower.

        An ion has the symmetry of its molecule at first, and no force leads out of it: a relaxation
        ends on the saddle of a Jahn-Teller distortion, and calls itself converged.
        """
        charge, rng = STATES[state], np.random.default_rng(SEED)
        first = self.relaxed(self._geometry(MOLECULE), charge)
        ends = [first, self._again(first, charge, rng)]
        if first.energy_ev - ends[1].energy_ev > ENDS_DIFFER_EV:
            self.flag(f"{state}_ends_differ")
            if first.n_steps <= MOST_STEPS_HELD:
                # held by symmetry: such a saddle has several ways down, not all to the lowest end
                ends += [self._again(first, charge, rng) for _ in range(N_MORE_ENDS)]
        low = min(ends, key=lambda end: end.energy_ev)
        self._keep(state, low, f"{state}_relaxation")
        self._vertical_ev[state] = first.start_ev
        if not low.converged:
            self.flag(f"{state}_not_converged")
        places = low.geometry.positions_angstrom
        if any(changed_bonds(self.structure.molecule, places, BROKEN_OF_IONS)):
            self.flag(f"{state}_rearranged")

    def _again(self, end: Relaxed, charge: int, rng: np.random.Generator) -> Relaxed:
        """Relax from beside an end, by the Hessian that led there: from a minimum it falls back.

        It is followed to its own end only where it stays beside the first one, or below.
        """
        start, coarse = end.geometry, FMAX_BESIDE_EV_PER_ANGSTROM
        beside = Geometry(
            start.numbers,
            start.positions_angstrom
            + rng.normal(0, DISPLACEMENT_ANGSTROM, start.positions_angstrom.shape),
        )
        found = self.relaxed(beside, charge, end.hessian, coarse, ION_ACCURACIES[:1])
        if found.energy_ev > end.energy_ev + FALLEN_BACK_EV:
            return found
        low = self.relaxed(found.geometry, charge, found.hessian)
        return replace(low, n_steps=found.n_steps + low.n_steps)

    def _keep(self, state: str, relaxed: Relaxed, name: str) -> None:
        self._relaxed[state], self.geometries[state] = relaxed, relaxed.geometry
        method = self.theory.geometry_method
        if self.theory.method != method:
            charge = STATES[state]
            self._relaxations[name] = self._calculation(
                method,
                charge,
                self.structure.n_unpaired_at(charge),
                relaxed.energy_ev,
                state,
                relaxed.n_steps,
            )

    def flag(self, word: str) -> None:
        """Add a doubt."""
        self.flags[word] = None

    def relaxed(
        self,
        start: Geometry,
        charge: int,
        guess: NDArray[np.float64] | None = None,
        fmax_ev_per_angstrom: float = FMAX_EV_PER_ANGSTROM,
        accuracies: Sequence[float] = (),
    ) -> Relaxed:
        """Relax a state of the molecule, of a charge beyond its own.

        Parameters
        ----------
        guess
            The Hessian to begin with; None: the force field's.
        accuracies
            Of the self-consistent field; empty: as of all of its charge.
        """
        accuracies = accuracies or (ION_ACCURACIES if charge else ACCURACIES)
        calculator = self._calculator(self.theory.geometry_method, start, charge, accuracies[0])
        hessian = self._hessian if guess is None else guess
        return relax(start, hessian, calculator, fmax_ev_per_angstrom, accuracies)

    @cached_property
    def _hessian(self) -> NDArray[np.float64] | None:
        return force_field_hessian(self.structure.molecule)

    def _single_point(self, name: str, geometry: Geometry) -> tuple[float, int]:
        """Return the energy (eV) of the lowest of a point's spins, and its unpaired electrons."""
        point = POINTS[name]
        spins = self.structure.spins_at(point.charge)
        found = {
            n_unpaired: single_point(
                self.theory,
                geometry,
                charge=self.structure.charge + point.charge,
                n_unpaired=n_unpaired,
                solvent=self.solvent,
                label=self.label,
                resources=self.resources,
                # every recipe begins with the molecule
                near=self._calculators.get(MOLECULE) if point.geometry == MOLECULE else None,
            )
            # xTB hardly tells spins apart
            for n_unpaired in (spins if self.theory.kohn_sham else spins[:1])
        }
        n_unpaired = min(found, key=lambda n_unpaired: found[n_unpaired][0])
        energy_ev, self._calculators[name] = found[n_unpaired]
        for flag in self._calculators[name].flags:
            self.flag(flag_of(name, flag))
        return energy_ev, n_unpaired

    def _calculator(self, method: str, geometry: Geometry, charge: int, accuracy: float) -> XTB:
        return XTB(
            method,
            geometry,
            charge=self.structure.charge + charge,
            n_unpaired=self.structure.n_unpaired_at(charge),
            accuracy=accuracy,
            solvent=self.solvent,
        )

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except XTB_ERRORS as error:
            raise SimulationError("scf", f"xTB fails for {self.label!r}: {error}") from error
