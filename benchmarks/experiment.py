"""Values of each level against experiment: `python benchmarks/experiment.py`.

The measured values and their sources stand in data/ie-experiment.csv and data/ea-experiment.csv. A
vertical quantity is compared with the vertical value of a molecule, and with the adiabatic one
where no other was measured; an adiabatic quantity with adiabatic values alone. Errors are computed
less measured; `shifted` is the mean of their sizes after a constant shift, each by the mean error
of the other molecules. An electron that is not bound has a negative affinity, whose computed value
means little: of the affinities there is a line of all molecules, and one of those whose measured
affinity is positive. The cost is the processor time of a molecule, on one core, from the SMILES to
the values: mean and median. Levels of DFT other than the first one take `--levels`.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import csv
import time
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from molloop import Molecule, Success, load
from molloop.simulate.levels import LEVELS
from molloop.simulate.task import SimulationTask

DATA = Path(__file__).parent / "data"
QUANTITIES = ("ie", "ie_adiabatic", "ea", "ea_adiabatic")
VERTICAL = ("ie", "ea")
BY_DEFAULT = ("gfn2", "gfn1", "ipea1", "b3lyp/def2-svp")


def simulated(molecules, level, quantity):
    """Yield the outcome of each molecule, and the processor time (s) that it took."""
    task = SimulationTask(load(property={"name": quantity}, simulation={"level": level}).protocol())
    for smiles in molecules:
        began_s = time.process_time()
        outcome = task.run(Molecule(0, smiles))
        yield outcome, time.process_time() - began_s


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
    """Return measured and computed values, shape (n, 2), names, costs (s), and what is to be told.

    The import of what computes is not part of a cost.
    """
    list(simulated(["O"], level, quantity))
    smiles, known, names = zip(*measured(quantity), strict=True)
    pairs, kept, costs_s, failures, flagged = [], [], [], [], []
    outcomes = simulated(smiles, level, quantity)
    for name, value, (outcome, cost_s) in zip(names, known, outcomes, strict=True):
        costs_s.append(cost_s)
        if isinstance(outcome, Success):
            pairs.append((value, outcome.value))
            kept.append(name)
            flagged += [f"{name} {' '.join(outcome.flags)}"] if outcome.flags else []
        else:
            failures.append(f"{name} fails: {outcome.message}")
    if flagged:
        failures.append(f"{len(flagged)} flagged: {', '.join(flagged)}")
    return np.array(pairs), kept, costs_s, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quantities", nargs="+", choices=QUANTITIES, default=QUANTITIES)
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=BY_DEFAULT)
    given = parser.parse_args()
    print(f"{'level':<20} {'quantity':<19} {'n':>3} {'mean error':>11} {'mean |error|':>13} "
          f"{'shifted':>8} {'scatter':>8} {'rank correlation':>17} (eV) "
          f"{'cost':>7} {'median':>7} (s)")  # fmt: skip
    notes = []
    for level in given.levels:
        for quantity in given.quantities:
            pairs, names, costs_s, told = compared(level, quantity)
            error = pairs[:, 1] - pairs[:, 0]
            cost = f"{np.mean(costs_s):>12.2f} {np.median(costs_s):>7.2f}"
            print(f"{level:<20} {quantity:<19} {line(pairs)} {cost}", flush=True)
            if quantity.startswith("ea"):
                print(f"{'':<20} {'  measured above 0':<19} {line(pairs[pairs[:, 0] > 0])}")
                told.append(unbound(pairs, error.mean()))
            worst = np.argsort(-np.abs(error - error.mean()))[:5]
            farthest = ", ".join(f"{names[k]} {error[k]:+.2f}" for k in worst)
            told.append(f"farthest from its mean error: {farthest}")
            notes += [f"{level} {quantity}: {one}" for one in told]
    print("\n".join(notes))


if __name__ == "__main__":
    main()
