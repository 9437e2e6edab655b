"""What a ladder finds in the time of 60 DFT values: `python benchmarks/ladder.py TABLE`.

TABLE has IEs of molecules of QM9 at GFN2-xTB, IPEA1-xTB and B3LYP/def2-SVP, with the processor time
of each; `ladder_table.py FILE --write TABLE` makes it. Replays with one virtual worker, 20 seeds,
for as long as 60 DFT values take in the mean. Beside each ladder stands what DFT alone finds, and
what GFN2 and IPEA1 find whose best are computed again, with as many values as the ladder has there.
Printed: how many of the best 50 by DFT are found, and by how many the ladder is ahead, with the
paired 95% interval over the seeds. First at true costs; then with those of the lower levels scaled
so that all of the table by GFN2 costs 1.5 times the whole budget. Exit code 1 where a ladder is not
surely ahead, or finds less than 1.5 times as many as a baseline that finds 33 or fewer.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import pandas as pd

from molloop import Scenario, compare_policies, load, open_known
from molloop.execution.virtual import Costs

CHEAP, MIDDLE, DEAR = "gfn2", "ipea1", "b3lyp_def2_svp"  # in the names of columns
LEVELS = {CHEAP: "gfn2", MIDDLE: "ipea1", DEAR: "b3lyp/def2-svp"}
LADDERS = ((MIDDLE, DEAR), (CHEAP, DEAR), (CHEAP, MIDDLE, DEAR))
N_DEAR, TOP_K = 60, 50
SWEEP = 1.5  # budgets that all of the table costs by GFN2, where lower levels are scaled
LEAST_RATIO, MOST_FOUND = 1.5, 33


def scaled(table, factor):
    """Return the table with other costs of the lower levels."""
    of = {f"cpu_s_{level}": factor * table[f"cpu_s_{level}"] for level in (CHEAP, MIDDLE)}
    return table.assign(**of)


def played(path, ladder, budget_s, n_seeds, n_processes):
    """Return what a ladder and one stage at a time find of the best, a row a seed."""
    settings = load(
        stages=[{"level": LEVELS[one]} for one in ladder],
        campaign={"initial_training_count": 8, "max_training_count": None},
        stopping={"time_limit_s": budget_s},
    )
    stages = [one.stage for one in settings.protocols()]
    known = open_known(str(path), "ie_ev", "cpu_s", stages=stages)
    scenario = Scenario(n_workers=1, costs=Costs(0.0, 0.0, 0.0))
    return compare_policies(
        known,
        settings=settings,
        n_seeds=n_seeds,
        scenario=scenario,
        top_k=TOP_K,
        n_processes=n_processes,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    table = pd.read_csv(given.table)
    budget_s = N_DEAR * table[f"cpu_s_{DEAR}"].mean()
    factor = SWEEP * budget_s / table[f"cpu_s_{CHEAP}"].sum()
    print(f"{len(table):,} molecules, {budget_s:.0f} s; lower levels scaled by {factor:.1f}")
    missed = []
    for costs, one in (("true", table), ("scaled", scaled(table, factor))):
        for ladder in LADDERS:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "levels.csv"
                one.to_csv(path, index=False)
                found = played(path, ladder, budget_s, given.seeds, given.processes)
            first, *others = found.curves
            ours = TOP_K * found.after(first, "recall", budget_s).mean()
            print(f"{costs} costs, {' -> '.join(ladder)}: {ours:.1f} of {TOP_K}")
            for name in others:
                theirs = TOP_K * found.after(name, "recall", budget_s).mean()
                ahead = found.advantage(first, name, "recall", budget_s)
                low, high = TOP_K * ahead.low[0], TOP_K * ahead.high[0]
                print(f"  {name:45} {theirs:5.1f} ({low:+.1f} to {high:+.1f})", flush=True)
                is_few = theirs <= MOST_FOUND and ours < LEAST_RATIO * theirs
                if low <= 0 or is_few:
                    missed.append(f"{costs}, {' -> '.join(ladder)}: {name}")
    if missed:
        sys.exit(f"missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
