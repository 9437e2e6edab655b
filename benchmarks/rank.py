"""QM9 built and ranked, measured: `python benchmarks/rank.py`.

First the library is built in an empty cache, and opened again; then come the nearest neighbours
against scikit-learn's, on one thread of this process, features ready: predictions for the whole
library. Last are whole rankings through Parsl, its dispatch included, with two workers: train on
200 values, scan, choose a batch of four; with `--failures N` also where N molecules have failed.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import contextlib
import csv
import gzip
import itertools
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from rdkit import Chem
from sklearn.neighbors import KNeighborsRegressor

from molloop.campaign.engine import RankRequest
from molloop.execution.parsl_config import parsl_config
from molloop.execution.parsl_engine import ParslEngine
from molloop.execution.site import Site
from molloop.library.features import identity_hash
from molloop.library.ingest import open_or_build
from molloop.library.shard import Shard
from molloop.replay.table import locate
from molloop.search.policy import policy_named
from molloop.search.training import Training
from molloop.smiles import read_molecule
from molloop.surrogate.knn import KNearestNeighbors
from molloop.surrogate.registry import MODELS, RANDOM

TABLE = locate("qm9-ie-20k")
N_POINTS = 200
N_WORKERS = 2
BATCH_SIZE = 4
REPEATS = 21


def known_values(library, n):
    """Ids and IEs (eV) of n molecules of the table."""
    with gzip.open(TABLE, "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["ie_ev"]][:n]
    hashes = [identity_hash(Chem.MolToSmiles(read_molecule(row["smiles"]))) for row in rows]
    ids = library.find(hashes)
    return [ids[key] for key in hashes], np.array([float(row["ie_ev"]) for row in rows])


def seconds_of(function, repeats):
    times = []
    for _ in range(repeats):
        began_s = time.perf_counter()
        function()
        times.append(time.perf_counter() - began_s)
    return statistics.median(times)


def compare_neighbours(library):
    packed = np.concatenate([Shard(ref).fingerprints for ref in library.shards])
    bits = np.unpackbits(packed, axis=1, bitorder="little").astype(bool)
    print("predictions for QM9, one thread   scikit-learn      molloop      ratio")
    for n in (24, 200, 1000):
        ids, values = known_values(library, n)
        reference = KNeighborsRegressor(4, weights="distance", metric="jaccard", n_jobs=1)
        reference.fit(bits[ids], values)
        model = KNearestNeighbors(packed[ids], values)
        reference_s = seconds_of(lambda model=reference: model.predict(bits), 3 if n < 1000 else 1)
        ours_s = seconds_of(lambda model=model: model.predict(packed), 5)
        print(
            f"  knn, {n:5} training points      {reference_s:9.3f} s  {ours_s:9.4f} s"
            f"  {reference_s / ours_s:7.1f} x"
        )


def rank_whole(library, n_failed):
    ids, values = known_values(library, N_POINTS + n_failed)
    known, failed = dict(zip(ids[:N_POINTS], values, strict=False)), ids[N_POINTS:]
    print(
        f"whole rankings of QM9: {N_WORKERS} workers, {N_POINTS} points, a batch of {BATCH_SIZE}; "
        f"median of {REPEATS}"
    )
    with tempfile.TemporaryDirectory() as scratch:
        engine = ParslEngine(
            parsl_config(Site(workers=N_WORKERS), Path(scratch) / "parsl"),
            Path(scratch) / "scratch",
            60,
        )
        numbers = itertools.count(1)

        def ranked_s(policy, training):
            number, began_s = next(numbers), time.perf_counter()
            engine.rank(
                RankRequest(number, policy, training, library.shards, BATCH_SIZE, (42, number))
            )
            while not engine.wait(1.0):
                pass
            return time.perf_counter() - began_s

        with contextlib.closing(engine):
            for name in (one for one in MODELS.own if one != RANDOM):
                policy = policy_named(name)
                cases = {name: Training.of(library, policy.features, known)}
                if failed and policy.learns_failures:
                    cases[f"{name}, {n_failed} failed"] = Training.of(
                        library, policy.features, known, failed=failed
                    )
                # in turn; the first two import the model on the workers
                rounds = [
                    [ranked_s(policy, one) for one in cases.values()] for _ in range(REPEATS + 2)
                ][2:]
                for case, times in zip(cases, zip(*rounds, strict=True), strict=True):
                    median_s = statistics.median(times)
                    print(f"  {case:20} {median_s:7.3f} s  (largest {max(times):.3f} s)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--failures", type=int, default=0)
    n_failed = parser.parse_args().failures
    with tempfile.TemporaryDirectory() as cache:

        def opened():
            return open_or_build("qm9", cache_dir=Path(cache), n_processes=N_WORKERS)

        built_s, opened_s = seconds_of(opened, 1), seconds_of(opened, 5)
        print(
            f"QM9: built in {built_s:.1f} s with {N_WORKERS} processes, opened in {opened_s:.4f} s"
        )
        library = opened()
        compare_neighbours(library)
        rank_whole(library, n_failed)


if __name__ == "__main__":
    main()
