"""tblite's own ASE calculator against molloop's: `python benchmarks/calculators.py`.

The whole protocol for each molecule, with the one and the other in turn, on one thread.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import time
from importlib.metadata import version

import numpy as np
from rdkit import rdBase
from tblite.ase import TBLite

from molloop.errors import SimulationError
from molloop.library import sources
from molloop.molecule import Molecule
from molloop.simulate import ionization
from molloop.simulate.xtb import XTB


class Theirs(TBLite):
    """tblite's calculator, called as molloop calls its own."""

    def __init__(self, method, _geometry, *, charge, n_unpaired, accuracy):
        super().__init__(
            method=method, charge=charge, multiplicity=n_unpaired + 1, accuracy=accuracy,
            verbosity=0,
        )  # fmt: skip

    def set_accuracy(self, accuracy):
        """Go on with another accuracy; what was computed with the last one is forgotten."""
        self.set(accuracy=accuracy)
        self.reset()


def timed(calculator, smiles):
    """Return the IE (eV) and its core-seconds."""
    ionization.XTB = calculator
    began_s = time.process_time()
    ie_ev = ionization.quantities_of(Molecule(0, smiles)).value
    return ie_ev, time.process_time() - began_s


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecules", type=int, default=60)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    rdBase.DisableLog("rdApp.*")
    library = [text for block in sources.blocks([sources.locate("qm9")]) for text in block.texts]
    rows = np.random.default_rng(0).choice(len(library), arguments.molecules, replace=False)
    calculators = (XTB, Theirs)
    for one in calculators:
        timed(one, "C")
    seconds, ies_ev = [], []
    for smiles in (library[row] for row in rows):
        try:
            turns = [[timed(one, smiles) for one in calculators] for _ in range(arguments.turns)]
        except SimulationError as error:
            print(f"left out: {smiles}; {error}")
            continue
        seconds.append(np.median([[time_s for _, time_s in turn] for turn in turns], axis=0))
        ies_ev.append([ie_ev for ie_ev, _ in turns[0]])
    ours, theirs = np.transpose(seconds)
    difference = np.abs(np.diff(ies_ev))
    print(f"{len(ours)} molecules, core-seconds in the median: molloop {np.median(ours):.4f}, "
          f"tblite.ase {version('tblite')} {np.median(theirs):.4f}; "
          f"theirs by ours: {np.median(theirs / ours):.3f}")  # fmt: skip
    print(f"|difference of IEs|: median {np.median(difference):.1e} eV, largest "
          f"{difference.max():.1e} eV")  # fmt: skip


if __name__ == "__main__":
    main()
