"""The values of a run with the features of their molecules, kept as they come."""

from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.warm_start import WarmStart
from molloop.library.shards import Library

Row = tuple[int, int, *tuple[float, ...]]  # number of the proposal, molecule id, values


class TrainingSet:
    """What models learn from.

    Parameters
    ----------
    kind
        Of the features.
    n_columns
        How many values a molecule has; values known beforehand are of one column.
    """

    def __init__(
        self, library: Library, kind: str, warm_start: WarmStart, n_columns: int = 1
    ) -> None:
        self._library = library
        self._n_columns = n_columns
        self._kind = kind
        self._features: NDArray[Any] = warm_start.features[kind]
        self._values = array("d", (item.value for item in warm_start.known))
        # values known beforehand come before all proposals
        self._proposals = array("q", [-1] * len(self._values))
        self._new: list[int] = []

    def add(self, molecules: Iterable[Row]) -> None:
        """Take in values."""
        for number, molecule_id, *values in molecules:
            self._proposals.append(number)
            self._values.extend(values)
            self._new.append(molecule_id)

    def arrays(self) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.int64]]:
        """Return features and values, (n, width) and (n,), as they came, and their order, (n,).

        Several values a molecule have the shape (n, n_columns). The order is that of the proposals.
        Later values leave these arrays as they are.
        """
        n = len(self._proposals)
        if self._new:
            n_before = n - len(self._new)
            if n > len(self._features):
                # with room for more: what was handed out is of the rows before, and stays
                grown = np.empty((2 * n, self._features.shape[1]), self._features.dtype)
                grown[:n_before] = self._features[:n_before]
                self._features = grown
            self._features[n_before:n] = self._library.features(self._kind, self._new)
            self._new.clear()
        order = np.argsort(np.array(self._proposals), kind="stable")
        values = np.array(self._values)
        if self._n_columns > 1:
            values = values.reshape(n, self._n_columns)
        return self._features[:n], values, order
