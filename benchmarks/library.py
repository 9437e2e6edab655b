"""Libraries of growing size, built and ranked: `python benchmarks/library.py`.

Enumerates molecules from examples/scaffolds.smi and examples/substituents.smi, builds a library of
them with the command line, and ranks it with each model through Parsl, after training on 200 of its
molecules that are simulated first. Peaks are of resident memory, mapped files included.

`--other FOLDER` does so beside another checkout (`git worktree add FOLDER 8950e7c`), each with its
own code and in turn: times and processor time of all processes for a build, and for a process that
ranks with `gp`, its start and that of Parsl included. Exit code 1 where SMILES, hashes or features
differ, or a limit is missed.
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
from rdkit import Chem
from rdkit.Chem import Crippen

from molloop import simulate_molecules
from molloop.campaign.engine import RankRequest
from molloop.execution.parsl_config import parsl_config
from molloop.execution.parsl_engine import ParslEngine
from molloop.execution.site import Site
from molloop.library.features import identity_hash
from molloop.library.shards import Library
from molloop.search.policy import policy_named
from molloop.search.training import Training
from molloop.simulate.outcome import Success
from molloop.smiles import read_molecule
from molloop.surrogate.registry import MODELS, RANDOM

POLICIES = {name: policy_named(name) for name in MODELS.own if name != RANDOM}
ROOT = Path(__file__).parent.parent
N_POINTS = 200
N_WORKERS = 2
REPEATS = 3
SAMPLE_S = 0.1
LEAST_FASTER = {"build": 2.0, "build and ranking": 1.6}  # than commit 8950e7c
MOST_DRIVER_MB = 500
SAME_COLUMNS = ("smiles", "fingerprint", "identity_hash")
RANK_ONCE = """
import library, pathlib, sys
library.POLICIES, library.REPEATS = {"gp": library.POLICIES["gp"]}, 1
library.rank(*map(pathlib.Path, sys.argv[1:]))
"""


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


def timed(command, tree=ROOT):
    """Run a command with the code of a checkout: seconds, processor seconds, peaks in MB.

    Processor time is that of all its processes, peaks are those of itself and of its workers.
    """
    paths = os.pathsep.join([str(tree / "src"), str(tree / "benchmarks")])
    began_s, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
    )
    with PeakMemory(process.pid) as memory:
        process.wait()
    assert process.returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began_s, cpu_s, memory.own, memory.workers


def build(n, folder, tree=ROOT):
    """Build with the command line of a checkout."""
    lists = [ROOT / "examples" / f"{name}.smi" for name in ("scaffolds", "substituents")]
    command = ["-m", "molloop", "library", "enumerate", *lists, "--out", folder]
    return timed([*command, "--max-molecules", n], tree)


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


def batches_of(folder):
    """Return the columns of a library, shard by shard."""
    for path in sorted(folder.glob("shard-*.arrow")):
        yield pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)


def are_the_same(*folders):
    """Tell whether libraries are the same bit for bit, in the descriptors that both have."""
    tables = [pa.Table.from_batches(batches_of(folder)) for folder in folders]
    if not tables[0].select(SAME_COLUMNS).equals(tables[1].select(SAME_COLUMNS)):
        return False
    named = []
    for folder, table in zip(folders, tables, strict=True):
        manifest = json.loads((folder / "manifest.json").read_text())
        names = [one["name"] for one in manifest["descriptors"]]
        flat = table.column("descriptors").combine_chunks().flatten().to_numpy()
        named.append(dict(zip(names, flat.reshape(-1, len(names)).T, strict=True)))
    common = named[0].keys() & named[1].keys()
    return bool(common) and all(np.array_equal(named[0][one], named[1][one]) for one in common)


def write_log_p(folder, path):
    """Write values that take no time to compute, of the first molecules of a library."""
    smiles = next(batches_of(folder)).column("smiles")[:N_POINTS].to_pylist()
    values = {one: Crippen.MolLogP(Chem.MolFromSmiles(one)) for one in smiles}
    path.write_text(json.dumps(values))


def beside(other, n, rounds, folder):
    """Build and rank in turn with this checkout and another one; print what is found, and judge."""
    trees = {"this": ROOT, "other": other.resolve()}
    known_path = folder / "known.json"
    builds, rankings = ({name: [] for name in trees} for _ in range(2))
    missed = set()
    for number in range(rounds):
        for name in list(trees)[:: 1 if number % 2 else -1]:
            shutil.rmtree(folder / name, ignore_errors=True)
            builds[name].append(build(n, folder / name, trees[name]))
            if not known_path.exists():
                write_log_p(folder / name, known_path)
            words = ["-c", RANK_ONCE, folder / name, known_path]
            rankings[name].append(timed(words, trees[name]))
        if not are_the_same(*(folder / name for name in trees)):
            missed.add("the same libraries")
    print(f"{n:,} molecules, {N_WORKERS} processes; seconds, medians of {rounds}; peaks in MB")
    print("       build  processors    gp  processors  driver  worker (of a build)")
    for name in trees:
        built, ranked_s = (np.median(runs[name], axis=0) for runs in (builds, rankings))
        print(
            f"{name:5} {built[0]:6.1f} {built[1]:11.1f} {ranked_s[0]:5.1f} {ranked_s[1]:11.1f}"
            f" {built[2]:7.0f} {built[3]:7.0f}",
        )
    took = {name: np.array([builds[name], rankings[name]])[:, :, :2] for name in trees}
    for n_parts, (what, least) in enumerate(LEAST_FASTER.items(), start=1):
        ours, theirs = (took[name][:n_parts].sum(axis=0) for name in trees)
        wall, processor = np.median(theirs / ours, axis=0)
        print(f"{what}: {wall:.2f} times as fast, by processor time {processor:.2f}")
        if wall < least:
            missed.add(f"{what} {least} times as fast")
    if max(one[2] for one in builds["this"]) >= MOST_DRIVER_MB:
        missed.add(f"a driver below {MOST_DRIVER_MB} MB")
    if missed:
        sys.exit(f"missed: {', '.join(sorted(missed))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecules", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--folder", type=Path, help="keeps the libraries (a temporary one)")
    parser.add_argument("--other", type=Path, help="a checkout to compare with")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rank", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rank:
        return rank(*arguments.rank)
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        folder.mkdir(exist_ok=True)
        if arguments.other:
            return beside(arguments.other, arguments.molecules[0], arguments.rounds, folder)
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
