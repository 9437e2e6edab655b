"""The figures of a page: SVG that takes its colours from the page."""

import heapq
import io
import re
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from molloop.report.figures import LOOK, WORK_COLORS, draw_timeline, draw_work_over_time
from molloop.report.page.feed import N_BEST, Run

MAX_POINTS = 600
EXPECTED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# Okabe and Ito's, without yellow and black, which one of the two backgrounds hides
RUN_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
RUN_STYLES = ("-", "--", ":")
# stand for the page's own, light or dark
INK, FAINT, MARK, BEST = "#010203", "#040506", "#070809", "#0a0b0c"
VARIABLES = {INK: "--ink", FAINT: "--faint", MARK: "--mark", BEST: "--best"}
PAGE_LOOK: dict[str, Any] = LOOK | {
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # names of folders are no formulas
    "svg.hashsalt": "molloop",
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": FAINT,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
Floats = NDArray[np.float64]


def found_over_time(run: Run) -> Markup:
    """Draw each value and the best so far, over simulations and over time."""
    target = run.settings.target()

    def draw(figure: Figure) -> None:
        over_simulations, over_time = figure.subplots(1, 2, sharey=True)
        values, times = np.array(run.values), np.array(run.times_s)
        best = run.settings.target().sign * np.maximum.accumulate(
            run.settings.target().sign * values
        )
        for axes, places in (
            (over_simulations, np.arange(1.0, len(values) + 1)),
            (over_time, times),
        ):
            rows = thinned(values, MAX_POINTS)
            axes.scatter(places[rows], values[rows], s=14, color=MARK, linewidths=0, alpha=0.7)
            steps = np.flatnonzero(np.diff(best, prepend=np.nan) != 0)
            axes.step(
                [*places[steps], places[-1]], [*best[steps], best[-1]], where="post", color=BEST
            )
            axes.set_xlim(left=0)
        over_simulations.set(xlabel="Simulations", ylabel=target.heading)
        over_simulations.xaxis.set_major_locator(MaxNLocator(integer=True))
        over_time.set(xlabel="Time (s)")

    told = (
        f"Values of {run.n_values:,} molecules over simulations and over time; the best so far is "
        f"{target.best(run.values):.2f} {target.unit}."
    )
    return _svg(draw, (10, 3.6), told)


def predicted_and_simulated(run: Run) -> Markup:
    """Draw what rankings expected of the molecules that they chose, and what these have."""

    def draw(figure: Figure) -> None:
        axes, calibration = figure.subplots(1, 2)
        means, stds, values = np.array(run.pairs).T
        calibration.plot([0, 1], [0, 1], color=BEST, linewidth=1)
        calibration.plot(EXPECTED, observed_shares(means, stds, values), color=MARK, marker="o")
        calibration.set(xlabel="Share within an interval: expected", ylabel="and found")
        rows = thinned(values, MAX_POINTS)
        axes.scatter(means[rows], values[rows], s=14, color=MARK, linewidths=0, alpha=0.7)
        ends = [min(means.min(), values.min()), max(means.max(), values.max())]
        axes.plot(ends, ends, color=BEST, linewidth=1)
        heading = run.settings.target().heading
        axes.set(xlabel=f"Predicted {heading}", ylabel=f"Simulated {heading}")

    return _svg(
        draw,
        (6.4, 3.3),
        f"Predicted against simulated values of {len(run.pairs):,} molecules that the model chose, "
        "and how many of them lie within its intervals.",
    )


def observed_shares(means: Floats, stds: Floats, values: Floats) -> Floats:
    """Return the share of values within each central interval of `EXPECTED`, of normal errors."""
    halves = stds[:, None] * [NormalDist().inv_cdf((1 + share) / 2) for share in EXPECTED]
    shares: Floats = (np.abs(values - means)[:, None] <= halves).mean(axis=0)
    return shares


def side_by_side(runs: Sequence[Run]) -> Markup:
    """Draw what each of several runs has found: the best, and the mean of its best ten.

    Empty where they searched for different things.
    """
    targets = [run.settings.target() for run in runs]
    if len({(one.heading, one.sign) for one in targets}) > 1:
        return Markup("")
    sign = targets[0].sign

    def draw(figure: Figure) -> None:
        over_time, over_simulations = figure.subplots(1, 2, sharey=True)
        for number, run in enumerate(runs):
            n, values = run.n_values, sign * np.array(run.values)
            if not n:
                continue
            look = {
                "color": RUN_COLORS[number % len(RUN_COLORS)],
                "linestyle": RUN_STYLES[number // len(RUN_COLORS) % len(RUN_STYLES)],
                "label": run.folder.name,
                "linewidth": 1.8,
            }
            top = running_mean_of_best(values, N_BEST)
            best = np.maximum.accumulate(values)
            _draw_steps(over_time, run.times_s, sign * best, look)
            if n >= N_BEST:
                few = N_BEST - 1
                _draw_steps(over_simulations, range(N_BEST, n + 1), sign * top[few:], look)
        over_time.set(title="Best", xlabel="Time (s)", ylabel=targets[0].heading)
        over_simulations.set(title=f"Mean of the best {N_BEST}", xlabel="Simulations")
        handles, labels = over_time.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(runs)))

    told = "; ".join(
        f"{run.folder.name}: {target.best(run.values):.2f} {target.unit} after {run.n_values:,}"
        for run, target in zip(runs, targets, strict=True)
        if run.values
    )
    return _svg(draw, (10, 4.2), f"The best values over time and over simulations. {told}")


def _draw_steps(axes: Axes, places: Sequence[float], found: Floats, look: dict[str, Any]) -> None:
    """Draw what changes seldom by its changes alone."""
    rows = np.unique([*np.flatnonzero(np.diff(found, prepend=np.nan)), len(found) - 1])
    axes.step(np.asarray(places)[rows], found[rows], where="post", **look)


def running_mean_of_best(values: Floats, n: int) -> Floats:
    """Return the mean of the n largest of the first 1, 2, ... values; of all where they are few."""
    best: list[float] = []
    total = 0.0
    means = np.empty(len(values))
    for row, value in enumerate(values.tolist()):
        total += value
        if len(best) < n:
            heapq.heappush(best, value)
        else:
            total -= heapq.heappushpop(best, value)
        means[row] = total / len(best)
    return means


def workers_over_time(run: Run) -> Markup:
    """Draw how many workers do what, and what each of them did lately."""

    def draw(figure: Figure) -> None:
        over_time, timeline = figure.subplots(2, 1)
        draw_work_over_time(over_time, run.tasks)
        over_time.set(xlabel="Time (s)", ylabel="Workers")
        over_time.yaxis.set_major_locator(MaxNLocator(integer=True))
        draw_timeline(timeline, lately(run))
        timeline.grid(visible=False)
        timeline.set(xlabel="Time (s), lately", ylabel="Worker")
        handles, labels = over_time.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=len(WORK_COLORS))

    return _svg(draw, (10, 4.8), "Workers by what they do over time, and what each did lately.")


def lately(run: Run, n: int = 300) -> list[Any]:
    """Return the last tasks."""
    return sorted(run.tasks[-n:], key=lambda task: task.began_s)


def thinned(values: Floats, n: int) -> NDArray[np.intp]:
    """Return rows of up to n points that look like all: extremes of each stretch, and others."""
    if len(values) <= n:
        return np.arange(len(values))
    rows: list[NDArray[np.intp]] = []
    for stretch in np.array_split(np.arange(len(values)), n // 3):
        part = values[stretch]
        rows.append(stretch[np.unique([part.argmin(), part.argmax(), len(part) // 2])])
    return np.concatenate(rows)


def _svg(draw: Callable[[Figure], None], size: tuple[float, float], told: str) -> Markup:
    """Return a figure as an element of the page, with words for those who do not see it."""
    with mpl.rc_context(PAGE_LOOK):  # type: ignore[arg-type]  # its stub spells out every key
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    for color, variable in VARIABLES.items():
        text = text.replace(color, f"var({variable})")
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)  # the page's own
    opening = f'<svg role="img" aria-label="{Markup.escape(told)}" class="figure" '
    text = re.sub(
        r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', lambda found: f"{opening}{found[1]}>", text, count=1
    )
    return Markup(text)
