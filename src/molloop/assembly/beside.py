"""What a ladder that was replayed is measured beside: one stage at a time, for the same time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from molloop.assembly.cases import case_of
from molloop.config.load import override
from molloop.config.settings import Settings
from molloop.replay.alone import Alone, play_alone
from molloop.replay.campaign import Scenario
from molloop.replay.measures import Curves, Truth
from molloop.replay.table import Table


@dataclass(frozen=True, slots=True)
class Baseline:
    """What something simpler finds.

    Attributes
    ----------
    n_values
        Of the last stage.
    n_found
        Of the true best k.
    best
        The best value of the last stage; NaN where there is none.
    """

    name: str
    n_values: int
    n_found: int
    best: float


def rivals_of_ladders(
    ladders: Sequence[Curves],
    table: Table,
    settings: Settings,
    scenario: Scenario,
    seeds: Sequence[int],
) -> dict[str, Callable[[int], Alone]]:
    """Return the baselines of ladders that were played with some seeds: name -> seed -> one."""
    found: dict[str, dict[int, Alone]] = {}
    for seed, curves in zip(seeds, ladders, strict=True):
        for name, one in alone(curves, table, settings, scenario, seed):
            found.setdefault(name, {})[seed] = one
    return {name: of_seeds.__getitem__ for name, of_seeds in found.items()}


def alone(
    ladder: Curves, table: Table, settings: Settings, scenario: Scenario, seed: int
) -> Iterator[tuple[str, Alone]]:
    """Yield the name of each baseline, and what is played of it.

    The first one searches in the last stage alone. Each other one searches for the best of a stage
    below, with as many values there as the ladder has computed, and computes the best of these in
    the last stage for as long as there is time.

    Parameters
    ----------
    ladder
        How it went: its time is theirs.
    """
    time_s, last = float(ladder.times_s[-1]), table.stages[-1]
    own = {"stages": [], "campaign.grace_s": 0.0, "stopping.time_limit_s": None}
    ends = {"stopping.patience": None, "stopping.min_gain": None}
    places = range(len(table.stages))
    for place in (places[-1], *places[:-1]):
        n_initial = settings.campaign.initial_training_count
        changes = {"campaign.max_training_count": max(ladder.n_values[place], n_initial + 1)}
        name = f"{table.stages[place]}, the best again by {last}"
        if place == places[-1]:
            changes = {"stopping.time_limit_s": time_s, "campaign.max_training_count": None}
            name = f"{last} alone"
        case = case_of(override(settings, own | ends | changes), table, scenario, seed)
        yield name, Alone(case, place, time_s)


def baselines_of_ladder(
    ladder: Curves, table: Table, settings: Settings, scenario: Scenario, truth: Truth
) -> list[Baseline]:
    """Return what is found without a ladder in the virtual time that one has taken."""
    found, k = [], len(truth.top)
    for name, one in alone(ladder, table, settings, scenario, settings.campaign.seed):
        curves = play_alone(one, table, scenario, truth)
        n_found = round(k * float(curves.recall[-1]))
        found.append(Baseline(name, curves.n_values[-1], n_found, float(curves.best[-1])))
    return found
