"""The best values of a campaign. Pure."""

from collections.abc import Container, Iterable, Sequence
from math import inf

import numpy as np

from molloop.campaign.jobs import Known
from molloop.goal import Goal, Objective, Values
from molloop.pareto import Point
from molloop.search.acquisition import Circumstances, ei


def point_of(goal: Goal | None, sign: int, value: float, values: Values) -> Point:
    """Return what may be among the best, times the signs; nothing where it may not.

    Parameters
    ----------
    goal
        None: the value alone counts, times the sign.
    values
        Of the goal's quantities.
    """
    return (sign * value,) if goal is None else goal.point(values) or ()


def may_win(
    known: Iterable[Known],
    objective: Objective,
    goal: Goal | None,
    left_out: Container[int | None],
) -> list[Point]:
    """Return what may be among the best of values known beforehand; see `point_of`.

    Not those with a flag where these are excluded, nor those of molecules that are left out.
    """
    found = []
    for one in known:
        is_flagged = one.is_flagged(objective) if goal is None else one.is_flagged_for(goal)
        if one.molecule_id in left_out or (is_flagged and not objective.keeps_flagged):
            continue
        values = () if goal is None else one.values(goal)
        found.append(point_of(goal, objective.sign, one.value, values))
    return [one for one in found if one]


def kept(good: float, top: tuple[float, ...], top_k: int) -> tuple[float, ...]:
    """Return the best values with another one; one that is equal to the last stays out."""
    if len(top) == top_k and good <= top[-1]:
        return top
    return tuple(sorted([*top, good], reverse=True)[:top_k])


def expected_gain(
    top: Sequence[float],
    sign: int,
    molecule_ids: Sequence[int],
    means: Sequence[float],
    stds: Sequence[float],
) -> float:
    """Return by which a ranking's molecules are expected to exceed the best value at most."""
    if not top or not means:
        return inf
    circumstances = Circumstances(np.array(molecule_ids), top[0])
    return float(np.exp(ei(sign * np.array(means), np.array(stds), circumstances).max()))
