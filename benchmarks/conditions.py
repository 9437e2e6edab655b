"""Conditions on a library, measured: `python benchmarks/conditions.py --molecules 1000000`.

An enumerated library is built. Then conditions on columns are counted; the library is ranked
without conditions, with these and with one that nearly all meet, in turn, in this process and on
one thread. On a library of 10,000 at most, conditions on structures are computed beside RDKit's own
parse and match of the same molecules, both in one process, by processor time; and what was computed
is used again.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import shutil
import statistics
import tempfile
import time
from pathlib import Path

import joblib  # noqa: F401 - loading it is not measured
import numpy as np
from rdkit import Chem

import molloop
from molloop.library.conditions import Conditions, DescriptorRange, each_of
from molloop.library.descriptors import DESCRIPTORS
from molloop.library.manifest import CONDITIONS
from molloop.library.selection import select, shards_of
from molloop.library.shard import Shard
from molloop.search.policy import policy_named
from molloop.search.rank import RankTask, rank
from molloop.search.training import Training

EXAMPLES = Path(__file__).parents[1] / "examples"
N_POINTS = 200
BATCH_SIZE = 4
REPEATS = 5
MOST_STRUCTURES = 10_000
ON_COLUMNS = Conditions(
    min_heavy_atoms=10,
    max_heavy_atoms=24,
    elements=("C", "F", "N", "O"),
    charge=(0,),
    max_molar_mass=350.0,
    max_rings=3,
    descriptors=(DescriptorRange("CrippenClogP", -1.0, 4.0), DescriptorRange("tpsa", max=90.0)),
)
ON_STRUCTURES = {
    "SMARTS": Conditions(excluded_smarts=("[N+](=O)[O-]",)),
    "PAINS": Conditions(excluded_catalogues=("PAINS",)),
    "synthetic accessibility": Conditions(max_synthetic_accessibility=4.0),
}


def enumerated(folder, n_molecules):
    sources = EXAMPLES / "scaffolds.smi", EXAMPLES / "substituents.smi"
    return molloop.enumerate_library(*sources, folder, n_molecules)


def selected(library, conditions):
    return select(library, each_of(conditions), Path("/nowhere"))


def seconds_of(function, clock=time.perf_counter):
    began_s = clock()
    result = function()
    return clock() - began_s, result


def forget(library):
    shutil.rmtree(library.folder / CONDITIONS, ignore_errors=True)


def forget_selections(library):
    for path in (library.folder / CONDITIONS).glob("*.arrow"):
        path.unlink()


def count_columns(library):
    times = []
    for _ in range(REPEATS):
        forget(library)
        seconds, found = seconds_of(lambda: selected(library, ON_COLUMNS))
        times.append(seconds)
    print(
        f"{library.n_molecules:,} molecules, {len(each_of(ON_COLUMNS))} conditions on columns: "
        f"counted in {statistics.median(times):.3f} s, {found.n_left:,} meet them"
    )
    return found


def nearly_all(library):
    """Return a condition that 95% of the first molecules meet."""
    masses = Shard(library.shards[0]).descriptors[:, DESCRIPTORS.index("amw")]
    return Conditions(max_molar_mass=float(np.percentile(masses, 95)))


def compare_rankings(library, some, most):
    rng = np.random.default_rng(0)
    ids = rng.choice(library.n_molecules, N_POINTS, replace=False).tolist()
    known = dict(zip(ids, rng.normal(size=N_POINTS), strict=True))
    print(f"rankings by {N_POINTS} values, a batch of {BATCH_SIZE}; medians of {REPEATS} in turn")
    for policy in map(policy_named, ("gp", "published", "ridge")):
        training = Training.of(library, policy.features, known)
        cases = {
            "without": library.shards,
            "some": shards_of(library, some),
            "most": shards_of(library, most),
        }
        times = {name: [] for name in cases}
        for number in range(REPEATS + 1):
            for name, shards in cases.items():
                with tempfile.TemporaryDirectory() as folder:
                    task = RankTask(Path(folder), policy, BATCH_SIZE, (42, number))
                    training.write(task.training)
                    seconds, _ = seconds_of(lambda task=task, shards=shards: rank(task, shards))
                    times[name].append(seconds)
        without_s, some_s, most_s = (statistics.median(times[name][1:]) for name in cases)
        print(
            f"  {policy.model.rpartition(':')[2]:18} {without_s:7.3f} s; of {some.n_left:,} "
            f"{some_s:.3f} s, ratio {some_s / without_s:.2f}; of {most.n_left:,} {most_s:.3f} s, "
            f"ratio {most_s / without_s:.2f}"
        )


def compare_structures(library):
    smiles = [one for ref in library.shards for one in Shard(ref).smiles.to_pylist()]
    print(f"conditions on structures, {len(smiles):,} molecules, processor time of one process")
    for name, conditions in ON_STRUCTURES.items():
        (condition,) = each_of(conditions)
        condition.compute(Chem.MolFromSmiles("CCO"))  # what it loads is not measured

        def plain(condition=condition):
            return [condition.compute(Chem.MolFromSmiles(one)) for one in smiles]

        forget(library)
        ours_s, found = seconds_of(
            lambda conditions=conditions: selected(library, conditions), time.process_time
        )
        plain_s, _ = seconds_of(plain, time.process_time)
        forget_selections(library)
        again_s, _ = seconds_of(lambda conditions=conditions: selected(library, conditions))
        print(
            f"  {name:24} RDKit's own {plain_s:8.2f} s, first time {ours_s:8.2f} s  ratio "
            f"{ours_s / plain_s:.2f}; later {again_s:.3f} s; {found.n_left:,} meet it"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecules", type=int, default=10_000, help="of the library, about")
    n_molecules = parser.parse_args().molecules
    with tempfile.TemporaryDirectory() as folder:
        library = enumerated(Path(folder) / "library", n_molecules)
        some, most = count_columns(library), selected(library, nearly_all(library))
        compare_rankings(library, some, most)
        compare_structures(enumerated(Path(folder) / "small", min(n_molecules, MOST_STRUCTURES)))


if __name__ == "__main__":
    main()
