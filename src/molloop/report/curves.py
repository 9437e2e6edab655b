"""Figures of campaigns compared: what each has found over simulations and over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from molloop.report.figures import LOOK, is_dense, save

Floats = NDArray[np.float64]
# Okabe and Ito's, the darkest first; further lines repeat them dashed
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#222222")
STYLES = ("-", "--", ":")


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
            axes.set(xlabel=panel.xlabel, ylabel=panel.ylabel)
            for number, (name, line) in enumerate(panel.lines.items()):
                color = COLORS[number % len(COLORS)]
                style = STYLES[number // len(COLORS) % len(STYLES)]
                axes.plot(line.x, line.mean, color=color, linestyle=style, label=name)
                axes.fill_between(
                    line.x,
                    line.low,
                    line.high,
                    color=color,
                    alpha=0.15,
                    linewidth=0,
                    rasterized=is_dense(len(line.x)),
                )
            axes.set_xlim(left=0)
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(6, len(labels)))
        figure.suptitle(title, fontsize=12)
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
        axes.set(xlabel="Time until it was found (s)", ylabel=ylabel)
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
            color=COLORS[0],
            label="no other is better in both",
        )
        for point, color, name in (
            (begun_with, COLORS[1], "begun with, unseen seeds"),
            (chosen, COLORS[2], "chosen, unseen seeds"),
        ):
            axes.scatter(
                [point.time_s],
                [point.value],
                s=110,
                marker="*",
                color=color,
                zorder=3,
                label=f"{name}: {point.label}",
            )
        axes.set_xlim(left=0)
        figure.legend(loc="outside lower center", ncols=1)
        save(figure, path)
