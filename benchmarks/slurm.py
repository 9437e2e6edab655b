"""A real Slurm of three nodes on this machine: `python benchmarks/slurm.py` (as root).

Printed are the seconds from `molloop run` on a login node to the first outcome in the store, and
those from a node's death to its molecules' running on another one; with each, the same campaign on
this machine alone, or what was lost. It wants the packages slurmctld, slurmd, slurm-client, munge.
"""

import argparse
import contextlib
import csv
import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "system"))
from private_slurm import Slurm, expand, missing

from molloop.errors import StoreError
from molloop.replay.table import locate
from molloop.simulate.outcome import Success
from molloop.store.reader import Reader

FIRST_S, ELSEWHERE_S, DIFFERENCE_EV = 15.0, 30.0, 1e-6
N_MOLECULES = 100
SLOW_S = 2.0
SIMULATOR = """
import os, time
from molloop.simulate.outcome import Success
def simulate(smiles):
    with open(os.environ["MOLLOOP_BENCH_NOTES"], "a") as notes:
        notes.write(f"{time.time()} {os.environ['SLURMD_NODENAME']} {smiles}\\n")
    time.sleep(%s)
    return Success(float(len(smiles)))
"""


class Bench:
    """Runs campaigns in a folder."""

    def __init__(self, folder, slurm):
        self.folder, self.slurm = folder, slurm
        self.notes = folder / "notes"
        self.library = folder / "some.csv"
        with gzip.open(locate("qm9-ie-20k"), "rt", newline="") as file:
            smiles = [row["smiles"] for row in csv.DictReader(file)]
        step = len(smiles) // N_MOLECULES
        self.library.write_text("\n".join(["smiles", *smiles[::step]]) + "\n")
        (folder / "notes_it.py").write_text(SIMULATOR % SLOW_S)

    def start(self, name, *words):
        environment = os.environ | self.slurm.environment
        environment |= {"PYTHONPATH": str(self.folder), "MOLLOOP_BENCH_NOTES": str(self.notes)}
        command = [sys.executable, "-m", "molloop", "run", "--library", self.library]
        return subprocess.Popen(
            [*map(str, command), "--run-dir", str(self.folder / name), *map(str, words)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def simulated(self, name):
        with (
            contextlib.suppress(StoreError),
            contextlib.closing(Reader.read(self.folder / name / "campaign.sqlite")) as store,
        ):
            return store.simulated()
        return []

    def wait_for(self, name, n, process):
        while len(self.simulated(name)) < n:
            if process.poll() is not None:
                sys.exit(f"it has ended: {process.stderr.read()}")
            time.sleep(0.05)


def finish(process):
    _, stderr = process.communicate()
    if process.returncode:
        sys.exit(f"it fails: {stderr}")


def on_slurm(*settings):
    given = ("site.name=slurm", "site.workers=1", "site.nodes=2", *settings)
    return [word for one in given for word in ("--set", one)]


def first_outcomes(bench, n_runs):
    """Return the seconds to the first outcome of runs of each kind, and what they found."""
    kinds = {"local": ("--workers", 2), "slurm": on_slurm()}
    plain = ("--schedule", "batch", "--max-training-count", 20)
    seconds, found = {kind: [] for kind in kinds}, []
    for number in range(n_runs):
        for kind, words in kinds.items():
            name = f"{kind}-{number}"
            began_s = time.monotonic()
            process = bench.start(name, *plain, *words)
            bench.wait_for(name, 1, process)
            seconds[kind].append(time.monotonic() - began_s)
            finish(process)
            found.append(
                {
                    one.molecule_id: one.outcome.value
                    for one in bench.simulated(name)
                    if isinstance(one.outcome, Success)
                }
            )
    return seconds, found


def elsewhere(bench, number):
    """Kill the second node of two; return the seconds until its molecules began on the other."""
    bench.notes.unlink(missing_ok=True)
    name = f"lost-{number}"
    own = ("property.simulator=notes_it:simulate", "property.name=length", "property.unit=letters")
    words = ("--max-training-count", 30, *on_slurm(*own))
    process = bench.start(name, *words)
    bench.wait_for(name, 6, process)
    nodes = bench.slurm.call("squeue", "-h", "-t", "R", "-o", "%N")
    node = max(expand(nodes))
    killed_s = time.time()
    bench.slurm.kill_node(node)
    finish(process)
    bench.slurm.start_node(node)
    bench.slurm.wait_for_nodes((node,))
    lines = [line.split() for line in bench.notes.read_text().splitlines()]
    cut_off = {
        smiles
        for began_s, where, smiles in lines
        if where == node and float(began_s) > killed_s - SLOW_S
    }
    again = {
        smiles: float(began_s) - killed_s
        for began_s, _, smiles in lines
        if smiles in cut_off and float(began_s) > killed_s
    }
    return again, cut_off


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    if what := missing():
        sys.exit(what)
    wrong = []
    with tempfile.TemporaryDirectory() as scratch:
        (folder := Path(scratch) / "slurm").mkdir()
        slurm = Slurm(folder)
        try:
            slurm.start()
            bench = Bench(Path(scratch), slurm)
            finish(bench.start("build", "--max-training-count", 9, "--workers", 2))
            seconds, found = first_outcomes(bench, arguments.runs)
            for kind, some in seconds.items():
                largest = max(some)
                print(
                    f"{kind}: `molloop run` to the first outcome, {len(some)} runs: "
                    f"{statistics.median(some):.1f} s, at most {largest:.1f} s",
                    flush=True,
                )
                wrong += [f"{kind}: {largest:.1f} s"] * (largest > FIRST_S)
            apart_ev = max(abs(one[key] - found[0][key]) for one in found for key in found[0])
            print(f"the same {len(found[0])} molecules, values apart by {apart_ev:.1g} eV")
            wrong += ["other molecules"] * any(one.keys() != found[0].keys() for one in found)
            wrong += ["other values"] * (apart_ev > DIFFERENCE_EV)
            for number in range(arguments.runs):
                again, cut_off = elsewhere(bench, number)
                latest_s = max(again.values(), default=float("inf"))
                print(
                    f"a node is lost with {len(cut_off)} molecule(s): running on the other one "
                    f"after {latest_s:.1f} s",
                    flush=True,
                )
                wrong += ["some never ran again"] * (again.keys() != cut_off)
                wrong += [f"{latest_s:.1f} s"] * (latest_s > ELSEWHERE_S)
        finally:
            slurm.stop()
    if wrong:
        sys.exit(f"missed: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
