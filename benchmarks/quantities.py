"""Quantities beside the vertical ionization energy: what they cost, and how sound ions end.

`python benchmarks/quantities.py`; `--ions 200` looks at relaxed ions instead of the cost.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import time
from collections import Counter

import numpy as np

from molloop.errors import SimulationError
from molloop.library import sources
from molloop.molecule import Molecule
from molloop.simulate.ionization import quantities_of
from molloop.simulate.recipes import RECIPES

VERTICAL = [name for name, recipe in RECIPES.items() if not recipe.is_adiabatic]
ABOVE_EV = 0.005


def molecules(n):
    """Return molecules of QM9, drawn at random."""
    library = [text for block in sources.blocks([sources.locate("qm9")]) for text in block.texts]
    return [library[row] for row in np.random.default_rng(0).choice(len(library), n, replace=False)]


def timed(smiles, quantity, others=()):
    """Return core-seconds, or None where it fails."""
    solvent = "acetonitrile" if RECIPES[quantity].against_electrode else ""
    began_s = time.process_time()
    try:
        quantities_of(Molecule(0, smiles), quantity=quantity, quantities=others, solvent=solvent)
    except SimulationError:
        return None
    return time.process_time() - began_s


def show_cost(n, names):
    """Print what some quantities cost beside `ie`, molecule by molecule in turn."""
    asked = {name: (name, ()) for name in dict.fromkeys(["ie", *names])}
    asked |= {"ie + ea": ("ie", ["ea"]), "all vertical": ("ie", VERTICAL)}
    timed("C", "ie")
    rows = []
    for smiles in molecules(n):
        row = [timed(smiles, *one) for one in asked.values()]
        if None not in row:
            rows.append(row)
    seconds = np.array(rows)
    own = seconds[:, 0]
    print(f"{len(rows)} molecules of QM9, ie: {own.mean():.4f} core-seconds a molecule")
    print(f"{'':<26} {'of the sums':>11} {'median of the ratios':>21}")
    for name, column in zip(asked, seconds.T, strict=True):
        print(f"{name:<26} {column.sum() / own.sum():>11.2f} {np.median(column / own):>21.2f}")


def show_ions(n):
    """Print how relaxed cations and anions of molecules end, and what their flags say."""
    for quantity in ("ie_adiabatic", "ea_adiabatic"):
        n_values, n_sound, n_flagged, above, flags = 0, 0, 0, 0, Counter()
        vertical = quantity.removesuffix("_adiabatic")
        for smiles in molecules(n):
            try:
                found = quantities_of(Molecule(0, smiles), quantity=quantity, quantities=[vertical])
            except SimulationError as error:
                flags[error.kind] += 1
                continue
            n_values += 1
            n_flagged += bool(found.flags)
            n_sound += not any(flag.endswith("_not_converged") for flag in found.flags)
            flags.update(found.flags)
            below_ev = found.values[vertical] - found.values[quantity]
            gain_ev = below_ev if quantity == "ie_adiabatic" else -below_ev
            above += gain_ev < -ABOVE_EV and not found.flags
        print(f"{quantity}: {n_values} values of {n} molecules; {n_sound} converged, "
              f"{n_flagged} with flags, {above} above the vertical one without a flag")  # fmt: skip
        print(f"  flags and failures: {dict(flags.most_common())}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecules", type=int, default=60)
    parser.add_argument("--names", nargs="+", default=list(RECIPES))
    parser.add_argument("--ions", type=int, default=0)
    given = parser.parse_args()
    if given.ions:
        show_ions(given.ions)
    else:
        show_cost(given.molecules, given.names)


if __name__ == "__main__":
    main()
