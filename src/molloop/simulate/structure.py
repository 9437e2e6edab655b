"""A 3D start geometry for a SMILES."""

from dataclasses import dataclass

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from molloop.errors import SimulationError
from molloop.simulate.outcome import Geometry

EMBEDDING_SEED = 1
FORCE_FIELD_STEPS = 200


@dataclass(frozen=True, slots=True)
class Structure:
    """A molecule that can be simulated.

    Attributes
    ----------
    geometry
        From the force field.
    charge
        In elementary charges.
    n_unpaired
        Unpaired electrons.
    """

    geometry: Geometry
    charge: int
    n_unpaired: int


def start_structure(smiles: str) -> Structure:
    """Embed a molecule and relax it with a force field, as the published workflow does.

    The atoms stand in the order of the SMILES: another order embeds another conformer.
    Embedding: ETKDG (Riniker and Landrum, J. Chem. Inf. Model. 55, 2562 (2015),
    doi:10.1021/acs.jcim.5b00654); force field: MMFF94, or UFF where it lacks parameters.

    Raises
    ------
    SimulationError
        ``invalid_smiles`` or ``embedding``.
    """
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
        if molecule is None or molecule.GetNumAtoms() == 0:
            raise SimulationError("invalid_smiles", f"RDKit cannot read {smiles!r} as a molecule")
        molecule = Chem.AddHs(molecule)
        if rdDistGeom.EmbedMolecule(molecule, randomSeed=EMBEDDING_SEED) != 0:
            raise SimulationError("embedding", f"no 3D structure was found for {smiles!r}")
        if rdForceFieldHelpers.MMFFHasAllMoleculeParams(molecule):
            rdForceFieldHelpers.MMFFOptimizeMolecule(molecule, maxIters=FORCE_FIELD_STEPS)
        elif rdForceFieldHelpers.UFFHasAllMoleculeParams(molecule):
            rdForceFieldHelpers.UFFOptimizeMolecule(molecule, maxIters=FORCE_FIELD_STEPS)
    numbers = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()], dtype=np.uint8)
    charge = Chem.GetFormalCharge(molecule)
    n_radical = sum(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms())
    is_odd = (int(numbers.sum()) - charge) % 2
    return Structure(
        geometry=Geometry(numbers, molecule.GetConformer().GetPositions()),
        charge=charge,
        n_unpaired=n_radical if n_radical % 2 == is_odd else is_odd,
    )
