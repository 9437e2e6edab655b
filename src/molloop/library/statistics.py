"""Statistics of descriptors, batch by batch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from molloop.library.descriptors import Descriptors
from molloop.library.manifest import DescriptorStatistics

CHUNK = 2**15  # rows that are held in double precision at a time


class Statistics:
    """Mean, standard deviation and range of d descriptors over all rows that were added.

    Batches are merged as by Chan, Golub and LeVeque, Am. Stat. 37, 242 (1983),
    doi:10.1080/00031305.1983.10483115.
    """

    def __init__(self, n_descriptors: int) -> None:
        self._n = 0
        self._mean = np.zeros(n_descriptors)
        self._squares = np.zeros(n_descriptors)
        self._min = np.full(n_descriptors, np.inf)
        self._max = np.full(n_descriptors, -np.inf)

    def add(self, descriptors: Descriptors) -> None:
        """Add rows, shape (n, d)."""
        for start in range(0, len(descriptors), CHUNK):
            self._add(descriptors[start : start + CHUNK].astype(np.float64))

    def _add(self, rows: NDArray[np.float64]) -> None:
        n = len(rows)
        mean = rows.mean(axis=0)
        shift = mean - self._mean
        share = n / (self._n + n)
        self._squares += ((rows - mean) ** 2).sum(axis=0) + shift**2 * self._n * share
        self._mean += shift * share
        self._n += n
        self._min = np.minimum(self._min, rows.min(axis=0))
        self._max = np.maximum(self._max, rows.max(axis=0))

    def summary(self, names: Sequence[str]) -> tuple[DescriptorStatistics, ...]:
        """Return the statistics of each."""
        std = np.sqrt(self._squares / max(self._n, 1))
        columns = (self._mean, std, self._min, self._max)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return tuple(
            DescriptorStatistics(name, *row) for name, row in zip(names, rows, strict=True)
        )
