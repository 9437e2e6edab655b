"""Candidates of a ranking: molecules with what a model says of them; the best of many."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from molloop.surrogate.model import Features, Floats

CHUNK = 2**15  # rows that a model is asked for at a time

# structured: id, mean, std, score, features; see `table_of`
Candidates = NDArray[np.void]


def table_of(
    ids: NDArray[np.int64], mean: Floats, std: Floats, score: Floats, features: Features
) -> Candidates:
    """Put m molecules into a table: columns of shape (m,), and features of shape (m, width)."""
    table = np.empty(
        len(ids),
        dtype=[
            ("id", np.int64),
            ("mean", np.float64),
            ("std", np.float64),
            ("score", np.float64),
            ("features", features.dtype, features.shape[1:]),
        ],
    )
    for name, column in zip(
        table.dtype.names or (), (ids, mean, std, score, features), strict=True
    ):
        table[name] = column
    return table


def best_by_bound(
    bound: Floats, n: int, exact: Callable[[NDArray[np.intp]], Candidates]
) -> Candidates:
    """Return the best n rows, best first, computing as few as an upper bound allows.

    Parameters
    ----------
    bound
        No row's score is above it, shape (m,); minus infinity leaves a row out.
    exact
        Rows -> their candidates.
    """
    rows = np.flatnonzero(bound > -np.inf)
    n_first = min(2 * n, len(rows))
    if n_first < len(rows):
        first = np.argpartition(-bound[rows], n_first - 1)[:n_first]
        found = exact(np.sort(rows[first]))
        limit = np.partition(found["score"], len(found) - n)[-n]
        others = np.delete(rows, first)
        others = others[bound[others] >= limit]
        others = others[np.argsort(-bound[others], kind="stable")]
        for start in range(0, len(others), CHUNK):
            chunk = others[start : start + CHUNK]
            if bound[chunk[0]] < limit:
                break
            found = best(np.concatenate([found, exact(np.sort(chunk))]), n)
            limit = found["score"][-1]
    else:
        found = exact(rows)
    return best(found, n)


def best(candidates: Candidates, n: int) -> Candidates:
    """Return the best n, best first; equal scores go by the lower id."""
    order = np.lexsort((candidates["id"], -candidates["score"]))[:n]
    chosen: Candidates = candidates[order]
    return chosen
