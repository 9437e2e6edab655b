"""Outcomes become a model: fit on features and values, predict mean and standard deviation."""

from pathlib import Path

import numpy as np

from molloop.surrogate.forest import RandomForest
from molloop.surrogate.gp import GaussianProcess
from molloop.surrogate.knn import KNearestNeighbors
from molloop.surrogate.model import Surrogate
from molloop.surrogate.ridge import Ridge

MODELS: dict[str, type[Surrogate]] = {
    "knn": KNearestNeighbors,
    "gp": GaussianProcess,
    "ridge": Ridge,
    "forest": RandomForest,
}


def save(name: str, model: Surrogate, path: Path) -> None:
    """Write a model to a file that any worker can open; numbers and text only."""
    arrays = {key: np.asarray(array) for key, array in model.arrays().items()}
    np.savez(path, model=np.array(name), **arrays)  # type: ignore[arg-type]


def load(path: Path) -> Surrogate:
    """Read it back."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key][()] for key in file.files}
    return MODELS[str(arrays.pop("model"))](**arrays)
