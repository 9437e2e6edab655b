"""The figures of a run: what it has found, and what its workers did."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from molloop.campaign.engine import Task, Work
from molloop.campaign.jobs import Simulated
from molloop.report.found import Found
from molloop.report.look import (
    ASIDE,
    BEST,
    LOOK,
    N_NAME,
    N_UNIT,
    PREDICTED,
    SIMULATED,
    axis_level,
    drawn,
    enlarge_marks,
    is_dense,
    mark_size,
    save,
)
from molloop.report.names import short_name
from molloop.report.numbers import rounded
from molloop.report.tables import N_BEST_PREDICTED
from molloop.report.utilisation import first_s, n_working, utilisation
from molloop.texts import counted, drawn_text

WORK_COLORS = {Work.SIMULATE: "#0072B2", Work.TRAIN: "#D55E00", Work.RANK: "#009E73"}
N_LABEL = 36
N_BINS = 200
N_TIMELINES = 256
N_TICKS = 16
SPREAD = 0.5  # width that the points of an iteration take, in iterations


def write_workers_figure(results: Found, path: Path) -> None:
    """Draw how many workers do what over time, and what each of them does; see `save`."""
    with mpl.rc_context(LOOK):  # type: ignore[arg-type]  # its stub spells out every key
        figure = Figure(figsize=(11, 5.6), layout="constrained")
        over_time, timeline = figure.subplots(2, 1, sharex=True)
        over_time.set(title="Workers by what they do", ylabel="Workers")
        over_time.yaxis.set_major_locator(MaxNLocator(integer=True))
        timeline.set(title="What each worker does", xlabel="Time (s)", ylabel="Worker")
        timeline.grid(visible=False)
        if results.tasks:
            draw_work_over_time(over_time, results.tasks)
            draw_timeline(timeline, results.tasks)
            handles, labels = over_time.get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower center", ncols=len(Work))
        if (used := utilisation(results.tasks, results.resumed_s)) is not None:
            figure.suptitle(
                f"{counted(used.n_workers, 'worker')}, busy {used.busy:.0%} of the time from the "
                f"first simulation to the last, simulating {used.shares[Work.SIMULATE]:.0%}",
                fontsize=12,
            )
        save(figure, path)


def draw_work_over_time(axes: Axes, tasks: Sequence[Task]) -> None:
    """Stack the kinds, averaged over bins: steps that follow each task would be a solid block."""
    begin_s = first_s(tasks)
    end_s = max(*(task.ended_s for task in tasks), begin_s + 1e-9)  # a table may say 0
    edges = np.linspace(begin_s, end_s, N_BINS + 1)
    below = np.zeros(N_BINS)
    for work, color in WORK_COLORS.items():
        times, counts = n_working(tasks, work)
        if not len(times):
            continue
        # integral of the step function up to each edge
        integral = np.concatenate([[0], np.cumsum(np.diff(times) * counts[:-1])])
        upto = np.interp(edges, times, integral)
        above = below + np.diff(upto) / ((end_s - begin_s) / N_BINS)
        axes.fill_between(
            edges,
            np.append(below, below[-1]),
            np.append(above, above[-1]),
            step="post",
            color=color,
            linewidth=0,
            label=work.value,
        )
        below = above
    axes.set_xlim(begin_s, end_s)
    axes.set_ylim(bottom=0)


def draw_timeline(axes: Axes, tasks: Sequence[Task]) -> None:
    """Draw a row of bars a worker."""
    workers = list(dict.fromkeys(task.worker for task in tasks))
    shown = workers[:N_TIMELINES]
    place = {worker: number for number, worker in enumerate(shown)}
    bars: dict[tuple[str, Work], list[tuple[float, float]]] = defaultdict(list)
    for task in tasks:
        bars[task.worker, task.work].append((task.began_s, task.ended_s - task.began_s))
    n_bars = sum(task.worker in place for task in tasks)
    for (worker, work), some in bars.items():
        if worker in place:
            where = (place[worker] - 0.4, 0.8)
            axes.broken_barh(
                some, where, facecolors=WORK_COLORS[work], linewidth=0, rasterized=is_dense(n_bars)
            )
    axes.set_yticks(range(len(shown)) if len(shown) <= N_TICKS else [])
    if len(shown) <= N_TICKS:
        axes.set_yticklabels(str(number + 1) for number in range(len(shown)))
    axes.set_ylim(len(shown) - 0.5, -0.5)
    if len(shown) < len(workers):
        axes.set_title(f"What {len(shown)} of {counted(len(workers), 'worker')} do")


def write_loop_figure(results: Found, path: Path) -> None:
    """Draw the published two panels: best molecules over iterations and over time; see `save`."""
    with mpl.rc_context(LOOK):  # type: ignore[arg-type]  # its stub spells out every key
        figure = Figure(figsize=(11, 4.8), layout="constrained")
        over_batches, over_time = figure.subplots(1, 2, sharey=True)
        over_batches.set(
            title="Best molecules over iterations",
            xlabel="Iteration (0: random molecules)",
            ylabel=_axis_label(results),
        )
        over_batches.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        over_time.set(title="Best molecules over time", xlabel="Time (s)")
        if results.successes:
            _draw_over_batches(over_batches, results)
            _draw_over_time(over_time, results)
            over_batches.margins(y=0.12)
            handles, labels = over_time.get_legend_handles_labels()
            legend = figure.legend(handles, labels, loc="outside lower center", ncols=4)
            enlarge_marks(legend)
        figure.suptitle(_searched(results), fontsize=12)
        save(figure, path)


def _searched(results: Found) -> str:
    """Return how many simulations there were, in which library."""
    told = counted(len(results.values), "simulation")
    molecules = counted(results.n_molecules, "molecule")
    if results.library is None or not results.library.title:
        return f"{told} in a library of {molecules}"
    name = drawn_text(short_name(results.library.title), N_NAME)
    return f"{told} in {name}, {molecules}"


def _draw_over_batches(axes: Axes, results: Found) -> None:
    batches = np.array([item.batch for item in results.successes])
    values = _values(results)
    predictions = [
        (ranking.batch, mean) for ranking in results.rankings for mean in _top(ranking.means)
    ]
    _draw_points(
        axes,
        simulated=(np.array(_spread(batches.tolist())), values),
        predicted=(_spread([batch for batch, _ in predictions]), [ev for _, ev in predictions]),
        may_win=_may_win(results),
    )
    first, last = batches.min(), batches.max()
    order = np.argsort(batches, kind="stable")
    # an iteration without a value ends with those before
    ends = np.searchsorted(batches[order], np.arange(first, last + 1), side="right") - 1
    best = results.best_so_far(order.tolist())[ends]
    edges = np.arange(first, last + 2) - 0.5
    steps = _changes(best)
    axes.stairs(best[steps], edges[[*steps, -1]], baseline=None, color=BEST, linewidth=1.8)


def _draw_over_time(axes: Axes, results: Found) -> None:
    times = np.array([item.time_s for item in results.successes])
    values = _values(results)
    predictions = [
        (ranking.time_s, mean) for ranking in results.rankings for mean in _top(ranking.means)
    ]
    _draw_points(
        axes,
        simulated=(times, values),
        predicted=([time_s for time_s, _ in predictions], [ev for _, ev in predictions]),
        may_win=_may_win(results),
    )
    best = results.best_so_far()
    steps = _changes(best)
    axes.step(
        [*times[steps], times[-1]],
        [*best[steps], best[-1]],
        where="post",
        color=BEST,
        linewidth=1.8,
        label="best simulated so far",
    )
    axes.set_xlim(left=first_s(results.tasks))
    for item in results.best(1):
        _label_last(axes, results, item, (times[-1], best[-1]))


def _label_last(
    axes: Axes, results: Found, item: Simulated, place: tuple[float, np.float64]
) -> None:
    """Write the best molecule where the line of the best ends."""
    sign = results.objective.sign
    label = axes.annotate(
        f"{drawn_text(item.label, N_LABEL)}  {rounded(place[1], 2)} "
        f"{drawn_text(results.objective.quantity.unit, N_UNIT)}",
        place,
        xytext=(0, 6 * sign),
        textcoords="offset points",
        ha="right",
        va="bottom" if sign > 0 else "top",
        parse_math=False,
    )
    label.set_in_layout(False)


def _draw_points(
    axes: Axes,
    simulated: tuple[NDArray[np.float64], NDArray[np.float64]],
    predicted: tuple[Sequence[float], Sequence[float]],
    may_win: NDArray[np.bool_],
) -> None:
    n_predicted, n_simulated = len(predicted[0]), len(simulated[0])
    axes.scatter(
        *predicted,
        s=0.95 * mark_size(n_predicted),
        marker="D",
        facecolors="none",
        edgecolors=PREDICTED,
        linewidths=0.6 if is_dense(n_predicted) else 1.2,
        label=f"{N_BEST_PREDICTED} best predicted",
        rasterized=is_dense(n_predicted),
    )
    kinds = (~may_win, ASIDE, "simulated, never among the best"), (may_win, SIMULATED, "simulated")
    for are_shown, color, label in kinds:
        if are_shown.any():
            axes.scatter(
                simulated[0][are_shown],
                simulated[1][are_shown],
                s=mark_size(n_simulated),
                color=color,
                edgecolors="white",
                linewidths=0 if is_dense(n_simulated) else 0.5,
                label=label,
                rasterized=is_dense(n_simulated),
            )


def _values(results: Found) -> NDArray[np.float64]:
    """Return the values in the order in which they were known, shape (n,)."""
    values = results.values
    return np.array([values[item.molecule_id] for item in results.successes])


def _may_win(results: Found) -> NDArray[np.bool_]:
    """Return which of these values may be among the best, shape (n,)."""
    return ~np.isnan(results.points()[:, 0])


def _changes(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the places of the first value, and of those that are not the one before."""
    return np.flatnonzero(np.diff(values, prepend=np.nan) != 0)


def _axis_label(results: Found) -> str:
    quantity = drawn(results.objective.quantity)
    unit = f" ({quantity.unit})" if quantity.unit else ""
    return f"{quantity.title}{unit}\n{axis_level(results.protocol.label)}"


def _top(means: Sequence[float]) -> Sequence[float]:
    return means[:N_BEST_PREDICTED]


def _spread(batches: Sequence[int]) -> list[float]:
    """Move the points of an iteration beside each other, so that all can be seen."""
    size = Counter(batches)
    n_seen = dict.fromkeys(size, 0)
    places = []
    for batch in batches:
        n_seen[batch] += 1
        places.append(batch + SPREAD * ((n_seen[batch] - 0.5) / size[batch] - 0.5))
    return places
