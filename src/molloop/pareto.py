"""Which points are better than which where several things count, and how much a front covers.

Large values are good in all columns.
"""

from collections.abc import Iterable, Sequence
from math import isnan

import numpy as np
from numpy.typing import NDArray

from molloop.goal import MOST_OBJECTIVES

Floats = NDArray[np.float64]
Point = tuple[float, ...]


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether a point is nowhere worse than another, and somewhere better."""
    pairs = list(zip(one, other, strict=True))
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def with_point(front: tuple[Point, ...], point: Point) -> tuple[Point, ...]:
    """Return a front with another point.

    The same object where the point does not belong to it: something dominates or equals it.
    """
    if any(one == point or dominates(one, point) for one in front):
        return front
    return tuple(sorted([*(one for one in front if not dominates(point, one)), point]))


def front_rows(points: Floats) -> NDArray[np.intp]:
    """Return the rows that no other dominates, shape (k,), of points of shape (n, d).

    Of equal points all are returned. Rows with a NaN are none of them.
    """
    rows = np.flatnonzero(~np.isnan(points).any(axis=1))
    # nothing dominates what comes before it in this order
    rows = rows[np.lexsort(-points[rows].T[::-1])]
    kept: list[int] = []
    for row in rows.tolist():
        point, before = points[row], points[kept]
        is_dominated = (before >= point).all(axis=1) & (before > point).any(axis=1)
        if not is_dominated.any():
            kept.append(row)
    return np.sort(np.array(kept, dtype=np.intp))


def reference_point(points: Floats) -> Point:
    """Return the worst value of each objective, of points of shape (n, d); those with NaN aside.

    A tenth of the range is taken off, so that the ends of a front cover something too; 0.1 where
    all are alike.
    """
    whole = points[~np.isnan(points).any(axis=1)]
    low, high = whole.min(axis=0), whole.max(axis=0)
    return tuple((low - np.where(high > low, high - low, 1.0) / 10).tolist())


def hypervolume(points: Iterable[Sequence[float]], reference: Sequence[float]) -> float:
    """Return the volume that some points dominate and a reference point bounds from below.

    Of two or three objectives. In slices of the last one, from the top down: While, Hingston,
    Barone and Huband, IEEE Trans. Evol. Comput. 10, 29 (2006), doi:10.1109/TEVC.2005.851275.

    Raises
    ------
    ValueError
        There is one objective, or there are more than three.
    """
    if not 2 <= len(reference) <= MOST_OBJECTIVES:
        raise ValueError(f"expected two or three objectives, got {len(reference)}")
    inside = [tuple(one) for one in points if all(np.greater(one, reference))]
    if len(reference) == 2:
        return _area(inside, reference)
    inside.sort(key=lambda one: -one[2])
    volume = 0.0
    stairs: tuple[Point, ...] = ()
    area = 0.0
    for place, one in enumerate(inside):
        wider = with_point(stairs, one[:2])
        if wider is not stairs:
            stairs, area = wider, _area(wider, reference[:2])
        below = inside[place + 1][2] if place + 1 < len(inside) else reference[2]
        volume += area * (one[2] - below)
    return volume


def running_hypervolume(points: Floats, reference: Sequence[float]) -> Floats:
    """Return the hypervolume of the first point, of the first two, ..., shape (n,).

    Parameters
    ----------
    points
        Shape (n, d); one with a NaN counts for nothing.
    """
    front: tuple[Point, ...] = ()
    found, now = [], 0.0
    for point in map(tuple, points.tolist()):
        if not any(map(isnan, point)):
            wider = with_point(front, point)
            if wider is not front:
                front, now = wider, hypervolume(wider, reference)
        found.append(now)
    return np.array(found)


def _area(points: Iterable[Sequence[float]], reference: Sequence[float]) -> float:
    area, height = 0.0, reference[1]
    for x, y in sorted(points, key=lambda one: (-one[0], -one[1])):
        if y > height:
            area += (x - reference[0]) * (y - height)
            height = y
    return area
