"""What runs over all of QM9 find of other quantities: `python benchmarks/real_quantities.py`.

Runs of `molloop run`, the default policy beside others with the same seeds, for the largest
electron affinity and the smallest fundamental gap (GFN2-xTB, vertical). Nobody knows the best of
the 130,744, so the mean of the best ten that a run has found is compared, flagged values kept.
Printed are its mean over the seeds, how many of all best tens are flagged, and by how much the
default is better, with the paired interval. Exit code 1 where one holds 0.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from molloop import read_results
from molloop.intervals import mean_interval

DEFAULT = "gp"
OTHERS = ("published", "random")
QUANTITIES = ("ea", "fundamental_gap")
N_BEST = 10


def best_ten(name, policy, seed, n, folder):
    """Run; return the mean of the best ten values, how many are flagged, and the sign."""
    command = [sys.executable, "-m", "molloop", "run", "--run-dir", str(folder), "--quiet"]
    counts = ["--max-training-count", str(n), "--seed", str(seed), "--policy", policy]
    subprocess.run(
        [*command, *counts, "--set", f"property.name={name}", "--set", "property.flagged=keep"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    found = read_results(folder)
    best = found.best(N_BEST)
    n_flagged = sum(item.is_flagged(found.objective) for item in best)
    mean = np.mean([found.values[item.molecule_id] for item in best])
    return float(mean), n_flagged, found.objective.sign


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(42, 52)))
    parser.add_argument("--names", nargs="+", default=QUANTITIES)
    arguments = parser.parse_args()
    unsure = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.names:
            means, n_flagged = {}, {}
            began_s = time.perf_counter()
            for policy in (DEFAULT, *OTHERS):
                folders = [Path(scratch) / f"{name}-{policy}-{seed}" for seed in arguments.seeds]
                rows = [
                    best_ten(name, policy, seed, arguments.simulations, folder)
                    for seed, folder in zip(arguments.seeds, folders, strict=True)
                ]
                means[policy], sign = np.array([mean for mean, *_ in rows]), rows[0][2]
                n_flagged[policy] = sum(n for _, n, _ in rows)
            print(
                f"{'largest' if sign > 0 else 'smallest'} {name}: {arguments.simulations} "
                f"simulations, {len(arguments.seeds)} seeds, the mean of the best ten in eV "
                f"({time.perf_counter() - began_s:.0f} s)"
            )
            told = f"{n_flagged[DEFAULT]} flagged"
            print(f"{DEFAULT:10} {means[DEFAULT].mean():8.3f}, {told}", flush=True)
            for policy in OTHERS:
                ahead = sign * (means[DEFAULT] - means[policy])
                one = mean_interval(ahead[:, None])
                low, high = one.low[0], one.high[0]
                told = (
                    f"{n_flagged[policy]} flagged ({one.mean[0]:+.3f}, {low:+.3f} to {high:+.3f})"
                )
                print(f"{policy:10} {means[policy].mean():8.3f}, {told}", flush=True)
                if not low > 0:
                    unsure.append(f"{name}, {policy}")
    if unsure:
        sys.exit(f"not surely better: {'; '.join(unsure)}")


if __name__ == "__main__":
    main()
