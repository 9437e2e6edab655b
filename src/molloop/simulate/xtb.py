"""tblite behind ASE: one calculator a molecule, restarted from step to step.

Not tblite's own, `tblite.ase.TBLite`: with tblite 0.8.0 the whole protocol takes 6% more processor
time by it (60 molecules of QM9, in the median of their ratios; 6 to 9% in three runs of
`python benchmarks/calculators.py`), as it reads charges, dipole and bond orders at every step.
"""

from math import nan
from operator import index
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.units import Bohr, Debye, Hartree
from tblite.exceptions import TBLiteRuntimeError, TBLiteValueError
from tblite.interface import Calculator as TBLite
from tblite.interface import Result

from molloop.molecule import Geometry
from molloop.simulate.recipes import Orbitals

# electrons of a full orbital, at the electronic temperature of 300 K, where the next one is 0.06 eV
# above it
DEGENERATE = 1.5
XTB_ERRORS = (TBLiteRuntimeError, TBLiteValueError)


class XTB(Calculator):
    """Energy (eV) and forces (eV/Å) of one molecule by an extended tight-binding method.

    Parameters
    ----------
    method
        As tblite calls it.
    geometry
        Of n atoms; those that ASE passes later may stand elsewhere.
    charge, n_unpaired
        Elementary charges; unpaired electrons.
    accuracy
        Of the self-consistent field: 1 is tblite's default, less is tighter.
    solvent
        As tblite calls it: Ehlert, Stahn, Spicher and Grimme, J. Chem. Theory Comput. 17, 4250
        (2021), doi:10.1021/acs.jctc.1c00471. Empty for none.
    """

    implemented_properties = ["energy", "forces"]  # noqa: RUF012 - as ASE declares it
    flags: tuple[str, ...] = ()  # xTB has one solution

    def __init__(
        self,
        method: str,
        geometry: Geometry,
        *,
        charge: int,
        n_unpaired: int,
        accuracy: float,
        solvent: str = "",
    ) -> None:
        super().__init__()
        self._n_unpaired, self._charge = n_unpaired, charge
        self._tblite = TBLite(
            method,
            geometry.numbers.astype(int),
            geometry.positions_angstrom / Bohr,
            charge=float(index(charge)),  # in silence, a fraction would be computed
            uhf=n_unpaired,
        )
        self._tblite.set("verbosity", 0)
        self._tblite.set("accuracy", accuracy)
        if solvent:
            self._tblite.add("alpb-solvation", solvent)
        self._result: Result | None = None

    def set_accuracy(self, accuracy: float) -> None:
        """Go on with another accuracy; what was computed with the last one is forgotten."""
        self._tblite.set("accuracy", accuracy)
        self.reset()

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Compute energy and forces, starting from the last result."""
        super().calculate(atoms, properties, system_changes)
        moved: Any = self.atoms
        self._tblite.update(positions=moved.positions / Bohr)
        self._result = self._tblite.singlepoint(self._result)
        self.results = {
            "energy": float(self._result.get("energy")) * Hartree,
            "forces": -self._result.get("gradient") * (Hartree / Bohr),
        }

    def is_degenerate(self) -> bool:
        """Whether the electrons of the HOMO of what was computed last lie in the LUMO as well."""
        found: Any = self._result
        occupations = found.get("orbital-occupations")
        n_paired = round(float(occupations.sum())) // 2
        return n_paired > 0 and bool(occupations[n_paired - 1] < DEGENERATE)

    def orbitals(self) -> Orbitals:
        """Return the frontier orbitals and the dipole of what was computed last."""
        found: Any = self._result
        energies_ev = found.get("orbital-energies") * Hartree
        occupations = found.get("orbital-occupations")
        homo = (round(float(occupations.sum())) + self._n_unpaired) // 2 - 1
        is_empty = homo + 1 >= len(energies_ev)  # all orbitals of the basis are occupied
        atoms: Any = self.atoms
        # about the centre of mass, as the dipole of an ion depends on where it is taken
        dipole = found.get("dipole") - self._charge * atoms.get_center_of_mass() / Bohr
        return Orbitals(
            homo_ev=float(energies_ev[homo]) if homo >= 0 else nan,
            lumo_ev=nan if is_empty else float(energies_ev[homo + 1]),
            dipole_debye=float(np.linalg.norm(dipole)) * Bohr / Debye,
        )
