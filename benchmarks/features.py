"""What descriptors and models cost and find: `python benchmarks/features.py`.

Replays the search over 19,798 molecules of QM9 whose values are known (the table qm9-ie-20k): 8
random molecules, then batches of four, up to 200. Printed is the share of the 100 best molecules
that was found on the way, the mean over seeds.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import csv
import gzip
import time

import joblib
import numpy as np
from rdkit.Chem import rdMolDescriptors

from molloop.library.features import DESCRIPTORS, MorganSpec, Scaling, morgan
from molloop.replay.table import locate
from molloop.search.acquisition import ACQUISITIONS, Circumstances
from molloop.search.batch import choose
from molloop.search.policy import policy_named
from molloop.smiles import read_molecule
from molloop.surrogate.registry import model_class

TABLE = locate("qm9-ie-20k")
N_INITIAL, BATCH_SIZE, N_TOTAL = 8, 4, 200
CHECKPOINTS = (24, 48, 100, 200)
N_TOP = 100
N_CANDIDATES = 256
ALL = tuple(rdMolDescriptors.Properties.GetAvailableProperties())
SHAPE = {"kappa2", "kappa3", "Phi"}
CRIPPEN = {"CrippenClogP", "CrippenMR"}
SETS = {
    "all of RDKit's": ALL,
    "molloop's": DESCRIPTORS,
    "without Crippen's": tuple(name for name in DESCRIPTORS if name not in CRIPPEN),
    "without acceptors": tuple(name for name in DESCRIPTORS if name != "NumHBA"),
    "without shape": tuple(name for name in DESCRIPTORS if name not in SHAPE),
}


def replay(policy, features, values, seed):
    """Share of the best molecules among the first n simulated, for each checkpoint."""
    rng = np.random.default_rng(seed)
    top = set(np.argsort(-values)[:N_TOP].tolist())
    tried = rng.permutation(len(values))[:N_INITIAL].tolist()
    while len(tried) < N_TOTAL:
        model = model_class(policy.model).fit(features[tried], values[tried], rng)
        acquisition = ACQUISITIONS[policy.acquisition]
        given = Circumstances(np.arange(len(values)), float(values[tried].max()))
        score = acquisition(*model.predict(features), given)
        score[tried] = -np.inf
        rows = np.sort(np.argpartition(-score, N_CANDIDATES)[:N_CANDIDATES])
        joint = model.joint(features[rows])
        tried += rows[
            choose(joint, Circumstances(rows, given.best), acquisition, BATCH_SIZE).rows
        ].tolist()
    return [len(top & set(tried[:n])) / N_TOP for n in CHECKPOINTS]


def cost_us(names, molecules):
    properties = rdMolDescriptors.Properties(list(names))
    began_s = time.perf_counter()
    for molecule in molecules:
        properties.ComputeProperties(molecule)
    return 1e6 * (time.perf_counter() - began_s) / len(molecules)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    seeds = range(1000, 1000 + parser.parse_args().seeds)
    with gzip.open(TABLE, "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["ie_ev"]]
    smiles = [row["smiles"] for row in rows]
    targets = {
        "IE": np.array([float(row["ie_ev"]) for row in rows]),
        "-HOMO": np.array([-float(row["homo_ev"]) for row in rows]),
    }
    molecules = [read_molecule(text) for text in smiles]
    properties = rdMolDescriptors.Properties(list(ALL))
    table = np.array([properties.ComputeProperties(one) for one in molecules], dtype=np.float32)

    def scaled(names):
        columns = table[:, [ALL.index(name) for name in names]]
        return Scaling(columns.mean(axis=0, dtype=float), columns.std(axis=0, dtype=float)).apply(
            columns
        )

    cases = [(f"gp, {label}", "gp", scaled(names), names) for label, names in SETS.items()]
    cases += [(name, name, scaled(DESCRIPTORS), DESCRIPTORS) for name in ("ridge", "forest")]
    cases += [("published", "published", morgan(molecules, MorganSpec()), ())]
    headings = " ".join(f"{n:>5}" for n in CHECKPOINTS)
    print(f"top {N_TOP} of {len(smiles):,}, {len(seeds)} seeds; after simulations:")
    print(f"{'':24} {'number':>6} {'µs':>5}   IE: {headings}   -HOMO: {headings}")
    for label, name, features, names in cases:
        fresh = [read_molecule(text) for text in smiles[:3000]]
        cost = f"{cost_us(names, fresh):.0f}" if names else "-"
        shares = []
        for values in targets.values():
            task = joblib.delayed(replay)
            found = joblib.Parallel(2)(
                task(policy_named(name), features, values, seed) for seed in seeds
            )
            shares.append(" ".join(f"{share:5.3f}" for share in np.mean(found, axis=0)))
        print(
            f"{label:24} {len(names) or '-':>6} {cost:>5}       {shares[0]}           {shares[1]}",
            flush=True,
        )


if __name__ == "__main__":
    main()
