"""Rank a library: fit a model, scan shard by shard, merge the best of each.

Three functions that pass files and small arrays, so that each can be a task on another node.
The result does not depend on the number of shards.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from molloop import surrogate
from molloop.library.shards import Shard, ShardRef
from molloop.search.acquisition import ACQUISITIONS


@dataclass(frozen=True, eq=False)
class Candidates:
    """Molecules, the best first; equal scores go by the lower id.

    Attributes
    ----------
    ids, scores, means, stds
        Each of shape (n,).
    """

    ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    means: NDArray[np.float64]
    stds: NDArray[np.float64]

    def best(self, n: int) -> "Candidates":
        """Return the first n of them in order."""
        if len(self.scores) > n:
            # whatever ties with the n-th stays in, so that the ids can decide
            limit = np.partition(self.scores, len(self.scores) - n)[-n]
            rows = np.flatnonzero(self.scores >= limit)
        else:
            rows = np.arange(len(self.scores))
        order = rows[np.lexsort((self.ids[rows], -self.scores[rows]))][:n]
        return Candidates(self.ids[order], self.scores[order], self.means[order], self.stds[order])


def write_training(
    path: Path, features: NDArray[np.uint8], values: NDArray[np.float64], tried: NDArray[np.int64]
) -> None:
    """Write what a ranking learns from, and the ids that it leaves out."""
    np.savez(path, features=features, values=values, tried=tried)


def fit(model: str, training: Path, out: Path) -> Path:
    """Fit a model to a training file and save it."""
    with np.load(training, allow_pickle=False) as file:
        fitted = surrogate.MODELS[model](file["features"], file["values"])
    surrogate.save(model, fitted, out)
    return out


def scan(shard: ShardRef, model: Path, training: Path, acquisition: str, n: int) -> Candidates:
    """Return the best n molecules of a shard that have not been tried."""
    with np.load(training, allow_pickle=False) as file:
        tried = file["tried"]
    mean, std = surrogate.load(model).predict(Shard(shard).fingerprints)
    ids = np.arange(shard.first_id, shard.first_id + shard.n_molecules, dtype=np.int64)
    rows = np.flatnonzero(~np.isin(ids, tried))
    scores = ACQUISITIONS[acquisition](mean, std)
    return Candidates(ids[rows], scores[rows], mean[rows], std[rows]).best(n)


def merge(n: int, *parts: Candidates) -> Candidates:
    """Return the best n of all shards."""
    return Candidates(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.means for part in parts]),
        np.concatenate([part.stds for part in parts]),
    ).best(n)
