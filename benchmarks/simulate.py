"""The published simulation protocol against molloop's, molecule by molecule in turn.

`python benchmarks/simulate.py`, in an environment with xtb-python 22.1 (`pip install '.[bench]'`;
Python 3.11 is the last one that it has wheels for). Both run on one thread of this process.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import time

import numpy as np
from ase import Atoms
from ase.optimize import BFGS, LBFGSLineSearch
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers
from xtb.ase.calculator import XTB

from molloop.errors import SimulationError
from molloop.library import sources
from molloop.molecule import Geometry, Molecule
from molloop.simulate.ionization import quantities_of
from molloop.simulate.xtb import XTB as TBXTB

LARGE_EV = 0.02


def published(smiles):
    """Return the IE and the energy (eV) and the geometry, as the published scripts compute them."""
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    if rdDistGeom.EmbedMolecule(molecule, randomSeed=1) != 0:
        raise SimulationError("embedding", smiles)
    rdForceFieldHelpers.MMFFOptimizeMolecule(molecule)
    numbers = [atom.GetAtomicNum() for atom in molecule.GetAtoms()]
    atoms = Atoms(numbers, molecule.GetConformer().GetPositions())
    atoms.calc = XTB(method="GFN2-xTB", accuracy=0.05)
    LBFGSLineSearch(atoms, logfile=None).run(fmax=0.02, steps=250)
    neutral_ev = atoms.get_potential_energy()
    geometry = Geometry(np.array(numbers, np.uint8), atoms.get_positions())
    atoms.set_initial_charges([1] + [0] * (len(atoms) - 1))
    atoms.calc = XTB(method="GFN2-xTB", accuracy=0.05)
    return atoms.get_potential_energy() - neutral_ev, neutral_ev, geometry


def ours(smiles):
    """Return the same of molloop."""
    success = quantities_of(Molecule(0, smiles))
    return success.value, success.calculations["molecule"].energy_ev, success.geometry


def follow(geometry):
    """Relax on to a tenth of the criterion, in small steps; return the IE and the energy (eV)."""
    atoms = Atoms(geometry.numbers, geometry.positions_angstrom)
    atoms.calc = TBXTB("GFN2-xTB", geometry, charge=0, n_unpaired=0, accuracy=0.05)
    BFGS(atoms, logfile=None, maxstep=0.05).run(fmax=0.002, steps=500)
    energy_ev = atoms.get_potential_energy()
    atoms.calc = TBXTB("GFN2-xTB", geometry, charge=1, n_unpaired=1, accuracy=0.05)
    return atoms.get_potential_energy() - energy_ev, energy_ev


def timed(function, smiles):
    """Return a function's result or its failure, and its core-seconds."""
    began_s = time.process_time()
    try:
        result = function(smiles)
    except SimulationError as error:
        result = error
    return result, time.process_time() - began_s


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecules", type=int, default=100)
    n = parser.parse_args().molecules
    rdBase.DisableLog("rdApp.*")
    library = [text for block in sources.blocks([sources.locate("qm9")]) for text in block.texts]
    chosen = np.random.default_rng(0).choice(len(library), n, replace=False)
    timed(published, "C")
    timed(ours, "C")
    rows, seconds = [], np.zeros(2)
    for smiles in (library[row] for row in chosen):
        theirs, their_s = timed(published, smiles)
        mine, my_s = timed(ours, smiles)
        if isinstance(theirs, SimulationError) or isinstance(mine, SimulationError):
            failed = {"published": theirs, "molloop": mine}
            why = [f"{k}: {v}" for k, v in failed.items() if isinstance(v, SimulationError)]
            print(f"left out: {smiles}; {'; '.join(why)}")
            continue
        seconds += their_s, my_s
        rows.append((smiles, *theirs, *mine))
    ie = np.array([(row[1], row[4]) for row in rows])
    energy = np.array([(row[2], row[5]) for row in rows])
    difference = np.abs(ie[:, 1] - ie[:, 0])
    their_s, my_s = seconds / len(rows)
    print(f"{len(rows)} molecules, core-seconds a molecule: published {their_s:.4f}, "
          f"molloop {my_s:.4f}: {their_s / my_s:.2f} times as many a core-second")  # fmt: skip
    print(f"|difference of IEs|: median {np.median(difference):.4f} eV, "
          f"95% below {np.quantile(difference, 0.95):.4f} eV")  # fmt: skip
    lower = energy[:, 1] - energy[:, 0]
    large = np.flatnonzero(difference > LARGE_EV)
    print(f"{len(large)} above {LARGE_EV} eV; of these molloop's minimum is lower in "
          f"{(lower[large] < 0).sum()}, higher in {(lower[large] > 0).sum()}")  # fmt: skip
    print("(IE, energy) in eV: published, molloop; then both relaxed on to 0.002 eV/Å")
    for row in large:
        pairs = [tuple(rows[row][1:3]), tuple(rows[row][4:6])]
        pairs += [follow(rows[row][3]), follow(rows[row][6])]
        text = "  ".join(f"({one:.3f}, {other:.4f})" for one, other in pairs)
        print(f"  {rows[row][0]:<18} {text}")


if __name__ == "__main__":
    main()
