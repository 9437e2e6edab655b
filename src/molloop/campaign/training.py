"""The values of a run with the features of their molecules, kept as they come."""

from array import array
from collections.abc import Iterable, Sequence
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.warm_start import WarmStart
from molloop.goal import Quantity
from molloop.library.shards import Library

Row = tuple[int, int, *tuple[float, ...]]  # number of the proposal, molecule id, values


class TrainingSet:
    """What models learn from.

    Parameters
    ----------
    kind
        Of the features.
    further
        Quantities whose values it has beside the first one's.
    """

    def __init__(
        self,
        library: Library,
        kind: str,
        warm_start: WarmStart,
        further: Sequence[Quantity] = (),
    ) -> None:
        self._library = library
        self._n_columns = 1 + len(further)
        self._kind = kind
        self._features: NDArray[Any] = warm_start.features[kind]
        names = [one.name for one in further]
        self._values = array("d")
        for item in warm_start.known:
            self._values.extend((item.value, *(item.further.get(name, nan) for name in names)))
        # values known beforehand come before all proposals
        self._proposals = array("q", [-1] * len(warm_start.known))
        self._new: list[int] = []

    def add(self, molecules: Iterable[Row]) -> None:
        """Take in values."""
        for number, molecule_id, *values in molecules:
            self._proposals.append(number)
            self._values.extend(values)
            self._new.append(molecule_id)

    def arrays(self) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.int64]]:
        """Return features and values, (n, width) and (n,), as they came, and their order, (n,).

        With further quantities, values have the shape (n, 1 + their number). The order is that of
        the proposals. Later values leave these arrays as they are.
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
