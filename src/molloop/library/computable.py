"""What can be computed of the molecules of a library, and kept beside it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

Values = NDArray[Any]  # of n molecules, shape (n, ...)


class Computable(ABC):
    """Something that every molecule has.

    Attributes
    ----------
    reads_columns
        Whether it looks at what a library says of a molecule beside its structure.
    at_a_time
        For how many molecules it is asked: one that was just read is still in the cache.
    """

    reads_columns: bool = False
    at_a_time: int = 1

    @property
    @abstractmethod
    def fact(self) -> str:
        """What is computed, in words that tell it from all else."""

    @property
    def dtype(self) -> type[np.generic]:
        """Of what is computed."""
        return np.bool_

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what a molecule has; the shape () is one number."""
        return ()

    @abstractmethod
    def compute_all(self, molecules: Sequence[Chem.Mol]) -> Sequence[Any] | Values:
        """Compute it of n >= 1 molecules, shape (n, ...)."""
