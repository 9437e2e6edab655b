"""What a goal, and what a diverse batch, costs a ranking: `python benchmarks/goal_ranking.py`.

QM9 is ranked in this process, on one thread, by 200 molecules with values, for a batch of four with
the default policy: train, scan every shard, choose. Cases take turns; printed is the processor time
of each, the median, and its ratio to that of one objective in the same round, with the range of the
ratios. Values are those of `data/qm9-goals.csv.gz`, which goals.py makes.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import csv
import gzip
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from rdkit import Chem

from molloop import load
from molloop.library.features import identity_hash
from molloop.library.ingest import open_or_build
from molloop.search import rank
from molloop.search.diversity import FINGERPRINTS
from molloop.search.rank import RankTask
from molloop.search.training import Training
from molloop.smiles import read_molecule

TABLE = Path(__file__).parent / "data" / "qm9-goals.csv.gz"
N_POINTS, BATCH_SIZE, REPEATS = 200, 4, 7
TWO = [{"quantity": "ie"}, {"quantity": "orbital_gap", "direction": "minimise"}]
MASS = {"quantity": "molar_mass", "high": 128.0}
DIPOLE = {"quantity": "dipole", "high": 4.0}
CASES = {
    "one objective": {"property": {"name": "ie"}},
    "one objective, 0.6 apart": {"property": {"name": "ie"}, "search": {"diversity": 0.6}},
    "two objectives": {"objectives": TWO},
    "two objectives, 0.6 apart": {"objectives": TWO, "search": {"diversity": 0.6}},
    "two, a bound on the molar mass": {"objectives": TWO, "constraints": [MASS]},
    "two, a bound on the dipole moment": {"objectives": TWO, "constraints": [DIPOLE]},
}


def known_values(library):
    """Molecule id -> row of the table, of the first ones."""
    with gzip.open(TABLE, "rt") as file:
        rows = [row for row, _ in zip(csv.DictReader(file), range(N_POINTS), strict=False)]
    hashes = [identity_hash(Chem.MolToSmiles(read_molecule(row["smiles"]))) for row in rows]
    ids = library.find(hashes)
    return {ids[one]: row for one, row in zip(hashes, rows, strict=True) if one in ids}


def training_for(library, policy, goal, rows):
    """Return what a ranking of a goal learns from; the values that are known are the library's."""
    columns = [
        [sign * library.known(one.descriptor, key) for key in rows]
        if one.descriptor
        else [sign * float(row[one.column]) for row in rows.values()]
        for one, sign in zip(goal.quantities, goal.signs, strict=True)
    ]
    plain = dict(zip(rows, columns[0], strict=True))
    training = Training.of(library, policy.features, plain)
    training = replace(training, pending_fingerprints=library.features(FINGERPRINTS, []))
    return training if goal.is_plain else replace(training, values=np.array(columns).T)


def processor_s(task, library, training):
    """Return the processor time of a ranking."""
    with tempfile.TemporaryDirectory() as folder:
        task = replace(task, folder=Path(folder))
        training.write(task.training)
        began_s = time.process_time()
        assert len(rank.rank(task, library.shards).ids) == BATCH_SIZE
        return time.process_time() - began_s


def main():
    with tempfile.TemporaryDirectory() as cache:
        library = open_or_build("qm9", cache_dir=Path(cache), n_processes=2)
        rows, cases = known_values(library), {}
        for name, sections in CASES.items():
            settings = load(**sections)
            goal, policy = settings.goal(), settings.policy()
            task = RankTask(Path(), policy, BATCH_SIZE, (42, 1), goal.wider)
            cases[name] = task, library, training_for(library, policy, goal, rows)
        rounds = [[processor_s(*one) for one in cases.values()] for _ in range(REPEATS + 1)][1:]
    print(f"rankings of QM9, {len(rows)} values, a batch of {BATCH_SIZE}; median of {REPEATS}")
    for place, name in enumerate(cases):
        ratios = sorted(row[place] / row[0] for row in rounds)
        median_s = statistics.median(row[place] for row in rounds)
        told = f"{statistics.median(ratios):5.2f} x  ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(f"  {name:36} {median_s:6.3f} s  {told}")


if __name__ == "__main__":
    main()
