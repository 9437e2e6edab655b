"""The figures of a page: SVG that takes its colours from the page."""

import heapq
import io
import re
import warnings
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

from molloop.campaign.engine import Task
from molloop.goal import Quantity
from molloop.report.figures import WORK_COLORS, draw_timeline, draw_work_over_time
from molloop.report.look import LOOK, drawn, line_look
from molloop.report.numbers import rounded
from molloop.report.page.feed import Run
from molloop.report.utilisation import first_s
from molloop.store.record import N_BEST
from molloop.texts import counted, html_text, svg_text

MAX_POINTS = 300
N_LEGEND = 36  # signs of a run's name
EXPECTED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SIZE = (5.2, 3.2)  # two stand side by side, on a phone one below the other
# stand for the page's own, light or dark
INK, FAINT, MARK, BEST = "#010203", "#040506", "#070809", "#0a0b0c"
VARIABLES = {INK: "--ink", FAINT: "--faint", MARK: "--mark", BEST: "--best"}
# a colour, or a font, which the page has itself; not in the texts between tags: they are names
LOOK_OF_TAGS = re.compile(rf'(?:({"|".join(VARIABLES)})|font-family: [^;"<>]*;? ?)(?=[^<>]*>)')
PAGE_LOOK: dict[str, Any] = LOOK | {
    "svg.fonttype": "none",  # text stays text
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
    """Draw each value and the best so far, in their order and over time.

    Hollow marks are of values that are never among the best.
    """
    quantity = _quantity(run)
    values, best = np.array(run.record.values), run.record.best_so_far()
    rows, may_win = thinned(values, MAX_POINTS), ~np.isnan(run.record.eligible())
    told = f"the best so far is {_best(run)}."
    if not may_win.all():
        told += " Hollow marks are never among the best."

    def draw(axes: Axes, places: Floats, left: float) -> None:
        for face, some in (("none", rows[~may_win[rows]]), (MARK, rows[may_win[rows]])):
            marks = axes.scatter(places[some], values[some], 12, facecolors=face, edgecolors=MARK)
            marks.set(linewidth=0.8, alpha=0.7)
        steps = np.flatnonzero(np.diff(best, prepend=np.nan) != 0)
        ends = [*places[steps], places[-1]], [*best[steps], best[-1]]
        axes.step(*ends, where="post", color=BEST)
        axes.set_xlim(left=left)
        axes.set(ylabel=quantity.heading)

    def in_order(figure: Figure) -> None:
        axes = figure.subplots()
        draw(axes, np.arange(1.0, len(values) + 1), 0)
        axes.set(xlabel="Number of values")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))

    def over_time(figure: Figure) -> None:
        axes = figure.subplots()
        draw(axes, np.array(run.record.times_s), first_s(run.record.tasks))
        axes.set(xlabel="Time (s)")

    many = f"Values of {counted(run.record.n_values, 'molecule')}"
    return svg(in_order, f"{many} in their order; {told}") + svg(
        over_time, f"{many} over time; {told}"
    )


def predicted_and_simulated(run: Run) -> Markup:
    """Draw what rankings expected of the molecules that they chose, and what these have."""
    means, stds, values = np.array(run.record.pairs).reshape(-1, 3).T
    shares = observed_shares(means, stds, values)

    def calibration(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=BEST, linewidth=1)
        axes.plot(EXPECTED, shares, color=MARK, marker="o")
        axes.set(xlabel="Share expected within an interval", ylabel="Share found within it")

    middle = EXPECTED.index(0.5)
    return _pairs(run, means, values) + svg(
        calibration,
        f"How many of them lie within the model's intervals: {shares[middle]:.0%} where half is "
        f"expected, {shares[-1]:.0%} where {EXPECTED[-1]:.0%} are.",
    )


def predicted_of_stages(run: Run) -> Markup:
    """Draw what rankings for stages below expected of the last value, and what it is."""
    found = Markup("")
    for protocol in run.settings.protocols()[:-1]:
        rows = np.array(run.record.of_stages[protocol.stage].pairs).reshape(-1, 3)
        if len(rows) > 1:
            found += _pairs(run, rows[:, 0], rows[:, 2], protocol.stage)
    return found


def _pairs(run: Run, means: Floats, values: Floats, stage: str = "") -> Markup:
    """Draw predicted against simulated values; those of a ranking for a stage below say which."""
    quantity = _quantity(run)
    few = MAX_POINTS // 2
    rows = np.union1d(thinned(values, few), thinned(means, few))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.scatter(means[rows], values[rows], s=14, color=MARK, linewidths=0, alpha=0.7)
        ends = [min(means.min(), values.min()), max(means.max(), values.max())]
        axes.plot(ends, ends, color=BEST, linewidth=1)
        heading = quantity.heading
        axes.set(xlabel=f"Predicted {heading}", ylabel=f"Simulated {heading}")
        if stage:
            axes.set_title(f"Chosen for {svg_text(stage, N_LEGEND)}")

    error = np.abs(means - values).mean()
    for_stage = f" for {stage}" if stage else ""
    return svg(
        draw,
        f"Predicted against simulated values of {counted(len(means), 'molecule')} that the model "
        f"chose{for_stage}, off by {rounded(error, 2)} {quantity.unit} in the mean.",
    )


def observed_shares(means: Floats, stds: Floats, values: Floats) -> Floats:
    """Return the share of values within each central interval of `EXPECTED`, of normal errors."""
    halves = stds[:, None] * [NormalDist().inv_cdf((1 + share) / 2) for share in EXPECTED]
    shares: Floats = (np.abs(values - means)[:, None] <= halves).mean(axis=0)
    return shares


def side_by_side(runs: Sequence[Run], names: Sequence[str]) -> Markup:
    """Draw what each of several runs has found: the best, and the mean of its best ten.

    Empty where they searched for different things, or computed them by different levels.
    """
    objectives = [run.settings.objective() for run in runs]
    labels = {run.settings.protocol().label for run in runs}
    searched = {(one.quantity.heading, one.sign, one.flagged) for one in objectives}
    if len(labels) > 1 or len(searched) > 1:
        return Markup("")
    sign, heading = objectives[0].sign, _quantity(runs[0]).heading

    def over_time(figure: Figure) -> None:
        axes = figure.subplots()
        for number, run in enumerate(runs):
            if run.record.values:
                # a name that begins with _ would be none
                label = f"{number + 1} {svg_text(names[number], N_LEGEND)}"
                look = {"label": label} | line_look(number)
                _draw_steps(axes, run.record.times_s, run.record.best_so_far(), look)
        axes.set(title="Best", xlabel="Time (s)", ylabel=heading)
        if any(run.record.values for run in runs):
            axes.set_xlim(left=min(first_s(run.record.tasks) for run in runs if run.record.values))
            axes.legend(loc="lower right", fontsize="small")

    def over_simulations(figure: Figure) -> None:
        axes = figure.subplots()
        for number, run in enumerate(runs):
            values = run.record.eligible()
            places = 1 + np.flatnonzero(~np.isnan(values))
            if len(places) >= N_BEST:
                top = running_mean_of_best(sign * values[places - 1], N_BEST)[N_BEST - 1 :]
                ends = [*places[N_BEST - 1 :], run.record.n_values]
                _draw_steps(axes, ends, sign * np.append(top, top[-1]), line_look(number))
        axes.set(title=f"Mean of the best {N_BEST}", xlabel="Number of values")
        axes.set(ylabel=heading)

    told = "; ".join(
        f"{name}: {_best(run)} after {run.record.n_values:,}"
        for name, run in zip(names, runs, strict=True)
        if run.record.values
    )
    return svg(over_time, f"The best values over time. {told}") + svg(
        over_simulations, f"The mean of the best {N_BEST} over the values."
    )


def _draw_steps(axes: Axes, places: Sequence[float], found: Floats, look: dict[str, Any]) -> None:
    """Draw what changes seldom by its changes alone."""
    rows = np.unique([*np.flatnonzero(np.diff(found, prepend=np.nan)), len(found) - 1])
    axes.step(np.asarray(places)[rows], found[rows], where="post", linewidth=1.8, **look)


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

    def over_time(figure: Figure) -> None:
        axes = figure.subplots()
        draw_work_over_time(axes, run.record.tasks)
        axes.set(xlabel="Time (s)", ylabel="Workers")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="lower right", bbox_to_anchor=(1.02, 1.0), ncols=len(WORK_COLORS))

    def timeline(figure: Figure) -> None:
        axes = figure.subplots()
        draw_timeline(axes, lately(run))
        axes.grid(visible=False)
        axes.margins(x=0)  # it begins with a task
        axes.set(title="Lately", xlabel="Time (s)", ylabel="Worker")

    return svg(over_time, "How many workers simulate, train and rank over time.") + svg(
        timeline, "What each worker did lately."
    )


def lately(run: Run, n: int = 150) -> list[Task]:
    """Return the tasks that ended last, of all kinds, in the order in which they began.

    What is stored stands in no order of time: tasks beside simulations are known later.
    """
    last = heapq.nlargest(n, run.record.tasks, key=lambda task: task.ended_s)
    return sorted(last, key=lambda task: task.began_s)


def thinned(values: Floats, n: int) -> NDArray[np.intp]:
    """Return rows of up to n points that look like all: extremes of each stretch, and others."""
    if len(values) <= n:
        return np.arange(len(values))
    rows: list[NDArray[np.intp]] = []
    for stretch in np.array_split(np.arange(len(values)), n // 3):
        part = values[stretch]
        rows.append(stretch[np.unique([part.argmin(), part.argmax(), len(part) // 2])])
    return np.concatenate(rows)


def _best(run: Run) -> str:
    unit = run.settings.objective().quantity.unit
    best = [f"{rounded(run.record.value(one), 2)} {unit}" for one in run.record.best(1)]
    return (
        best[0]
        if best
        else "none, as all values are flagged, or outside the goal or the conditions"
    )


def _quantity(run: Run) -> Quantity:
    return drawn(run.settings.objective().quantity, svg_text)


def svg(draw: Callable[[Figure], None], told: str) -> Markup:
    """Return a figure as an element of the page, with words for those who do not see it."""
    with (
        mpl.rc_context(PAGE_LOOK),  # type: ignore[arg-type]  # its stub spells out every key
        warnings.catch_warnings(),
    ):
        # text stays text: the reader's fonts have signs that matplotlib's lacks
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure = Figure(figsize=SIZE)
        # margins of a layout engine would have all drawn twice
        figure.subplots_adjust(left=0.17, right=0.98, bottom=0.18, top=0.9)
        draw(figure)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = LOOK_OF_TAGS.sub(lambda one: f"var({VARIABLES[one[1]]})" if one[1] else "", text)
    opening = f'<svg role="img" aria-label="{html_text(told)}" class="figure" '
    text = re.sub(
        r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', lambda found: f"{opening}{found[1]}>", text, count=1
    )
    return Markup(text)
