"""This checkout beside another one, in turn: `python benchmarks/beside.py --other FOLDER`.

FOLDER is a checkout of another commit (`git worktree add FOLDER 8950e7c`). Each benchmark is run by
both, each with its own code, one after the other and in turn. Printed is the processor time of all
processes (median), and the median of the ratios, this one to the other. Exit code 1 where one is
more than 5% slower.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST = 1.05
MOLECULES = """
import csv, gzip, molloop
from molloop.replay.table import locate
with gzip.open(locate('qm9-ie-20k'), 'rt') as file:
    smiles = [row['smiles'] for row in csv.DictReader(file)][:4000:40]
assert len(list(molloop.simulate_molecules(smiles))) == 100
"""
CASES = {
    "dispatch": ("benchmarks/dispatch.py", "--tasks", "20000", "--molecules", "100000"),
    "virtual": ("benchmarks/virtual.py", "--workers", "1024", "--per-worker", "20"),
    "rank": ("benchmarks/rank.py",),
    "simulate": ("-c", MOLECULES),
    "import": ("-c", "import molloop"),
    "help": ("-m", "molloop", "--help"),
}


def processor_s(folder, words, scratch):
    """Return the processor time of a command and its children, by the code of a folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    paths = (folder / "src", folder / "benchmarks")
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths)), "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        check=False,
    )
    # the limits of a benchmark itself are for more than is run here
    if done.returncode and not done.stderr.startswith("missed"):
        raise SystemExit(f"{folder}: {words[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--other", type=Path, required=True)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    slower = []
    print(f"{'':10} this (s)  other (s)  ratio (median, least, most)")
    for name in arguments.cases:
        pairs = []
        for number in range(arguments.rounds):
            trees = [ROOT, arguments.other.resolve()]
            order = trees if number % 2 else trees[::-1]
            with tempfile.TemporaryDirectory() as scratch:
                took_s = {tree: processor_s(tree, CASES[name], scratch) for tree in order}
            pairs.append([took_s[tree] for tree in trees])
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratios = sorted(one / other for one, other in pairs)
        ratio = statistics.median(ratios)
        told = f"{ratio:.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"
        print(f"{name:10} {ours:8.2f}  {theirs:9.2f}  {told}", flush=True)
        slower += [name] if ratio > MOST else []
    if slower:
        raise SystemExit(f"more than 5% slower: {', '.join(slower)}")


if __name__ == "__main__":
    main()
