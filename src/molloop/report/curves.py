"""Figures of campaigns compared: what each has found over simulations and over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from molloop.report.look import LINE_COLORS, LOOK, is_dense, line_look, save
from molloop.texts import drawn_text

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Line:
    """A mean and its interval, each of shape (m,)."""

    x: Floats
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Panel:
    """One measure of all campaigns, by name."""

    xlabel: str
    ylabel: str
    lines: Mapping[str, Line]


def write_curves(rows: Sequence[Sequence[Panel]], title: str, path: Path) -> None:
    """Draw rows of panels: lines with bands, one legend for all; see `save`."""
    n_rows, n_columns = len(rows), len(rows[0])
    with mpl.rc_context(LOOK):  # type: ignore[arg-type]  # its stub spells out every key
        figure = Figure(figsize=(4.2 * n_columns, 3.4 * n_rows + 0.6), layout="constrained")
        grid = figure.subplots(n_rows, n_columns, squeeze=False)
        for axes, panel in zip(grid.flat, (one for row in rows for one in row), strict=True):
            axes.set(xlabel=drawn_text(panel.xlabel), ylabel=drawn_text(panel.ylabel))
            for number, (name, line) in enumerate(panel.lines.items()):
                look = line_look(number)
                axes.plot(line.x, line.mean, label=drawn_text(name), **look)
                axes.fill_between(
                    line.x,
                    line.low,
                    line.high,
                    color=look["color"],
                    alpha=0.15,
                    linewidth=0,
                    rasterized=is_dense(len(line.x)),
                )
            axes.set_xlim(left=0)
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(6, len(labels)))
        figure.suptitle(drawn_text(title), fontsize=12)
        save(figure, path)


@dataclass(frozen=True, slots=True)
class Point:
    """A configuration: how long it took, what it found, and a word on it."""

    time_s: float
    value: float
    label: str = ""


def write_front(
    points: Sequence[Point],
    front: Sequence[Point],
    chosen: Point,
    begun_with: Point,
    ylabel: str,
    path: Path,
) -> None:
    """Draw configurations by value and time, those that no other beats joined by steps."""
    with mpl.rc_context(LOOK):  # type: ignore[arg-type]  # its stub spells out every key
        figure = Figure(figsize=(8, 6), layout="constrained")
        axes = figure.subplots()
        axes.set(xlabel="Time until it was found (s)", ylabel=drawn_text(ylabel))
        axes.scatter(
            [one.time_s for one in points],
            [one.value for one in points],
            s=30,
            color="#999999",
            label="tried in the last round",
        )
        axes.step(
            [one.time_s for one in front],
            [one.value for one in front],
            where="post",
            marker="o",
            color=LINE_COLORS[0],
            label="no other is better in both",
        )
        for point, color, name in (
            (begun_with, LINE_COLORS[1], "begun with, unseen seeds"),
            (chosen, LINE_COLORS[2], "chosen, unseen seeds"),
        ):
            axes.scatter(
                [point.time_s],
                [point.value],
                s=110,
                marker="*",
                color=color,
                zorder=3,
                label=f"{name}: {drawn_text(point.label)}",
            )
        axes.set_xlim(left=0)
        figure.legend(loc="outside lower center", ncols=1)
        save(figure, path)
