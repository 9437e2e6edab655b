"""What an IE by DFT costs beside a plain script of PySCF: `python benchmarks/dft.py`.

Some molecules of QM9, each at one geometry. `molloop` computes the IE by a level's single points,
with the check of both states for a lower minimum. `script` is PySCF alone, in a process of its own:
the same functional, basis, fit and grid, two calculations from PySCF's usual guess, no check. Times
are of the processor, in seconds; IEs in eV.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from ase.units import Hartree
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule
from rdkit.Chem.rdForceFieldHelpers import MMFFOptimizeMolecule

from molloop.molecule import Geometry
from molloop.simulate.levels import LEVELS
from molloop.simulate.resources import Resources

MOLECULES = (
    "FC(F)(F)C1=NON=N1",
    "CC1C=CC=CC2OC12",
    "CC(=O)OCC1CO1",
    "N#CC1(CC1)C(=O)N",
    "OCC1CC2CC1O2",
)


def geometry(smiles):
    """Return atomic numbers and places (Å) by RDKit's force field."""
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    EmbedMolecule(molecule, randomSeed=1)
    MMFFOptimizeMolecule(molecule)
    numbers = [atom.GetAtomicNum() for atom in molecule.GetAtoms()]
    return numbers, molecule.GetConformer().GetPositions()


def script(numbers, places):
    """Return the IE and the processor time of PySCF alone."""
    from pyscf import dft, gto  # noqa: PLC0415 - in a process of its own, without molloop

    began_s = time.process_time()
    energies = []
    for charge in (0, 1):
        atoms = list(zip(numbers, places.tolist(), strict=True))
        molecule = gto.M(atom=atoms, basis="def2-svp", charge=charge, spin=charge, verbose=0)
        method = dft.UKS if charge else dft.RKS
        solver = method(molecule, xc="b3lypg").density_fit(auxbasis="def2-universal-jkfit")
        solver.grids.level, solver.conv_tol = 1, 1e-8
        energies.append(solver.kernel())
    return (energies[1] - energies[0]) * Hartree, time.process_time() - began_s


def molloop(numbers, places):
    """Return the IE and the processor time of molloop's single points."""
    from molloop.simulate.dft import KohnShamPoint  # noqa: PLC0415 - it changes PySCF's products

    theory, resources = LEVELS["b3lyp/def2-svp"].kohn_sham, Resources()
    atoms = Geometry(np.array(numbers, np.uint8), places)
    began_s = time.process_time()
    common = {"label": "", "resources": resources}
    whole = KohnShamPoint(theory, atoms, charge=0, n_unpaired=0, **common)
    ion = KohnShamPoint(theory, atoms, charge=1, n_unpaired=1, near=whole, **common)
    return ion.energy_ev - whole.energy_ev, time.process_time() - began_s


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecules", type=int, default=len(MOLECULES))
    given = parser.parse_args()
    print(f"{'':<22}{'molloop':>9}{'script':>9}{'ratio':>7}{'IE':>9}{'IE of script':>14}")
    ratios = []
    for smiles in MOLECULES[: given.molecules]:
        atoms = geometry(smiles)
        found = []
        for function in (molloop, script):
            with ProcessPoolExecutor(1, get_context("spawn")) as alone:
                alone.submit(function, *geometry("O")).result()  # importing costs nobody anything
                found.append(alone.submit(function, *atoms).result())
        (ie_ev, ours_s), (ie_of_script_ev, theirs_s) = found
        ratios.append(theirs_s / ours_s)
        print(
            f"{smiles:<22}{ours_s:>9.1f}{theirs_s:>9.1f}{ratios[-1]:>7.2f}{ie_ev:>9.4f}"
            f"{ie_of_script_ev:>14.4f}"
        )
    print(f"median of the ratios: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
