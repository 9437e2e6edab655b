"""What to try next in QM9, measured: `python benchmarks/suggest.py`.

Whole processes, from their start to their end: `molloop suggest` with 200 values and the library
built, in turns with `molloop --help` and with a Python that imports what a ranking needs.
"""

import argparse
import csv
import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from molloop import open_library
from molloop.replay.table import locate

N_POINTS = 200
N_SUGGESTED = 20
REPEATS = 11
MOLLOOP = (sys.executable, "-m", "molloop")


def write_values(path):
    """Write the first IEs (eV) of the table."""
    with gzip.open(locate("qm9-ie-20k"), "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["ie_ev"]][:N_POINTS]
    lines = [f"{row['smiles']},{row['ie_ev']}" for row in rows]
    path.write_text("\n".join(["smiles,ie_ev", *lines]) + "\n", encoding="utf-8")


def seconds_of(command):
    """Return wall time and processor time of a process."""
    before, began_s = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after, ended_s = os.times(), time.perf_counter()
    used_s = after.children_user - before.children_user
    return ended_s - began_s, used_s + after.children_system - before.children_system


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    open_library("qm9")  # at the first use of this machine it is built
    with tempfile.TemporaryDirectory() as folder:
        values = Path(folder) / "values.csv"
        write_values(values)
        given = ("suggest", "qm9", "--training-data", str(values), "-n", str(N_SUGGESTED), "-q")
        imports = "import molloop.api, molloop.search.rank"
        commands = {
            "molloop --help": (*MOLLOOP, "--help"),
            imports: (sys.executable, "-c", imports),
            "molloop suggest, gp": (*MOLLOOP, *given),
            "molloop suggest, forest": (*MOLLOOP, *given, "--policy", "forest"),
        }
        times = {name: [] for name in commands}
        for _ in range(REPEATS):
            for name, command in commands.items():
                times[name].append(seconds_of(command))
    print(f"{N_SUGGESTED} molecules of QM9 by {N_POINTS} values; medians of {REPEATS}")
    for name, pairs in times.items():
        wall_s, processor_s = (statistics.median(column) for column in zip(*pairs, strict=True))
        most_s = max(wall for wall, _ in pairs)
        print(
            f"  {name:39} {wall_s:6.2f} s  (largest {most_s:.2f} s)  processor {processor_s:.2f} s"
        )


if __name__ == "__main__":
    main()
