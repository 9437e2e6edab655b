"""IEs of each level against experiment: `python benchmarks/experiment.py`.

67 experimental values: those of the GW100 set (NIST; doi:10.1021/acs.jctc.6b01150) and four of
NIST's CCCBDB; see data/ie-experiment.csv.
"""

import csv
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from molloop import load, simulate_molecules
from molloop.simulate.levels import LEVELS
from molloop.simulate.outcome import Success

TABLE = Path(__file__).parent / "data" / "ie-experiment.csv"


def main():
    with TABLE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    print(f"{'level':<7} {'n':>3} {'mean error':>11} {'mean |error|':>13} {'scatter':>8} "
          f"{'rank correlation':>17}  (eV)")  # fmt: skip
    notes = []
    for level in LEVELS:
        settings = load(None, [f"simulation.level={level}"])
        outcomes = list(simulate_molecules((row["smiles"] for row in rows), settings))
        pairs = []
        for row, outcome in zip(rows, outcomes, strict=True):
            if isinstance(outcome, Success):
                pairs.append((float(row["ie_ev"]), outcome.value, row["name"]))
            else:
                notes.append(f"{level}: {row['name']} fails, {outcome.kind}: {outcome.message}")
        measured, computed = np.array([pair[:2] for pair in pairs]).T
        error = computed - measured
        print(f"{level:<7} {len(pairs):>3} {error.mean():>11.2f} {np.abs(error).mean():>13.2f} "
              f"{error.std():>8.2f} {spearmanr(measured, computed).statistic:>17.3f}")  # fmt: skip
        centred = np.abs(error - error.mean())
        worst = [f"{pairs[k][2]} {error[k]:+.2f}" for k in np.argsort(-centred)[:5]]
        notes.append(f"{level}: farthest from its mean error: {', '.join(worst)}")
    print("\n".join(notes))


if __name__ == "__main__":
    main()
