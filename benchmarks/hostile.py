"""Hostile input to one worker: `python benchmarks/hostile.py`.

Fuzzed SMILES, valid but absurd molecules, chains of 500 atoms, empty strings, other scripts: one
outcome each, the worker alive at the end, its memory flat.
"""

import argparse
import string
import time
from collections import Counter

import numpy as np
import psutil

from molloop import Settings, open_library
from molloop.molecule import Molecule
from molloop.sandbox.worker import run_group
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.task import SimulationTask

TASK = SimulationTask(SimulationProtocol(timeout_s=20.0, memory_limit_gib=2.0))
ABSURD = [
    "", " ", "\n", "\x00", "C\x00C", "π", "水", "C" * 500, "C" * 10_000, "c1ccccc1" * 200,
    "(" * 5000, "[" * 300, "C1" * 60, "[H][H]", "[H]", "[H+]", "[He]", "[Og]", "[U]", "[Fe+10]",
    "[C-4]", "[C+4]", "*", "[*]C", "C~C", "[Na+].[Cl-]", "O=[Cl](=O)(=O)O", "FS(F)(F)(F)(F)F",
    "[Xe](F)(F)(F)(F)(F)F", "C#C#C", "[O][O]", "N#N", "[C]", "[CH2]", "[N](C)(C)C",
    "B1B2B3B1B23", "C12C3C4C1C5C2C3C45", "P12P3P1P23", "C1CC1C1CC1C1CC1C1CC1C1CC1", "[Li]C",
    "[Mg]", "[Cu]C", "[Hg](C)C", "S1SSSSSSS1", "FC(F)(F)C(F)(F)F", "[NH4+]", "[O-]C=O", "[O-2]",
    "C[N+](C)(C)C", "[SiH3][SiH3]", "Br[Br]Br", "I[I-]I", "O=O", "[N]=O",
]  # fmt: skip
ALPHABET = "CNOPSFBIclnos[]()=#+-1234567890@/\\.%H*:" + string.whitespace


def fuzzed(rng, library, n):
    """Yield real SMILES with letters changed, cut, doubled, and plain noise."""
    for number in range(n):
        kind = number % 4
        if kind == 0:
            yield ABSURD[int(rng.integers(len(ABSURD)))]
        elif kind == 1:
            yield "".join(rng.choice(list(ALPHABET), int(rng.integers(1, 40))))
        else:
            letters = list(library.smiles(int(rng.integers(library.n_molecules))))
            for _ in range(int(rng.integers(1, 4))):
                place = int(rng.integers(len(letters)))
                letters[place : place + 1] = rng.choice(list(ALPHABET), int(rng.integers(0, 3)))
                letters = letters or ["C"]
            yield "".join(letters)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=10_000)
    n = parser.parse_args().calls
    rng = np.random.default_rng(0)
    cases = [Molecule(0, text) for text in fuzzed(rng, open_library(Settings()), n)]
    worker = psutil.Process()
    counts, memory_mib, began_s = Counter(), [], time.perf_counter()
    for start in range(0, n, 100):
        group = cases[start : start + 100]
        outcomes = run_group(group, TASK).outcomes
        assert len(outcomes) == len(group)
        counts.update(getattr(outcome, "kind", "success") for outcome in outcomes)
        children = worker.children(recursive=True)
        sizes = [one.memory_info().rss / 2**20 for one in (worker, *children)]
        memory_mib.append((sizes[0], sum(sizes[1:])))
    seconds = time.perf_counter() - began_s
    print(f"{sum(counts.values())} outcomes of {n} calls in {seconds:.0f} s:")
    print(f"  {dict(counts.most_common())}")
    tenth = max(1, len(memory_mib) // 10)
    for name, series in zip(
        ("the worker", "its child and supervisor"), np.array(memory_mib).T, strict=True
    ):
        early, late = np.median(series[tenth : 2 * tenth]), np.median(series[-tenth:])
        print(f"memory of {name}: {early:.0f} MiB after a tenth, {late:.0f} MiB at the end "
              f"({late / early - 1:+.1%}), at most {series.max():.0f} MiB")  # fmt: skip


if __name__ == "__main__":
    main()
