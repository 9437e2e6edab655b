"""Features that are kept beside a library: where they are, and how they are opened."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molloop.errors import RunError
from molloop.library.features import Scaling


@dataclass(frozen=True, eq=False)
class KeptFeatures:
    """Features of a kind of all molecules of a library.

    Attributes
    ----------
    files
        One a shard, absolute.
    scaling
        Standardises them for models; None: no model learns from it, it is a number each.
    """

    files: tuple[str, ...]
    scaling: Scaling | None


def open_features(path: Path, n: int) -> NDArray[Any]:
    """Map a file of features of n molecules into memory, shape (n, width).

    Raises
    ------
    RunError
        It is missing or damaged.
    """
    return _open(path, n, 2)


def open_column(path: Path, n: int) -> NDArray[Any]:
    """Map a file of a number each of n molecules into memory, shape (n,); errors as above."""
    return _open(path, n, 1)


def _open(path: Path, n: int, n_dimensions: int) -> NDArray[Any]:
    try:
        rows: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
        if rows.ndim != n_dimensions or len(rows) != n:
            raise ValueError(f"its shape is {rows.shape}")
    except (OSError, ValueError, EOFError) as error:
        raise RunError(
            f"{path} is damaged ({error}).", "Remove it: the next command computes it again."
        ) from error
    return rows
