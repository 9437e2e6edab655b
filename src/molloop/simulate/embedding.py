"""From a molecular graph to coordinates: a chain of strategies, the published one first."""

from collections.abc import Callable
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDepictor, rdDistGeom
from rdkit.Geometry import Point3D

from molloop.errors import SimulationError
from molloop.simulate.connectivity import wrong_bonds
from molloop.simulate.force_field import optimize

SEED = 1
MAX_ITERATIONS = 20  # of plain distance geometry: more finds one molecule in a thousand
# the last resort: noise on a flat drawing, in Å
N_TRIES = 6
NOISE_ANGSTROM = (0.3, 0.3, 1.0)


def embed(molecule: Chem.Mol, n_conformers: int = 1, label: str = "the molecule") -> str:
    """Give a molecule with hydrogens the 3D coordinates of a force-field minimum, in place.

    The strategies are tried in turn, each with a fixed seed: ETKDG as in the published workflow
    (Riniker and Landrum, J. Chem. Inf. Model. 55, 2562 (2015), doi:10.1021/acs.jcim.5b00654),
    plain distance geometry from random coordinates; at last the force field's own minimum from a
    flat drawing with noise, which strained cages need.

    Parameters
    ----------
    n_conformers
        How many are made; the lowest by the force field stays.
    label
        What an error calls the molecule.

    Returns
    -------
    The strategy's name.

    Raises
    ------
    SimulationError
        ``embedding``: none gives a structure with the bonds and the stereochemistry asked for.
    """
    for name, strategy in STRATEGIES.items():
        molecule.RemoveAllConformers()
        if strategy(molecule, n_conformers):
            _keep_lowest(molecule)
            if not wrong_bonds(molecule) and _has_stereo(molecule):
                return name
    raise SimulationError("embedding", f"no 3D structure was found for {label!r}")


def _published(molecule: Chem.Mol, n_conformers: int) -> bool:
    if n_conformers == 1:
        return rdDistGeom.EmbedMolecule(molecule, randomSeed=SEED) == 0
    return len(rdDistGeom.EmbedMultipleConfs(molecule, n_conformers, randomSeed=SEED)) > 0


def _distance_geometry(molecule: Chem.Mol, n_conformers: int) -> bool:
    parameters: Any = rdDistGeom.EmbedParameters()
    parameters.randomSeed = SEED
    parameters.useRandomCoords = True
    parameters.maxIterations = MAX_ITERATIONS
    return len(rdDistGeom.EmbedMultipleConfs(molecule, n_conformers, parameters)) > 0


def _from_drawing(molecule: Chem.Mol, _n_conformers: int) -> bool:
    rng = np.random.default_rng(SEED)
    rdDepictor.Compute2DCoords(molecule)
    flat = molecule.GetConformer().GetPositions()
    found: list[tuple[float, int, Chem.Mol]] = []
    for _ in range(N_TRIES):
        trial = Chem.Mol(molecule)
        conformer = trial.GetConformer()
        conformer.Set3D(True)
        for atom, place in enumerate(flat + rng.normal(0, NOISE_ANGSTROM, flat.shape)):
            conformer.SetAtomPosition(atom, Point3D(*map(float, place)))
        energy = optimize(trial, kind="UFF")
        if not wrong_bonds(trial) and _has_stereo(trial):
            found.append((energy, len(found), trial))
    molecule.RemoveAllConformers()
    if found:
        molecule.AddConformer(min(found)[2].GetConformer(), assignId=True)
    return bool(found)


STRATEGIES: dict[str, Callable[[Chem.Mol, int], bool]] = {
    "etkdg": _published,
    "distance geometry": _distance_geometry,
    "from drawing": _from_drawing,
}


def _keep_lowest(molecule: Chem.Mol) -> None:
    """Relax each conformer with the force field; keep the lowest, the first of equals."""
    energies = {
        conformer.GetId(): optimize(molecule, conformer.GetId())
        for conformer in molecule.GetConformers()
    }
    best = min(energies, key=energies.__getitem__)
    for conformer_id in energies:
        if conformer_id != best:
            molecule.RemoveConformer(conformer_id)
    molecule.GetConformer(best).SetId(0)


def _has_stereo(molecule: Chem.Mol) -> bool:
    """Whether each stereocentre and double bond that the SMILES specifies came out as asked."""
    came_out = Chem.Mol(molecule)
    Chem.AssignStereochemistryFrom3D(came_out)
    return bool(came_out.HasSubstructMatch(molecule, useChirality=True))
