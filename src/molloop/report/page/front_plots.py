"""The figures of a page of a run with several objectives."""

from itertools import combinations

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from molloop.goal import Goal
from molloop.report.front_figure import draw_pair, draw_volume, hypervolume_of
from molloop.report.look import drawn
from molloop.report.numbers import rounded
from molloop.report.page.feed import Run
from molloop.report.page.plots import BEST, MARK, svg
from molloop.report.utilisation import first_s
from molloop.texts import counted, svg_text


def front_and_volume(run: Run, goal: Goal) -> Markup:
    """Draw each pair of objectives with the front, and how its hypervolume has grown."""
    points = run.record.points()
    if not np.isfinite(points).all(axis=1).any():
        return Markup("")
    volumes, reference = hypervolume_of(goal, points)
    quantities = [drawn(one.quantity, svg_text) for one in goal.objectives]
    front = counted(len(run.record.front()), "molecule")
    drawings = []
    for pair in combinations(range(len(quantities)), 2):

        def values(figure: Figure, pair: tuple[int, int] = pair) -> None:
            draw_pair(figure.subplots(), goal, points, pair, quantities, (MARK, BEST))

        names = " and ".join(quantities[place].symbol for place in pair)
        drawings.append(svg(values, f"Values of {names}; the Pareto front has {front}."))

    def over_values(figure: Figure) -> None:
        axes = figure.subplots()
        draw_volume(axes, np.arange(1.0, len(volumes) + 1), volumes, BEST)
        axes.set(xlabel="Number of values", ylabel="Hypervolume")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))

    def over_time(figure: Figure) -> None:
        axes = figure.subplots()
        draw_volume(axes, np.array(run.record.times_s), volumes, BEST)
        axes.set(xlabel="Time (s)", ylabel="Hypervolume")
        axes.set_xlim(left=first_s(run.record.tasks))

    told = f"{rounded(volumes[-1])} above the reference point {reference}."
    drawings.append(svg(over_values, f"Hypervolume of the front over the values: {told}"))
    drawings.append(svg(over_time, f"Hypervolume of the front over time: {told}"))
    return Markup("").join(drawings)
