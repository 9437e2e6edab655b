"""What a table says of a goal: which molecules are the best of all."""

from math import nan

import numpy as np

from molloop.errors import InputError
from molloop.goal import Goal
from molloop.intervals import Floats
from molloop.library.shard import Shard
from molloop.replay.measures import Truth
from molloop.replay.table import Table
from molloop.simulate.doubts import doubts


def truth_of(table: Table, goal: Goal, top_k: int) -> Truth:
    """Return the best molecules of a table: the best k by one objective, the front of several.

    Raises
    ------
    InputError
        No molecule keeps all constraints, or has a value on which no flag casts doubt.
    """
    objective = goal.objective
    if goal.is_plain:
        values = table.best_of(objective)
        return Truth.of(values, objective.sign, top_k, objective.threshold)
    points = points_of(table, goal)
    if not np.isfinite(points).all(axis=1).any():
        raise InputError(
            "constraints",
            "; ".join(one.words for one in goal.constraints) or None,
            f"some that a molecule of {table.name} keeps, with values on which no flag casts doubt",
            "Loosen one of them.",
        )
    if goal.has_front:
        return Truth.of_front(points, objective.sign, objective.threshold)
    return Truth.of(objective.sign * points[:, 0], objective.sign, top_k, objective.threshold)


def points_of(table: Table, goal: Goal) -> Floats:
    """Return the objectives' values times their signs, shape (n, d): NaN where one may not win."""
    columns = np.stack([_column(table, goal, place) for place in range(len(goal.quantities))])
    is_kept = np.isfinite(columns).all(axis=0) & np.isfinite(table.values)
    for one in goal.constraints:
        column = columns[goal.place(one.quantity)]
        is_kept &= np.array([one.holds(value) for value in column.tolist()])
    if not goal.objective.keeps_flagged:
        for key, flags in table.flags.items():
            if any(doubts(flags, recipe) for recipe in goal.recipes or ("",)):
                is_kept[key] = False
    signs = np.array([one.sign for one in goal.objectives])
    return np.where(is_kept[:, None], columns[: len(signs)].T * signs, nan)


def _column(table: Table, goal: Goal, place: int) -> Floats:
    quantity = goal.quantities[place]
    if quantity.descriptor:
        known = [Shard(ref).known(quantity.descriptor) for ref in table.library.shards]
        return np.concatenate(known).astype(np.float64)
    return table.values if place == 0 else table.further[quantity.column]
