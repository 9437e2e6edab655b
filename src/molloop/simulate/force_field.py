"""RDKit's force fields: MMFF94, or UFF where it has no parameters.

Halgren, J. Comput. Chem. 17, 490 (1996); Rappé et al., J. Am. Chem. Soc. 114, 10024 (1992),
doi:10.1021/ja00051a040.
"""

from typing import Any

import numpy as np
from ase.units import kcal, mol
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdForceFieldHelpers

MAX_STEPS = 200
DISPLACEMENT_ANGSTROM = 1e-3
EV_PER_KCAL_MOL = kcal / mol


def force_field(molecule: Chem.Mol, conformer_id: int = -1, kind: str | None = None) -> Any:
    """Return a conformer's RDKit force field: MMFF94, or UFF; None where none has parameters."""
    if kind != "UFF":
        properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(molecule)
        if properties is not None:
            return rdForceFieldHelpers.MMFFGetMoleculeForceField(
                molecule, properties, confId=conformer_id
            )
    if rdForceFieldHelpers.UFFHasAllMoleculeParams(molecule):
        return rdForceFieldHelpers.UFFGetMoleculeForceField(molecule, confId=conformer_id)
    return None


def optimize(molecule: Chem.Mol, conformer_id: int = -1, kind: str | None = None) -> float:
    """Relax a conformer in place and return its energy in kcal/mol; 0 without a force field."""
    field = force_field(molecule, conformer_id, kind)
    if field is None:
        return 0.0
    field.Initialize()
    field.Minimize(maxIts=MAX_STEPS)
    return float(field.CalcEnergy())


def hessian(molecule: Chem.Mol) -> NDArray[np.float64] | None:
    """Second derivatives of the force field's energy, by central differences of its gradient.

    Returns
    -------
    In eV/Å², shape (3 n_atoms, 3 n_atoms), symmetric; None without a force field.
    """
    field = force_field(molecule)
    if field is None:
        return None
    field.Initialize()
    place = molecule.GetConformer().GetPositions().ravel()
    rows = np.empty((len(place), len(place)))
    for coordinate in range(len(place)):
        gradients = []
        for sign in (1, -1):
            moved = place.copy()
            moved[coordinate] += sign * DISPLACEMENT_ANGSTROM
            positions = moved.tolist()
            # RDKit's gradient uses distances that its last energy left behind
            field.CalcEnergy(positions)
            gradients.append(np.array(field.CalcGrad(positions)))
        rows[coordinate] = (gradients[0] - gradients[1]) / (2 * DISPLACEMENT_ANGSTROM)
    return (rows + rows.T) / 2 * EV_PER_KCAL_MOL
