"""The one look of all figures: PNG for the screen, SVG for papers."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from molloop.files import write_whole
from molloop.goal import Quantity
from molloop.texts import FONT, drawn_text

# Okabe and Ito's colours: told apart by colour-blind readers, and in print
SIMULATED = "#0072B2"
PREDICTED = "#D55E00"
BEST = "#222222"
ASIDE = "#999999"
AXIS_SIGNS = 44  # in a line beside an axis
LOOK: dict[str, Any] = {
    "font.family": FONT,
    "font.size": 11,
    "text.parse_math": False,  # names are no formulas, whatever signs they have
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "grid.color": "#E6E6E6",
    "legend.frameon": False,
    "savefig.dpi": 200,  # also of what is an image in an SVG
    "svg.fonttype": "path",  # text looks the same where the font is missing
    "svg.hashsalt": "molloop",  # the same run gives the same file
}
# those of theirs that stand out from a white and from a dark background, 3 to 1 at least
LINE_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
LINE_STYLES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
FORMATS: dict[str, dict[str, None]] = {"png": {}, "svg": {"Date": None, "Creator": None}}
N_NAME, N_UNIT = 36, 24  # signs of a property that there is space for
MAX_MARKS = 1000  # more are an image in an SVG, which would be megabytes otherwise


def line_look(number: int) -> dict[str, Any]:
    """Return colour and style of one of several lines: neither tells it apart alone."""
    return {
        "color": LINE_COLORS[number % len(LINE_COLORS)],
        "linestyle": LINE_STYLES[number % len(LINE_STYLES)],
    }


def save(figure: Figure, path: Path) -> None:
    """Write a figure as .png and as .svg, each whole or not at all.

    Parameters
    ----------
    path
        Without an ending.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # it is laid out now, for both
    for file_format, metadata in FORMATS.items():
        draw = partial(figure.savefig, format=file_format, metadata=metadata)
        write_whole(path.with_name(f"{path.name}.{file_format}"), draw)


def drawn(quantity: Quantity, clean: Callable[..., str] = drawn_text) -> Quantity:
    """Return a quantity by the names that a figure can hold."""
    return Quantity(
        symbol=clean(quantity.symbol, N_NAME),
        unit=clean(quantity.unit, N_UNIT),
        title=clean(quantity.title, N_NAME),
    )


def is_dense(n: int) -> bool:
    """Whether so many marks are to be an image."""
    return n > MAX_MARKS


def mark_size(n: int) -> float:
    """Return the area of each of n marks, in square points: the more, the smaller."""
    return float(np.clip(36 * 300 / max(n, 1), 5, 36))


def enlarge_marks(legend: Legend) -> None:
    """Have a legend show marks of the common size, however small they are drawn."""
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([mark_size(1)])


def axis_level(label: str) -> str:
    """Return how values were computed, in lines that an axis has room for."""
    return fill(drawn_text(label), AXIS_SIGNS)
