"""What descriptors and models find: `python benchmarks/features.py`.

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

import joblib
import numpy as np
from rdkit.Chem import rdMolDescriptors

from molloop.library.charges import CHARGES
from molloop.library.counted import BONDS, CARBONYLS, RINGS
from molloop.library.descriptors import DESCRIPTORS, MOLLOOPS, RDKITS, descriptors
from molloop.library.features import (
    MorganSpec,
    Scaling,
    cuts,
    morgan,
)
from molloop.library.huckel import LEVELS
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
ALL_OF_RDKITS = tuple(rdMolDescriptors.Properties.GetAvailableProperties())
SHAPE = {"kappa2", "kappa3", "Phi"}
CRIPPEN = {"CrippenClogP", "CrippenMR"}
PARTS = {
    "bonds": BONDS,
    "rings": RINGS,
    "carbonyls": CARBONYLS,
    "charges": CHARGES,
    "levels": LEVELS,
}
# each as its groups: a model may learn how much a group weighs
SETS = {
    "molloop's": (RDKITS, MOLLOOPS),
    "the same, of one weight": (DESCRIPTORS,),
    **{
        f"without {what}": (RDKITS, tuple(name for name in MOLLOOPS if name not in part))
        for what, part in PARTS.items()
    },
    "RDKit's of them": (RDKITS,),
    "all of RDKit's": (ALL_OF_RDKITS,),
    "RDKit's without Crippen's": (tuple(name for name in RDKITS if name not in CRIPPEN),),
    "RDKit's without acceptors": (tuple(name for name in RDKITS if name != "NumHBA"),),
    "RDKit's without shape": (tuple(name for name in RDKITS if name not in SHAPE),),
}


def replay(policy, features, groups, values, seed):
    """Share of the best molecules among the first n simulated, for each checkpoint."""
    rng = np.random.default_rng(seed)
    top = set(np.argsort(-values)[:N_TOP].tolist())
    tried = rng.permutation(len(values))[:N_INITIAL].tolist()
    while len(tried) < N_TOTAL:
        model = model_class(policy.model).fit_groups(features[tried], values[tried], rng, groups)
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
    left_out = [name for name in ALL_OF_RDKITS if name not in RDKITS]
    properties = rdMolDescriptors.Properties(left_out)
    others = np.array([properties.ComputeProperties(one) for one in molecules], dtype=np.float32)
    table = np.hstack([descriptors(molecules), others])
    columns = [*DESCRIPTORS, *left_out]

    def scaled(names):
        some = table[:, [columns.index(name) for name in names]]
        mean, std = some.mean(axis=0, dtype=float), some.std(axis=0, dtype=float)
        return Scaling(mean, std, cuts(names)).apply(some)

    cases = [
        (f"gp, {label}", "gp", scaled(sum(groups, ())), [len(one) for one in groups])
        for label, groups in SETS.items()
    ]
    cases += [(name, name, scaled(DESCRIPTORS), [len(DESCRIPTORS)]) for name in ("ridge", "forest")]
    bits = morgan(molecules, MorganSpec())
    cases += [("published", "published", bits, bits.shape[1:])]
    headings = " ".join(f"{n:>5}" for n in CHECKPOINTS)
    print(f"top {N_TOP} of {len(smiles):,}, {len(seeds)} seeds; after simulations:")
    print(f"{'':30} {'number':>6}   IE: {headings}   -HOMO: {headings}")
    for label, name, features, groups in cases:
        shares = []
        for values in targets.values():
            task = joblib.delayed(replay)
            found = joblib.Parallel(2)(
                task(policy_named(name), features, groups, values, seed) for seed in seeds
            )
            shares.append(" ".join(f"{share:5.3f}" for share in np.mean(found, axis=0)))
        number = "-" if name == "published" else sum(groups)
        print(f"{label:30} {number:>6}       {shares[0]}           {shares[1]}", flush=True)


if __name__ == "__main__":
    main()
