"""What workers do with their time: `python benchmarks/utilisation.py`.

Runs the default configuration on QM9 with 300 simulations, with each schedule, and prints shares of
the workers' time between the first simulation and the last, the median idle time between two tasks,
and how long it took to have as many values above 15.5 eV as both have found.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from molloop import results
from molloop.campaign.engine import Work
from molloop.config.campaign import SCHEDULES
from molloop.config.load import parse
from molloop.report.utilisation import utilisation
from molloop.store.reader import Reader

THRESHOLD_EV = 15.5
LIMITS = {"busy": 0.95, "simulating": 0.80, "gap": 0.010}


def run(schedule, folder, arguments):
    """Run the command and read what it stored."""
    command = [sys.executable, "-m", "molloop", "run", "--schedule", schedule, "--run-dir", folder]
    counts = ["--max-training-count", arguments.simulations, "--seed", arguments.seed]
    options = ["--workers", arguments.workers, "--threshold", THRESHOLD_EV, *arguments.options]
    subprocess.run(
        list(map(str, [*command, *counts, *options])), check=True, stdout=subprocess.DEVNULL
    )
    with contextlib.closing(Reader.read(folder / "campaign.sqlite")) as store:
        settings = parse(store.sessions()[-1].config)
        return results.read(store, settings.objective(), settings.protocol())


def times_above_s(found):
    """When each value above the threshold was known, from the first simulation's beginning on."""
    began_s = min(task.began_s for task in found.tasks if task.work is Work.SIMULATE)
    return [item.time_s - began_s for item in found.successes if item.outcome.value > THRESHOLD_EV]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("options", nargs="*", help="further options of `molloop run`, after --")
    arguments = parser.parse_args()
    print(f"{arguments.simulations} simulations, {arguments.workers} workers; medians")
    headings = ("schedule", "busy", *(work.value for work in Work), "gap (ms)", "time (s)", "above")
    print(" ".join(f"{name:>11}" for name in headings))
    found = {}
    medians = {}
    with tempfile.TemporaryDirectory() as folder:
        for schedule in SCHEDULES:
            runs = [
                run(schedule, Path(folder) / f"{schedule}-{k}", arguments)
                for k in range(arguments.repeats)
            ]
            used = [utilisation(one.tasks) for one in runs]
            busy = statistics.median(one.busy for one in used)
            shares = [statistics.median(one.shares[work] for one in used) for work in Work]
            gap_s = statistics.median(one.median_gap_s for one in used)
            time_s = statistics.median(one.duration_s for one in used)
            above = [times_above_s(one) for one in runs]
            found[schedule] = above
            medians[schedule] = {"busy": busy, "simulating": shares[0], "gap": gap_s}
            cells = [f"{busy:.3f}", *(f"{share:.3f}" for share in shares), f"{1000 * gap_s:.1f}"]
            cells += [f"{time_s:.1f}", str(statistics.median(map(len, above)))]
            print(" ".join(f"{cell:>11}" for cell in [schedule, *cells]), flush=True)
    n = min(len(times) for runs in found.values() for times in runs)
    for schedule, runs in found.items():
        if n:
            print(
                f"{schedule}: {n} values above {THRESHOLD_EV} eV after "
                f"{statistics.median(times[n - 1] for times in runs):.1f} s"
            )
    first = medians["interleaved"]
    is_met = first["busy"] >= LIMITS["busy"] and first["simulating"] >= LIMITS["simulating"]
    if not (is_met and first["gap"] <= LIMITS["gap"]):
        sys.exit(f"interleaved misses its limits: {LIMITS}")


if __name__ == "__main__":
    main()
