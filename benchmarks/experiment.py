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
from dataclasses import replace
from pathlib import Path

import numpy as np
from ase import Atoms
from scipy.stats import spearmanr

from molloop import load, simulate_molecules
from molloop.errors import SimulationError
from molloop.molecule import Geometry
from molloop.simulate.levels import LEVELS
from molloop.simulate.outcome import Success
from molloop.simulate.relax import relax
from molloop.simulate.xtb import XTB, XTB_ERRORS

DATA = Path(__file__).parent / "data"
QUANTITIES = ("ie", "ie_adiabatic", "ea", "ea_adiabatic")
VERTICAL = ("ie", "ea")
CHARGES = {"ie": +1, "ea": -1}
DISPLACEMENT_ANGSTROM = 0.05  # of each coordinate: from a symmetric start an ion stays on a saddle


def simulated(molecules, level, quantities):
    """Yield the outcome of each molecule, with those of these quantities (eV) that converge.

    With the vertical ones, `ie` and `ea`, their difference `fundamental_gap` comes along.
    """
    settings = load(None, [f"simulation.level={level}"])
    for outcome in simulate_molecules(molecules, settings):
        if isinstance(outcome, Success):
            values = {name: value_of(outcome, LEVELS[level], name) for name in quantities}
            known = {name: value for name, value in values.items() if value is not None}
            if set(VERTICAL) <= set(known):
                known["fundamental_gap"] = known["ie"] - known["ea"]
            yield replace(outcome, values=known)
        else:
            yield outcome


def value_of(success, theory, quantity):
    """Return an ionization energy or an electron affinity; None where the ion fails."""
    if quantity == "ie":
        return success.value
    charge = CHARGES[quantity[:2]]
    try:
        ion_ev = ion_energy_ev(success, theory, charge, is_relaxed=quantity not in VERTICAL)
    except (*XTB_ERRORS, SimulationError):
        return None
    return charge * (ion_ev - success.molecule.energy_ev) + theory.shift_ev


def ion_energy_ev(success, theory, charge, is_relaxed):
    molecule, geometry = success.molecule, success.geometry
    state = {
        "charge": molecule.charge + charge,
        "n_unpaired": molecule.n_unpaired - 1 if molecule.n_unpaired else 1,
        "accuracy": 1.0,
    }
    if is_relaxed:
        rng = np.random.default_rng(1)
        moves = rng.normal(0.0, DISPLACEMENT_ANGSTROM, geometry.positions_angstrom.shape)
        start = Geometry(geometry.numbers, geometry.positions_angstrom + moves)
        relaxed = relax(start, None, XTB(theory.geometry_method, start, **state))
        if not relaxed.converged:
            raise SimulationError("not_converged", f"{charge:+d} after {relaxed.n_steps} steps")
        geometry = relaxed.geometry
    atoms = Atoms(geometry.numbers, geometry.positions_angstrom)
    atoms.calc = XTB(theory.method, geometry, **state)
    return atoms.get_potential_energy()


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
