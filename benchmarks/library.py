"""Libraries of growing size, built and ranked: `python benchmarks/library.py`.

Enumerates molecules from examples/scaffolds.smi and examples/substituents.smi, builds a library of
them with the command line, and ranks it with each model through Parsl, after training on 200 of its
molecules that are simulated first. Peaks are of resident memory, mapped files included.
"""

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from rdkit import Chem

from molloop import simulate_molecules
from molloop.campaign.engine import RankRequest
from molloop.execution.parsl_config import parsl_config
from molloop.execution.parsl_engine import ParslEngine
from molloop.execution.site import Site
from molloop.library.features import identity_hash
from molloop.library.shards import Library
from molloop.search.policy import policy_named
from molloop.search.rank import Training
from molloop.simulate.outcome import Success
from molloop.smiles import read_molecule
from molloop.surrogate.registry import MODELS, RANDOM

POLICIES = {name: policy_named(name) for name in MODELS.own if name != RANDOM}
EXAMPLES = Path(__file__).parent.parent / "examples"
N_POINTS = 200
N_WORKERS = 2
REPEATS = 3
SAMPLE_S = 0.1


class PeakMemory:
    """Watches the resident memory of a process, and of its workers, in MB.

    Workers are its descendants, or those of the Parsl pool whose command names a folder: that one
    is started by a shell that ends.
    """

    def __init__(self, pid, pool_folder=None):
        self.own = self.workers = 0
        self._process = psutil.Process(pid)
        self._pool_folder = str(pool_folder)
        self._pools = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _watch(self):
        while not self._end.wait(SAMPLE_S):
            with contextlib.suppress(psutil.Error):
                self.own = max(self.own, self._peak(self._process.pid))
                roots = [self._process] if self._pool_folder == "None" else self._find_pools()
                family = [one for root in roots for one in root.children(recursive=True)]
                self.workers = max([self.workers, *(self._peak(one.pid) for one in family)])

    def _find_pools(self):
        if not self._pools:
            self._pools = [
                one
                for one in psutil.process_iter()
                if "parsl_pool" in (line := " ".join(one.cmdline()))
                and self._pool_folder in line
                and "bash" not in line
            ]
        return self._pools

    @staticmethod
    def _peak(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) // 1024
        return 0


def build(n, folder):
    """Build with the command line; return seconds, CPU seconds, peaks of it and of its workers."""
    lists = [EXAMPLES / "scaffolds.smi", EXAMPLES / "substituents.smi"]
    command = [sys.executable, "-m", "molloop", "library", "enumerate", *lists, "--out", folder]
    began_s, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        [*map(str, command), "--max-molecules", str(n)], stdout=subprocess.DEVNULL
    )
    with PeakMemory(process.pid) as memory:
        process.wait()
    assert process.returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began_s, cpu_s, memory.own, memory.workers


def known_values(library):
    """Simulate molecules of the smallest library: SMILES and values of 200 that have one."""
    rng = np.random.default_rng(1)
    known = {}
    for key in rng.permutation(library.n_molecules):
        smiles = library.smiles(int(key))
        [outcome] = simulate_molecules([smiles])
        if isinstance(outcome, Success):
            known[smiles] = outcome.value
        if len(known) == N_POINTS:
            return known
    raise AssertionError("too few values")


def rank(folder, known_path):
    """Rank in this process and two workers: print a JSON object a model."""
    library = Library(folder)
    values = json.loads(known_path.read_text())
    hashes = {identity_hash(Chem.MolToSmiles(read_molecule(text))): text for text in values}
    known = {key: values[hashes[one]] for one, key in library.find(hashes).items()}
    with tempfile.TemporaryDirectory() as scratch, PeakMemory(os.getpid(), scratch) as memory:
        config = parsl_config(Site(workers=N_WORKERS), Path(scratch) / "parsl")
        engine = ParslEngine(config, Path(scratch) / "scratch", 60)
        with contextlib.closing(engine):
            number = 0
            for name, policy in POLICIES.items():
                seconds = []
                for _ in range(REPEATS + 1):
                    number += 1
                    training = Training.of(library, policy.features, known)
                    began_s = time.perf_counter()
                    engine.rank(
                        RankRequest(number, policy, training, library.shards, 4, (42, number))
                    )
                    while not engine.wait(1.0):
                        pass
                    seconds.append(time.perf_counter() - began_s)
                # the first also reads the shards from disk and imports the model
                print(json.dumps({"policy": name, "seconds": statistics.median(seconds[1:])}))
    print(json.dumps({"driver": memory.own, "worker": memory.workers}))


def ranked(folder, known_path):
    """Rank in a process of its own; return seconds by policy, and peaks."""
    command = [sys.executable, __file__, "--rank", str(folder), str(known_path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    *models, peaks = map(json.loads, done.stdout.splitlines())
    return {one["policy"]: one["seconds"] for one in models}, peaks


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecules", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--folder", type=Path, help="keeps the libraries (a temporary one)")
    parser.add_argument("--rank", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rank:
        return rank(*arguments.rank)
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        folder.mkdir(exist_ok=True)
        known_path = folder / "known.json"
        headings = (
            "molecules",
            "build",
            "its CPU",
            "driver",
            "worker",
            "disk",
            *POLICIES,
            "driver",
            "worker",
        )
        print(
            f"{N_WORKERS} processes; peaks in MB, disk in bytes a molecule, times in µs a molecule"
        )
        print(" ".join(f"{name:>10}" for name in headings))
        for n in arguments.molecules:
            built_s, cpu_s, driver, worker = build(n, folder / f"library-{n}")
            library = Library(folder / f"library-{n}")
            if not known_path.exists():
                known_path.write_text(json.dumps(known_values(library)))
            seconds, peaks = ranked(library.folder, known_path)
            count = library.n_molecules
            disk = sum(Path(ref.path).stat().st_size for ref in library.shards) / count
            times = [
                1e6 * built_s / count,
                1e6 * cpu_s / count,
                *(1e6 * one / count for one in seconds.values()),
            ]
            cells = [f"{count:,}", *(f"{one:.0f}" for one in times[:2]), driver, worker]
            cells += [f"{disk:.0f}", *(f"{one:.2f}" for one in times[2:])]
            print(" ".join(f"{cell!s:>10}" for cell in [*cells, *peaks.values()]), flush=True)
    return None


if __name__ == "__main__":
    main()
