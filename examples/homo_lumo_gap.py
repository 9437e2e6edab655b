"""A property of one's own: the HOMO-LUMO gap of GFN2-xTB, through the whole loop.

A simulator is a function of a SMILES that returns a number or a `Success`, or raises a
`SimulationError` with a kind of failure. Its other arguments are its options. It runs in a process
of its own that may crash, hang or grow; the loop goes on.

    PYTHONPATH=examples molloop run examples/homo_lumo_gap.toml
"""

import numpy as np
from ase.units import Hartree

from molloop import SimulationError, Success
from molloop.simulate.structure import start_structure

BOHR_PER_ANGSTROM = 1 / 0.529177210903


def homo_lumo_gap(smiles, method="GFN2-xTB"):
    """Compute the gap (eV) between the highest occupied and the lowest empty orbital."""
    from tblite.interface import Calculator

    structure = start_structure(smiles, elements=range(1, 87), max_atoms=100)
    if structure.n_unpaired:
        raise SimulationError("open_shell", f"{smiles!r} has unpaired electrons")
    geometry = structure.geometry
    calculator = Calculator(
        method,
        geometry.numbers.astype(int),
        geometry.positions_angstrom * BOHR_PER_ANGSTROM,
        charge=structure.charge,
    )
    calculator.set("verbosity", 0)
    result = calculator.singlepoint()
    energies_ev = result.get("orbital-energies") * Hartree
    n_occupied = int(np.sum(result.get("orbital-occupations") > 1.0))
    homo_ev, lumo_ev = energies_ev[n_occupied - 1 : n_occupied + 1]
    values = {"homo_lumo_gap": lumo_ev - homo_ev, "homo_ev": homo_ev, "lumo_ev": lumo_ev}
    return Success(values, geometries={"molecule": geometry})
