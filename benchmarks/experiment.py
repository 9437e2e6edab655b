"""Values of each level against experiment: `python benchmarks/experiment.py`.

The measured values and their sources stand in data/ie-experiment.csv and data/ea-experiment.csv. A
vertical quantity is compared with the vertical value of a molecule, and with the adiabatic one
where no other was measured; an adiabatic quantity with adiabatic values alone. Errors are computed
less measured; `shifted` is the mean of their sizes after a constant shift, each by the mean error
of the other molecules. An electron that is not bound has a negative affinity, whose computed value
means little: of the affinities there is a line of all molecules, and one of those whose measured
affinity is positive.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import csv
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from molloop import Success, load, simulate_molecules
from molloop.simulate.levels import LEVELS

DATA = Path(__file__).parent / "data"
QUANTITIES = ("ie", "ie_adiabatic", "ea", "ea_adiabatic")
VERTICAL = ("ie", "ea")


def simulated(molecules, level, quantities):
    """Yield the outcome of each molecule, with those of these quantities that converge."""
    settings = load(simulation={"level": level, "quantities": quantities})
    return simulate_molecules(molecules, settings)


def measured(quantity):
    """Return SMILES, value (eV) and name of the molecules that a quantity is compared for."""
    energy = quantity[:2]
    with (DATA / f"{energy}-experiment.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    if quantity in VERTICAL:
        rows.sort(key=lambda row: row["kind"] == "vertical")  # of two, the last one stays
    else:
        rows = [row for row in rows if row["kind"] == "adiabatic"]
    by_name = {row["name"]: (row["smiles"], float(row[f"{energy}_ev"])) for row in rows}
    return [(*by_name[name], name) for name in sorted(by_name)]


def line(pairs):
    """Return how far computed values are from measured ones, shape (n, 2), as columns."""
    known, computed = pairs.T
    error = computed - known
    n = len(error)
    others = (error.sum() - error) / (n - 1)
    columns = (
        f"{error.mean():>11.2f}",
        f"{np.abs(error).mean():>13.2f}",
        f"{np.abs(error - others).mean():>8.2f}",
        f"{error.std():>8.2f}",
        f"{spearmanr(known, computed).statistic:>17.3f}",
    )
    return f"{n:>3} {' '.join(columns)}"


def unbound(pairs, shift_ev):
    """Return how many electrons are not bound, as measured, as computed and when shifted."""
    is_unbound = pairs[:, 0] < 0
    told = f"{is_unbound.sum()} of {len(pairs)} are not bound as measured"
    for how, values in (("as computed", pairs[:, 1]), ("when shifted", pairs[:, 1] - shift_ev)):
        found = values < 0
        told += f"; {how} {found.sum()}, {(found & is_unbound).sum()} of these rightly"
    return told


def compared(level, quantity):
    """Return measured and computed values, shape (n, 2), the molecules' names, and what failed."""
    smiles, known, names = zip(*measured(quantity), strict=True)
    outcomes = simulated(smiles, level, (quantity,))
    pairs, kept, failures = [], [], []
    for name, value, outcome in zip(names, known, outcomes, strict=True):
        if isinstance(outcome, Success) and quantity in outcome.named:
            pairs.append((value, outcome.named[quantity]))
            kept.append(name)
        else:
            why = getattr(outcome, "message", "its ion does not converge")
            failures.append(f"{name} fails: {why}")
    return np.array(pairs), kept, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quantities", nargs="+", choices=QUANTITIES, default=QUANTITIES)
    quantities = parser.parse_args().quantities
    print(f"{'level':<6} {'quantity':<19} {'n':>3} {'mean error':>11} {'mean |error|':>13} "
          f"{'shifted':>8} {'scatter':>8} {'rank correlation':>17}  (eV)")  # fmt: skip
    notes = []
    for level in LEVELS:
        for quantity in quantities:
            pairs, names, told = compared(level, quantity)
            error = pairs[:, 1] - pairs[:, 0]
            print(f"{level:<6} {quantity:<19} {line(pairs)}", flush=True)
            if quantity.startswith("ea"):
                print(f"{'':<6} {'  measured above 0':<19} {line(pairs[pairs[:, 0] > 0])}")
                told.append(unbound(pairs, error.mean()))
            worst = np.argsort(-np.abs(error - error.mean()))[:5]
            farthest = ", ".join(f"{names[k]} {error[k]:+.2f}" for k in worst)
            told.append(f"farthest from its mean error: {farthest}")
            notes += [f"{level} {quantity}: {one}" for one in told]
    print("\n".join(notes))


if __name__ == "__main__":
    main()
