"""The figure of what the model expected, and what it was."""

from pathlib import Path
from textwrap import wrap

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from molloop.report.accuracy import Accuracy
from molloop.report.found import Found
from molloop.report.look import (
    BEST,
    LOOK,
    SIMULATED,
    axis_level,
    drawn,
    enlarge_marks,
    is_dense,
    mark_size,
    save,
)
from molloop.report.numbers import rounded
from molloop.texts import counted, drawn_text

BARS = "#B0B0B0"
TITLE_LETTERS = (61, 56)  # in a line over one panel, and over each of several
MARGIN = 0.03  # around points and bars, of their range


def write_predictions_figure(results: Found, path: Path) -> None:
    """Draw predicted against simulated values of what the model chose; see `save`.

    A bar is one predicted standard deviation to each side, of the ranking that chose the molecule.
    Of several stages a panel each: what its rankings expected of the last value, and that value.
    """
    panels = results.predictions_of_stages
    with mpl.rc_context(LOOK):  # type: ignore[arg-type]  # its stub spells out every key
        is_one = len(panels) == 1
        size = (6.2, 6.4) if is_one else (6.2 * len(panels), 7.4)  # room for longer titles
        figure = Figure(figsize=size, layout="constrained")
        several = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, (stage, rows) in zip(several, panels.items(), strict=True):
            chosen_for = "" if is_one else f" for {drawn_text(stage)}"
            _draw_panel(axes, results, rows, chosen_for)
        if any(map(len, panels.values())):
            [some, *_] = [axes for axes in several if axes.has_data()]
            handles, labels = some.get_legend_handles_labels()
            look = {"ncols": 3, "columnspacing": 1.2}
            enlarge_marks(figure.legend(handles, labels, loc="outside lower center", **look))
        save(figure, path)


def _draw_panel(axes: Axes, results: Found, rows: NDArray[np.float64], chosen_for: str) -> None:
    quantity = drawn(results.objective.quantity)
    axes.set(
        xlabel=f"Predicted {quantity.heading}",
        ylabel=f"Simulated {quantity.heading}\n{axis_level(results.protocol.label)}",
        aspect="equal",
    )
    told = f"No molecule that the model chose{chosen_for} has a value"
    if len(rows):
        _draw(axes, rows)
        one = Accuracy.of(*rows.T)
        unit = f" {quantity.unit}" if quantity.unit else ""
        told = (
            f"{counted(one.n, 'molecule')} that the model chose{chosen_for}: off by "
            f"{rounded(one.error, 2)}{unit} in the mean, {one.within:.0%} within one standard "
            "deviation (68% would be right)"
        )
    else:
        axes.set(xticks=[], yticks=[])
    axes.set_title("\n".join(wrap(told, TITLE_LETTERS[bool(chosen_for)])), fontsize=12)


def _draw(axes: Axes, rows: NDArray[np.float64]) -> None:
    means, stds, values = rows.T
    n = len(rows)
    axes.errorbar(
        means,
        values,
        xerr=stds,
        fmt="none",
        ecolor=BARS,
        elinewidth=0.4 if is_dense(n) else 1.0,
        label="one standard deviation",
        rasterized=is_dense(n),
    )
    axes.scatter(
        means,
        values,
        s=mark_size(n),
        color=SIMULATED,
        edgecolors="white",
        linewidths=0 if is_dense(n) else 0.5,
        label="molecule",
        rasterized=is_dense(n),
        zorder=3,
    )
    least = min((means - stds).min(), values.min())
    most = max((means + stds).max(), values.max())
    edge = MARGIN * (most - least) or 1.0
    ends = [least - edge, most + edge]
    axes.plot(ends, ends, color=BEST, linewidth=1.2, label="predicted = simulated", zorder=4)
    axes.set(xlim=ends, ylim=ends)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6))
