"""The published workflow, measured: `python benchmarks/workflow.py`.

Runs the default campaign on QM9 with one and with two workers, and beside it, in the same
process, the inference of the published scripts: parse and fingerprint every molecule, then
scikit-learn's nearest neighbours, in parallel chunks, once an iteration.
"""

import argparse
import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from sklearn.neighbors import KNeighborsRegressor

from molloop import Settings, open_library, simulate_molecules
from molloop.campaign.events import Finished, Ranked, RankingBegan
from molloop.library import sources
from molloop.store.reader import Reader

PUBLISHED_EV = {
    "O": 18.293,
    "CO": 15.459,
    "NCC(F)(F)F": 15.358,
    "O=CC(=O)N1N=NN=N1": 15.283,
    "Cc1ccccc1": 13.622,
}
CHUNK = 1024


def bits(smiles):
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=4, fpSize=256)
    molecules = [Chem.MolFromSmiles(text) for text in smiles]
    return np.array([generator.GetFingerprintAsNumPy(molecule) for molecule in molecules], bool)


def infer(model, smiles):
    return model.predict(bits(smiles))


def published_iteration_s(smiles, n_points, n_workers):
    """Seconds for one training and inference the published way."""
    began_s = time.perf_counter()
    model = KNeighborsRegressor(4, weights="distance", metric="jaccard")
    model.fit(bits(smiles[:n_points]), np.linspace(12, 15, n_points))
    chunks = [smiles[start : start + CHUNK] for start in range(0, len(smiles), CHUNK)]
    joblib.Parallel(n_workers)(joblib.delayed(infer)(model, chunk) for chunk in chunks)
    return time.perf_counter() - began_s


def run(workers, run_dir):
    """Run the command; return wall seconds, events and outcomes."""
    began_s = time.perf_counter()
    command = [sys.executable, "-m", "molloop", "run", "--schedule", "batch"]
    options = ["--workers", workers, "--run-dir", run_dir]
    subprocess.run([*command, *map(str, options)], check=True, stdout=subprocess.DEVNULL)
    wall_s = time.perf_counter() - began_s
    with contextlib.closing(Reader.read(run_dir / "campaign.sqlite")) as store:
        return wall_s, store.events(), store.simulated()


def beside_simulations_s(outcomes):
    """Seconds from the last simulation of a batch to the first of the next, for each iteration."""
    batches = sorted({item.batch for item in outcomes})
    ended = {b: max(item.ended_s for item in outcomes if item.batch == b) for b in batches}
    began = {b: min(item.began_s for item in outcomes if item.batch == b) for b in batches}
    return [began[b] - ended[b - 1] for b in batches[1:]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats

    open_library(Settings())
    print(f"{os.cpu_count()} cores; medians of {repeats} runs of the default campaign on QM9")
    first_s, wall_s, beside_s, ranking_s, values = [], [], [], [], {}
    for repeat in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for workers in (1, 2):
                wall, events, outcomes = run(workers, Path(folder) / f"run-{workers}")
                values.setdefault(
                    (repeat, workers),
                    [(o.smiles, getattr(o.outcome, "value", None)) for o in outcomes],
                )
            wall_s.append(wall)
            first_s.append(next(t for t, event in events if isinstance(event, Finished)))
            beside_s += beside_simulations_s(outcomes)
            began = [t for t, event in events if isinstance(event, RankingBegan)]
            ended = [t for t, event in events if isinstance(event, Ranked)]
            ranking_s += [e - b for b, e in zip(began, ended, strict=True)]
    print(f"whole command, 24 simulations, 2 workers    {statistics.median(wall_s):7.2f} s")
    print(f"engine's start to the first outcome         {statistics.median(first_s):7.2f} s")
    print(f"training and ranking, Parsl included        {statistics.median(ranking_s):7.3f} s")
    print(
        f"an iteration beside its simulations         {statistics.median(beside_s):7.3f} s"
        f"  (largest {max(beside_s):.3f} s)"
    )
    smiles = [text for block in sources.blocks([sources.locate("qm9")]) for text in block.texts]
    with contextlib.redirect_stderr(io.StringIO()):
        reference_s = published_iteration_s(smiles, 24, 2)
    print(f"the published training and inference        {reference_s:7.2f} s")
    is_same = len(set(map(tuple, values.values()))) == 1
    print(f"one and two workers, the same bit for bit   {is_same}")

    print(f"{'SMILES':<20} {'published':>10} {'here':>10} {'difference':>10}  (eV)")
    for (text, published), outcome in zip(
        PUBLISHED_EV.items(), simulate_molecules(PUBLISHED_EV), strict=True
    ):
        print(
            f"{text:<20} {published:10.3f} {outcome.value:10.3f} {outcome.value - published:10.4f}"
        )


if __name__ == "__main__":
    main()
