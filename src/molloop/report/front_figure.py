"""Figures of a run with several objectives: its front, and how it has grown."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from molloop.goal import Goal, Quantity
from molloop.pareto import front_rows, reference_point, running_hypervolume
from molloop.report.found import Found
from molloop.report.look import BEST, LOOK, SIMULATED, axis_level, drawn, is_dense, mark_size, save
from molloop.report.numbers import rounded

Floats = NDArray[np.float64]


def write_front_figure(results: Found, goal: Goal, path: Path) -> None:
    """Draw values and front, a panel a pair of objectives, and the hypervolume; see `save`."""
    points = results.points()
    pairs = list(combinations(range(len(goal.objectives)), 2))
    with mpl.rc_context(LOOK):  # type: ignore[arg-type]  # its stub spells out every key
        width = max(3, len(pairs) + 1) if len(pairs) > 1 else 3
        figure = Figure(figsize=(4.4 * width, 4.4), layout="constrained")
        *of_pairs, over_values, over_time = figure.subplots(1, len(pairs) + 2)
        quantities = [drawn(one.quantity) for one in goal.objectives]
        for axes, pair in zip(of_pairs, pairs, strict=True):
            draw_pair(axes, goal, points, pair, quantities, (SIMULATED, BEST))
        of_pairs[0].legend(loc="best", fontsize="small")
        volumes, told = hypervolume_of(goal, points)
        times = [item.time_s for item in results.successes]
        draw_volume(over_values, np.arange(1.0, len(volumes) + 1), volumes, BEST)
        over_values.set(xlabel="Number of values", ylabel="Hypervolume")
        over_values.xaxis.set_major_locator(MaxNLocator(integer=True))
        draw_volume(over_time, np.array(times), volumes, BEST)
        over_time.set(xlabel="Time (s)")
        label = axis_level(results.protocol.label).replace("\n", " ")
        figure.suptitle(f"{label}. Hypervolume above {told}", fontsize=11)
        save(figure, path)


def hypervolume_of(goal: Goal, points: Floats) -> tuple[Floats, str]:
    """Return the hypervolume after each value, shape (n,), and its reference point in words."""
    reference = reference_point(points)
    told = ", ".join(
        f"{rounded(one.sign * limit)} {drawn(one.quantity).unit}".strip()
        for one, limit in zip(goal.objectives, reference, strict=True)
    )
    return running_hypervolume(points, reference), told


def draw_pair(
    axes: Axes,
    goal: Goal,
    points: Floats,
    pair: tuple[int, int],
    quantities: Sequence[Quantity],
    colors: tuple[str, str],
) -> None:
    """Draw two objectives against each other: all that may be the best, and the front.

    Parameters
    ----------
    points
        Times their signs, shape (n, d), NaN of those that may not.
    colors
        Of all values, and of the front.
    """
    signs = [goal.objectives[place].sign for place in pair]
    shown = points[:, pair] * signs
    rows = front_rows(points)
    front = shown[rows[np.argsort(points[rows, pair[0]], kind="stable")]]
    n = len(points)
    axes.scatter(
        shown[:, 0],
        shown[:, 1],
        s=mark_size(n),
        color=colors[0],
        linewidths=0,
        label="simulated",
        rasterized=is_dense(n),
    )
    if len(goal.objectives) == 2:
        axes.step(front[:, 0], front[:, 1], where="pre", color=colors[1], linewidth=1.5)
    axes.scatter(front[:, 0], front[:, 1], s=30, color=colors[1], label="Pareto front", zorder=3)
    axes.set(xlabel=quantities[pair[0]].heading, ylabel=quantities[pair[1]].heading)


def draw_volume(axes: Axes, places: Floats, volumes: Floats, color: str) -> None:
    """Draw how the hypervolume has grown, by its changes alone."""
    rows = np.unique([*np.flatnonzero(np.diff(volumes, prepend=np.nan)), len(volumes) - 1])
    axes.step(places[rows], volumes[rows], where="post", color=color, linewidth=1.8)
    axes.set_ylim(bottom=0)
