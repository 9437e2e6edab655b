"""Outcomes become a model: fit on features and values, predict mean and standard deviation."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from molloop.surrogate.knn import KNearestNeighbors

Floats = NDArray[np.float64]


class Surrogate(Protocol):
    """A fitted model; predicting is deterministic and changes nothing."""

    def predict(self, features: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Return mean and standard deviation, each of shape (n,)."""

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return all that the model is made of, by the names of its constructor's arguments."""


MODELS: dict[str, Callable[..., Surrogate]] = {"knn": KNearestNeighbors}


def save(name: str, model: Surrogate, path: Path) -> None:
    """Write a model to a file that any worker can open; numbers and text only."""
    arrays = {key: np.asarray(array) for key, array in model.arrays().items()}
    np.savez(path, model=np.array(name), **arrays)  # type: ignore[arg-type]


def load(path: Path) -> Surrogate:
    """Read it back."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    return MODELS[str(arrays.pop("model"))](**arrays)
