"""What a search for two objectives finds: `python benchmarks/goals.py --botorch PYTHON`.

The table `data/qm9-goals.csv.gz` has 6,000 molecules of QM9, random ones of qm9-ie-20k, with values
of GFN2-xTB at the force field's geometry, computed by molloop: `molloop run` with the policy random
and `simulation.quantities = ["ea", "orbital_gap", "dipole"]`. Searched for are small IEs and large
HOMO-LUMO gaps, as of what conducts holes and absorbs no light. Replays: 8 random molecules, then
batches of four by the default policy; random molecules; the same for each of the two objectives
alone. With `--botorch`, the Python of an environment with botorch: qLogEHVI on the same features
from the same first molecules, in batches of `--batch-size`, see goals_botorch.py. Printed: the
share of the true front's hypervolume, the mean over the seeds, how far two objectives are ahead
with the paired 95% interval, and processor time, features ready.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import subprocess
import tempfile
import time
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np

from molloop import Scenario, load, open_known, replay_table
from molloop.intervals import mean_interval
from molloop.pareto import running_hypervolume
from molloop.replay.goals import truth_of

TABLE = Path(__file__).parent / "data" / "qm9-goals.csv.gz"
IE = {"quantity": "ie", "direction": "minimise"}
GAP = {"quantity": "orbital_gap", "direction": "maximise"}
CASES = {
    "two objectives": ({"objectives": [IE, GAP]}, "gp"),
    "IE alone": ({"objectives": [IE]}, "gp"),
    "gap alone": ({"objectives": [GAP]}, "gp"),
    "random": ({"objectives": [IE, GAP]}, "random"),
}
N, AFTER, N_INITIAL, BATCH_SIZE, FIRST_SEED = 200, (100, 200), 8, 4, 1000


def order_of(table, sections, policy, seed):
    """Return the molecules that a replay has chosen, in their order, and its processor time."""
    settings = load(
        **sections,
        search={"policy": policy},
        campaign={
            "schedule": "batch",
            "initial_training_count": N_INITIAL,
            "batch_size": BATCH_SIZE,
            "max_training_count": N,
            "seed": seed,
        },
    )
    began_s = time.process_time()
    played = replay_table(table, settings, Scenario(n_workers=BATCH_SIZE))
    processor_s = time.process_time() - began_s
    return [item.molecule_id for item in played.results.simulated], processor_s


def order_of_botorch(python, table, truth, first, seed, batch_size, folder):
    """Return the same of qLogEHVI, which is not played again where the folder has it."""
    path = folder / f"{seed}-by-{batch_size}.npz"
    if not (done := Path(f"{path}.chosen.npz")).exists():
        np.savez(
            path,
            features=table.library.features("descriptors", range(table.library.n_molecules)),
            values=truth.points,
            first=first,
            reference=truth.reference,
            n=N,
            batch_size=batch_size,
            seed=seed,
        )
        script = Path(__file__).with_name("goals_botorch.py")
        subprocess.run([python, script, path], check=True, stderr=subprocess.DEVNULL)
    chosen = np.load(done)
    return chosen["ids"].tolist(), float(chosen["processor_s"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--botorch", metavar="PYTHON")
    parser.add_argument("--batch-size", type=int, default=2, help="of botorch")
    parser.add_argument("--processes", type=int, default=2, help="of botorch")
    parser.add_argument("--folder", type=Path, help="keeps what botorch has chosen: it takes long")
    given = parser.parse_args()
    table = open_known(str(TABLE), "ie_ev", "constant:1", further=["orbital_gap_ev"])
    of_gap = open_known(str(TABLE), "orbital_gap_ev", "constant:1", further=["ie_ev"])
    truth = truth_of(table, load(objectives=[IE, GAP]).goal(), 100)
    print(f"{table.library.n_molecules:,} molecules, {len(truth.top)} on the true front")
    found, spent = {}, {}
    played = {}
    for seed in range(FIRST_SEED, FIRST_SEED + given.seeds):
        played[seed] = {
            name: order_of(of_gap if name == "gap alone" else table, sections, policy, seed)
            for name, (sections, policy) in CASES.items()
        }
    if given.botorch:
        folder = given.folder or Path(tempfile.mkdtemp())
        folder.mkdir(exist_ok=True)

        def by_botorch(seed):
            first = played[seed]["two objectives"][0][:N_INITIAL]
            asked = table, truth, first, seed, given.batch_size, folder
            return order_of_botorch(given.botorch, *asked)

        with ThreadPool(given.processes) as pool:
            for seed, order in zip(played, pool.map(by_botorch, played), strict=True):
                played[seed]["qLogEHVI"] = order
    for orders in played.values():
        for name, (ids, processor_s) in orders.items():
            volumes = running_hypervolume(truth.points[ids], truth.reference) / truth.hypervolume
            found.setdefault(name, []).append([volumes[n - 1] for n in AFTER])
            spent.setdefault(name, []).append(processor_s)
    ours = np.array(found["two objectives"])
    for name, shares in found.items():
        words = f"{name:16}"
        for place, n in enumerate(AFTER):
            column = np.array(shares)[:, place]
            words += f"  after {n}: {column.mean():6.1%}"
            if name != "two objectives":
                ahead = mean_interval((ours[:, place] - column)[:, None])
                low, high = ahead.low[0], ahead.high[0]
                words += f" (two are ahead by {100 * low:+.1f} to {100 * high:+.1f} points)"
        print(f"{words}  {np.mean(spent[name]):7.1f} s")


if __name__ == "__main__":
    main()
