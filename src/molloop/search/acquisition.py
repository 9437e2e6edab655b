"""What makes a molecule worth a simulation, one table: name -> function."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def greedy(mean: Floats, _std: Floats) -> Floats:
    """Return the prediction itself, shape (n,): the largest comes first."""
    return mean


ACQUISITIONS: dict[str, Callable[[Floats, Floats], Floats]] = {"greedy": greedy}
