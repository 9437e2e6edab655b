"""Nearest neighbours by the Jaccard distance of packed fingerprints: the published model."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from molloop.surrogate.model import Features, Floats, Surrogate

N_NEIGHBORS = 4
# molecules of one pass: its working arrays stay in the cache of a core
BLOCK_SIZE = 8192


@dataclass(frozen=True, eq=False)
class KNearestNeighbors(Surrogate):
    """Mean of the four nearest training values, weighted by the inverse distance.

    A distance of zero takes all the weight. Neighbours at the same distance: the lowest index
    is the nearer one. The standard deviation is the weighted one of the same neighbours.

    Attributes
    ----------
    fingerprints
        Packed, shape (n, n_bits / 8), n_bits a multiple of 64.
    values
        Shape (n,), n >= 1.
    """

    learns_from = "fingerprints"
    learns_failures = False  # as published

    fingerprints: NDArray[np.uint8]
    values: Floats

    def __post_init__(self) -> None:
        n_points, width = self.fingerprints.shape
        if self.values.shape != (n_points,) or n_points == 0 or width % 8:
            raise ValueError(
                f"expected fingerprints (n, 8 k) and values (n,) with n >= 1, "
                f"got {self.fingerprints.shape} and {self.values.shape}"
            )

    @classmethod
    def fit(cls, features: Features, values: Floats, rng: np.random.Generator) -> Self:
        """Remember fingerprints and values."""
        del rng
        return cls(features, values)

    def predict(self, features: Features) -> tuple[Floats, Floats]:
        """Predict for m packed fingerprints, shape (m, n_bits / 8).

        Returns
        -------
        Mean and standard deviation, each of shape (m,).
        """
        points = _Bits.of(self.fingerprints)
        mean = np.empty(len(features))
        std = np.empty(len(features))
        for start in range(0, len(features), BLOCK_SIZE):
            part = slice(start, start + BLOCK_SIZE)
            queries = _Bits.of(features[part])
            nearest = _nearest(points, queries)
            mean[part], std[part] = _weighted(nearest, _distances(points, queries, nearest), self)
        return mean, std


@dataclass(frozen=True)
class _Bits:
    """Fingerprints word by word, shape (n_words, n), and the bits set in each, shape (n,)."""

    words: NDArray[np.uint64]
    n_set: NDArray[np.uint16]

    @classmethod
    def of(cls, packed: NDArray[np.uint8]) -> "_Bits":
        words = np.ascontiguousarray(np.ascontiguousarray(packed).view(np.uint64).T)
        return cls(words, np.bitwise_count(words).sum(axis=0, dtype=np.uint16))


def _nearest(points: _Bits, queries: _Bits) -> NDArray[np.intp]:
    """Return the indices of the nearest points, nearest first, shape (k, n_queries).

    Distance and index are one integer: the distance above, scaled so that different fractions of
    at most n_bits stay different, the index below. So the k smallest integers are the neighbours,
    and equal distances go by index.
    """
    n_points = len(points.n_set)
    n_bits = 64 * len(queries.words)
    index_bits = n_points.bit_length()
    distance_bits = 2 * n_bits.bit_length()
    key_type: type[np.unsignedinteger[Any]] = np.uint64
    float_type: type[np.floating[Any]] = np.float64
    if index_bits + distance_bits + 1 <= 32 and distance_bits <= 24:  # a float32 holds no more
        key_type, float_type = np.uint32, np.float32
    n_shared = np.empty(len(queries.n_set), dtype=np.uint16)
    n_union = np.empty_like(n_shared)
    distance: NDArray[np.floating[Any]] = np.empty(len(n_shared), dtype=float_type)
    key: NDArray[np.unsignedinteger[Any]] = np.empty(len(n_shared), dtype=key_type)
    farther = np.empty_like(key)
    best = np.full((min(N_NEIGHBORS, n_points), len(n_shared)), np.iinfo(key_type).max, key_type)
    for index in range(n_points):
        _count_shared(points.words[:, index], queries.words, out=n_shared)
        np.add(queries.n_set, points.n_set[index], out=n_union)
        n_union -= n_shared
        np.divide(n_union - n_shared, np.maximum(n_union, 1), out=distance, dtype=float_type)
        distance *= float_type(2**distance_bits)
        key[:] = distance
        key <<= key_type(index_bits)
        key |= key_type(index)
        for nearer in best:
            np.maximum(nearer, key, out=farther)
            np.minimum(nearer, key, out=nearer)
            key, farther = farther, key
    indices: NDArray[np.intp] = (best & key_type(2**index_bits - 1)).astype(np.intp)
    return indices


def _count_shared(
    point: NDArray[np.uint64], queries: NDArray[np.uint64], out: NDArray[np.uint16]
) -> None:
    out.fill(0)
    for word, column in zip(point, queries, strict=True):
        out += np.bitwise_count(column & word)


def _distances(points: _Bits, queries: _Bits, nearest: NDArray[np.intp]) -> Floats:
    """Jaccard distances to the nearest points, shape (k, n_queries); 0 between two empty ones."""
    n_shared = np.bitwise_count(points.words[:, nearest] & queries.words[:, None, :]).sum(
        axis=0, dtype=np.uint16
    )
    n_union = points.n_set[nearest] + queries.n_set - n_shared
    distances: Floats = (n_union - n_shared) / np.maximum(n_union, 1)
    return distances


def _weighted(
    nearest: NDArray[np.intp], distances: Floats, model: KNearestNeighbors
) -> tuple[Floats, Floats]:
    is_same = distances == 0
    inverse = 1 / np.where(is_same, 1.0, distances)
    weights = np.where(is_same.any(axis=0), is_same, inverse)
    weights /= weights.sum(axis=0)
    values = model.values[nearest]
    mean = (weights * values).sum(axis=0)
    variance = (weights * (values - mean) ** 2).sum(axis=0)
    return mean, np.sqrt(variance)
