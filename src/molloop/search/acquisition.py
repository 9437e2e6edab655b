"""What makes a molecule worth a simulation, one table: name -> function.

Each is a function of mean and standard deviation that falls with neither; large is good.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Acquisition = Callable[[Floats, Floats], Floats]


def greedy(mean: Floats, _std: Floats) -> Floats:
    """Return the prediction itself, shape (n,)."""
    return mean


def ucb(mean: Floats, std: Floats) -> Floats:
    """Return the upper confidence bound of one standard deviation, shape (n,).

    Auer, J. Mach. Learn. Res. 3, 397 (2002).
    """
    return mean + std


ACQUISITIONS: dict[str, Acquisition] = {"greedy": greedy, "ucb": ucb}
