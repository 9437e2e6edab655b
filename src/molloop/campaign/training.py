"""The values of a run with the features of their molecules, kept as they come."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.warm_start import WarmStart
from molloop.library.shards import Library


class TrainingSet:
    """What models learn from.

    Parameters
    ----------
    kind
        Of the features.
    """

    def __init__(self, library: Library, kind: str, warm_start: WarmStart) -> None:
        self._library = library
        self._kind = kind
        self._features: NDArray[Any] = warm_start.features[kind]
        # values known beforehand come before all proposals
        self._rows = [(-1, item.value) for item in warm_start.known]
        self._new: list[int] = []

    def add(self, molecules: Iterable[tuple[int, int, float]]) -> None:
        """Take in values: number of the proposal, molecule id, value."""
        for number, molecule_id, value in molecules:
            self._rows.append((number, value))
            self._new.append(molecule_id)

    def arrays(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Return features and values, (n, width) and (n,), in the order of the proposals."""
        if self._new:
            features = self._library.features(self._kind, self._new)
            self._features = np.concatenate([self._features, features])
            self._new.clear()
        numbers, values = np.array(self._rows, dtype=np.float64).reshape(-1, 2).T
        order = np.argsort(numbers, kind="stable")
        return self._features[order], values[order]
