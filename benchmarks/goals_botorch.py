"""qLogEHVI on a pool of molecules: `python benchmarks/goals_botorch.py FILE`; it wants botorch.

It is called by goals.py, which writes FILE: features, values to be maximised, the first molecules
and the reference point. Of BoTorch's parts with their defaults: a SingleTaskGP an objective on
standardised values, qLogExpectedHypervolumeImprovement with 128 samples, each batch chosen one by
one from the whole pool. What it has chosen, and the processor time, go to FILE with `.chosen.npz`.
"""

import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from botorch.acquisition.multi_objective.logei import qLogExpectedHypervolumeImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import ModelListGP, SingleTaskGP
from botorch.models.transforms import Standardize
from botorch.sampling import SobolQMCNormalSampler
from botorch.utils.multi_objective.box_decompositions import FastNondominatedPartitioning
from gpytorch.mlls import SumMarginalLogLikelihood

CHUNK = 1000


def next_batch(features, values, known, reference, size):
    """Return the rows of the next batch, chosen one by one."""
    x, y = features[known], values[known]
    models = [
        SingleTaskGP(x, y[:, [column]], outcome_transform=Standardize(1))
        for column in range(y.shape[1])
    ]
    model = ModelListGP(*models)
    fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model))
    chosen = []
    is_open = torch.ones(len(features), dtype=torch.bool)
    is_open[known] = False
    for _ in range(size):
        acquisition = qLogExpectedHypervolumeImprovement(
            model,
            reference,
            FastNondominatedPartitioning(torch.tensor(reference), y),
            SobolQMCNormalSampler(torch.Size([128])),
            X_pending=features[chosen] if chosen else None,
        )
        rows = torch.nonzero(is_open)[:, 0]
        with torch.no_grad():
            scores = torch.cat([acquisition(features[some][:, None]) for some in rows.split(CHUNK)])
        chosen.append(int(rows[scores.argmax()]))
        is_open[chosen[-1]] = False
    return chosen


def main():
    path = Path(sys.argv[1])
    given = np.load(path)
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(int(given["seed"]))
    warnings.simplefilter("ignore")
    features, values = torch.tensor(given["features"]).double(), torch.tensor(given["values"])
    known, n, size = given["first"].tolist(), int(given["n"]), int(given["batch_size"])
    began_s = time.process_time()
    while len(known) < n:
        size = min(size, n - len(known))
        known += next_batch(features, values, known, given["reference"].tolist(), size)
        print(f"{len(known)} {time.process_time() - began_s:.0f} s", file=sys.stderr, flush=True)
    np.savez(f"{path}.chosen.npz", ids=known, processor_s=time.process_time() - began_s)


if __name__ == "__main__":
    main()
