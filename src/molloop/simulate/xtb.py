"""tblite behind ASE: one calculator a molecule, restarted from step to step.

Not tblite's own, `tblite.ase.TBLite`: with tblite 0.8.0 the whole protocol takes 6% more processor
time by it (60 molecules of QM9, in the median of their ratios; 6 to 9% in three runs of
`python benchmarks/calculators.py`), as it reads charges, dipole and bond orders at every step.
"""

from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.units import Bohr, Hartree
from tblite.exceptions import TBLiteRuntimeError, TBLiteValueError
from tblite.interface import Calculator as TBLite
from tblite.interface import Result

from molloop.molecule import Geometry

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
    """

    implemented_properties = ["energy", "forces"]  # noqa: RUF012 - as ASE declares it

    def __init__(
        self,
        method: str,
        geometry: Geometry,
        *,
        charge: int,
        n_unpaired: int,
        accuracy: float,
    ) -> None:
        super().__init__()
        self._tblite = TBLite(
            method,
            geometry.numbers.astype(int),
            geometry.positions_angstrom / Bohr,
            charge=float(charge),
            uhf=n_unpaired,
        )
        self._tblite.set("verbosity", 0)
        self._tblite.set("accuracy", accuracy)
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
