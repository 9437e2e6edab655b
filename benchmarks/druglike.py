"""Make the table of drug-like molecules: `python benchmarks/druglike.py --table FILE.csv`.

The molecules are drawn at random from B3DB (doi:10.1038/s41597-021-01069-5, CC0), which stands in
the package qc-b3db, version 1.1.1, which pip fetches: uncharged ones of one part, without unpaired
electrons, of 8 to 40 heavy atoms. HOMO-LUMO gap and dipole moment are computed with GFN2-xTB at the
MMFF94 geometry. A row is written as soon as it is computed, so that the command can be stopped, and
goes on with the same file. A cell is empty where the molecule fails. Printed is what was computed
and its processor time.
"""

import argparse
import csv
import io
import os
import tempfile
import time
import zipfile
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
from properties import archive_of, simulated
from rdkit import Chem, RDLogger
from rdkit.Chem.Descriptors import NumRadicalElectrons

PACKAGE, FILE = "qc-b3db==1.1.1", "B3DB/B3DB_classification.tsv"
QUANTITIES = {"orbital_gap": "orbital_gap_ev", "dipole": "dipole_debye"}
LEAST_ATOMS, MOST_ATOMS = 8, 40
MOST_ATOMIC_NUMBER = 86  # of GFN2


def is_drug_like(molecule):
    return (
        molecule is not None
        and LEAST_ATOMS <= molecule.GetNumHeavyAtoms() <= MOST_ATOMS
        and len(Chem.GetMolFrags(molecule)) == 1
        and Chem.GetFormalCharge(molecule) == 0
        and NumRadicalElectrons(molecule) == 0
        and all(atom.GetAtomicNum() <= MOST_ATOMIC_NUMBER for atom in molecule.GetAtoms())
    )


def drawn(n):
    """Return the SMILES of n random molecules, in the order in which they are drawn."""
    with (
        tempfile.TemporaryDirectory() as folder,
        zipfile.ZipFile(archive_of(PACKAGE, folder)) as parts,
        parts.open(FILE) as file,
    ):
        rows = csv.DictReader(io.TextIOWrapper(file, encoding="utf-8"), delimiter="\t")
        molecules = [Chem.MolFromSmiles(row["SMILES"]) for row in rows]
    smiles = sorted({Chem.MolToSmiles(one) for one in molecules if is_drug_like(one)})
    order = np.random.default_rng(1).permutation(len(smiles))[:n]
    return [smiles[row] for row in order]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=Path, required=True, help="a .csv; where it exists, go on")
    parser.add_argument("--molecules", type=int, default=5000)
    arguments = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    done = set()
    if arguments.table.exists():
        with arguments.table.open(newline="") as file:
            done = {row["smiles"] for row in csv.DictReader(file)}
    began_s, n_failed = time.process_time(), 0
    with arguments.table.open("a", newline="") as file:
        writer = csv.writer(file)
        if not done:
            writer.writerow(["smiles", *QUANTITIES.values()])
        smiles = [one for one in drawn(arguments.molecules) if one not in done]
        for one, values in zip(smiles, simulated(smiles, QUANTITIES, "mmff-geometry"), strict=True):
            n_failed += not values
            cells = (f"{values[name]:.4f}" if name in values else "" for name in QUANTITIES)
            writer.writerow([one, *cells])
            file.flush()
    took_s = time.process_time() - began_s
    each_s = took_s / max(len(smiles), 1)
    print(f"{len(smiles):,} molecules, {n_failed} fail, {each_s:.3f} s each")


if __name__ == "__main__":
    main()
