"""Candidates of a ranking: molecules with what a model says of them; the best of many."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molloop.surrogate.model import Floats

CHUNK = 2**15  # rows that a model is asked for at a time

# structured: id, score, features and more; see `table_of`
Candidates = NDArray[np.void]


def table_of(**columns: NDArray[Any]) -> Candidates:
    """Put m molecules into a table of named columns, each of shape (m,) or (m, width)."""
    m = len(next(iter(columns.values())))
    table = np.empty(m, dtype=[(name, one.dtype, one.shape[1:]) for name, one in columns.items()])
    for name, column in columns.items():
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


def best_of_draws(
    is_open: NDArray[np.bool_],
    n_draws: int,
    n: int,
    bound: Callable[[int], Floats],
    guess: Callable[[int], Floats],
    score: Callable[[int, Candidates], Floats],
    exact: Callable[[NDArray[np.intp]], Candidates],
) -> Candidates:
    """Return the best n rows of each draw, computing as few as upper bounds allow.

    Parameters
    ----------
    is_open
        Which rows may be returned, shape (m,).
    bound
        Draw -> above which no row's score is, shape (m,).
    guess
        Draw -> about what the scores are, shape (m,): the better, the fewer are computed.
    score
        Draw, candidates -> their scores.
    exact
        Rows -> their candidates.

    Returns
    -------
    Each once, in no order.
    """
    rows, n_first = np.flatnonzero(is_open), n + n // 4
    if len(rows) <= n_first:
        return _best_of_draws(exact(rows), n_draws, n, score)
    is_done = np.zeros(len(is_open), dtype=np.bool_)
    for draw in range(n_draws):
        guesses = guess(draw)[rows]
        is_done[rows[np.argpartition(-guesses, n_first - 1)[:n_first]]] = True
    found = exact(np.flatnonzero(is_done))
    for draw in range(n_draws):
        limits, least = bound(draw), _nth(score(draw, found), n)
        others = np.flatnonzero(is_open & ~is_done & (limits >= least))
        others = others[np.argsort(-limits[others], kind="stable")]
        for start in range(0, len(others), CHUNK):
            chunk = others[start : start + CHUNK]
            if limits[chunk[0]] < least:
                break
            found = np.concatenate([found, exact(np.sort(chunk))])
            is_done[chunk] = True
            least = _nth(score(draw, found), n)
    return _best_of_draws(found, n_draws, n, score)


def _nth(scores: Floats, n: int) -> float:
    """Return the n-th largest score, of n at least."""
    return float(np.partition(scores, len(scores) - n)[-n])


def _best_of_draws(
    found: Candidates, n_draws: int, n: int, score: Callable[[int, Candidates], Floats]
) -> Candidates:
    is_kept = np.zeros(len(found), dtype=np.bool_)
    for draw in range(n_draws):
        is_kept[np.lexsort((found["id"], -score(draw, found)))[:n]] = True
    kept: Candidates = found[is_kept]
    return kept
