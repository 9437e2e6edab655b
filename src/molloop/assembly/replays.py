"""The Python interface of replays: campaigns over tables of known values."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from math import nan
from os import PathLike
from pathlib import Path

from molloop import results
from molloop.assembly.beside import Baseline, baselines_of_ladder, rivals_of_ladders
from molloop.assembly.cases import SettingsSpace, baselines, case_of, describe
from molloop.assembly.counts import at_least_one, processes
from molloop.assembly.features import features_for, knowing
from molloop.assembly.reports import write_reports
from molloop.assembly.tables import runnable, set_up
from molloop.campaign.events import Event, Finished
from molloop.campaign.jobs import Simulated
from molloop.config.load import override
from molloop.config.settings import Settings
from molloop.errors import InputError, RunError
from molloop.library.shards import Progress
from molloop.replay.campaign import Case, Played, Scenario, replay
from molloop.replay.compare import Comparison, compare, write_csv
from molloop.replay.drawing import draw_comparison, draw_search
from molloop.replay.goals import truth_of
from molloop.replay.measures import Curves, Truth, measure
from molloop.replay.table import Table
from molloop.replay.tune import FRONT_OBJECTIVES, OBJECTIVES, Search, Tuned
from molloop.report.model_error import on_chosen, on_others, with_accuracy
from molloop.results import Results

COMPARISON = "comparison.csv"
COMPARISON_FIGURE = "comparison"  # a .png and a .svg
TUNED_CONFIG = "tuned.toml"
FRONT_FIGURE = "front"


def no_progress(_what: str, _fraction: float) -> None:
    """Show nothing."""


@dataclass(frozen=True, eq=False)
class Replayed:
    """A replay: what a run would have found, and how that compares with all there was.

    Attributes
    ----------
    remarks
        On the table, in words: what conditions leave of it, and whether charges differ.
    beside
        Of a ladder, what one stage at a time finds in the same virtual time.
    """

    results: Results
    truth: Truth
    curves: Curves
    remarks: tuple[str, ...] = ()
    beside: tuple[Baseline, ...] = ()


def replay_table(
    table: Table,
    settings: Settings | None = None,
    scenario: Scenario | None = None,
    top_k: int = 100,
    out: str | PathLike[str] | None = None,
    progress: Progress = no_progress,
) -> Replayed:
    """Play one campaign over a table.

    Parameters
    ----------
    table
        Of :func:`open_known`.
    settings
        The configuration; the defaults otherwise.
    scenario
        What it runs on; one virtual worker otherwise.
    top_k
        How many of the best molecules recall looks at.
    out
        Takes the tables and figures of a run.
    progress
        Called with what is being done, and how much of it, 0 to 1; 0 also where that is not known.

    Raises
    ------
    RunError
        The campaign failed, as a run would.
    """
    table, settings, remarks = set_up(table, settings or Settings(), progress)
    table = _with_features(table, [settings], progress)
    counts = settings.max_counts()
    n_wanted = sum(count or table.library.n_molecules for count in counts)
    n_values = 0

    def count(_time_s: float, event: Event, _simulated: Simulated | None) -> None:
        nonlocal n_values
        if isinstance(event, Finished) and not event.failure:
            n_values += 1
            progress("replaying", n_values / n_wanted)

    scenario = scenario or Scenario()
    case = case_of(settings, table, scenario, settings.campaign.seed)
    progress("replaying", 0.0)
    played = replay(case, table, scenario, count)
    progress("measuring the model", 0.0)
    with closing(played.store) as store:
        found = results.read(store, settings.goal(), *played.protocols)
        truth = _truth(table, settings, top_k)
        curves = measure(played, truth)
    found = with_accuracy(found, table.library, case.policy, case.seed, table.values)
    if out is not None:
        progress("writing tables and figures", 0.0)
        write_reports(found, table.library, _made(out), case.policy, case.seed)
    if curves.failure:
        raise RunError(f"The replay stopped: {curves.failure}.", "Does the table have more values?")
    beside: list[Baseline] = []
    if settings.stages:
        progress("playing one stage at a time", 0.0)
        beside = baselines_of_ladder(curves, table, settings, scenario, truth)
    return Replayed(found, truth, curves, remarks, tuple(beside))


def compare_policies(
    table: Table,
    policies: Sequence[str] = (),
    settings: Settings | None = None,
    n_seeds: int = 20,
    first_seed: int = 1000,
    scenario: Scenario | None = None,
    top_k: int = 100,
    out: str | PathLike[str] | None = None,
    n_processes: int | None = None,
    progress: Progress = no_progress,
) -> Comparison:
    """Replay policies, and the baselines, with the same seeds.

    Of a ladder the baselines are one stage at a time, for as long as the first policy has taken
    with the same seed: the last stage alone, and a stage below, whose best are computed again.

    Parameters
    ----------
    table, settings, scenario, top_k
        As of :func:`replay_table`.
    policies
        Names as of `search.policy`; none: that of the configuration.
    n_seeds, first_seed
        How many campaigns a policy, and the seed of the first; the others follow.
    out
        Takes comparison.csv, comparison.png and comparison.svg.
    n_processes
        That play; None: one a core.
    progress
        Called with what is being done, and how much of it, 0 to 1.

    Raises
    ------
    InputError
        There is no such policy, or values are known beforehand.
    """
    table, settings, remarks = set_up(table, settings or Settings(), progress)
    if settings.campaign.training_data is not None:
        raise InputError(
            "campaign.training_data",
            settings.campaign.training_data,
            "nothing known beforehand in a comparison",
            "Leave it out: train-once begins with half of the budget.",
        )
    beside = {} if settings.stages else baselines(settings)
    asked = policies or (settings.search.policy,)
    compared = {
        name: beside.get(name) or override(settings, {"search.policy": name}) for name in asked
    } | beside
    table = _with_features(table, compared.values(), progress)
    searched, scenario = settings.objective(), scenario or Scenario()
    seeds = range(first_seed, first_seed + at_least_one("n_seeds", n_seeds))
    shared = scenario, _truth(table, settings, top_k), processes(n_processes), progress
    found = compare(
        table,
        {name: partial(case_of, one, table, scenario) for name, one in compared.items()},
        seeds,
        *shared,
        _within_one_deviation,
    )
    if settings.stages:
        first = asked[0]
        rivals = rivals_of_ladders(found.curves[first], table, compared[first], scenario, seeds)
        others = compare(table, rivals, seeds, *shared)
        found = replace(found, curves=found.curves | others.curves)
    if out is not None:
        progress("writing table and figure", 0.0)
        folder = _made(out)
        write_csv(found, folder / COMPARISON)
        draw_comparison(found, searched, folder / COMPARISON_FIGURE)
    return replace(found, remarks=remarks)


def tune_settings(
    table: Table,
    settings: Settings | None = None,
    scenario: Scenario | None = None,
    objective: str | None = None,
    top_k: int = 100,
    n_trials: int = 60,
    seed: int = 0,
    out: str | PathLike[str] | None = None,
    n_processes: int | None = None,
    progress: Progress = no_progress,
) -> Tuned[Settings]:
    """Search for the settings that find the largest value, or most of the best, soonest.

    Parameters
    ----------
    table, settings, scenario, top_k
        As of :func:`replay_table`; the budget is `campaign.max_training_count`. Of a ladder the
        counts of the stages above the first vary too.
    objective
        ``best`` or ``recall``; with several objectives ``hypervolume`` or ``recall``. None: the
        first of the two.
    n_trials, seed
        Configurations to try, and the seed of the search.
    out
        Takes tuned.toml, a configuration for `molloop run`, front.png and front.svg.
    n_processes, progress
        As of :func:`compare_policies`.

    Raises
    ------
    InputError
        There is no such objective.
    """
    given = settings or Settings()
    objective = tuned_for(given, objective)
    table, settings, remarks = set_up(table, given, progress)
    table = _with_features(table, [given], progress)
    searched, scenario = settings.objective(), scenario or Scenario()
    search = Search(
        SettingsSpace(settings, table, scenario),
        table,
        _truth(table, settings, top_k),
        scenario,
        objective,
        at_least_one("n_trials", n_trials),
        seed,
        processes(n_processes),
    )
    found = search.run(progress)
    if out is not None:
        progress("writing configuration and figure", 0.0)
        folder = _made(out)
        tuned = runnable(found.unseen[0].settings, given)
        (folder / TUNED_CONFIG).write_text(tuned.to_toml(), encoding="utf-8")
        draw_search(found, objective, searched, top_k, describe, folder / FRONT_FIGURE)
    return replace(found, remarks=remarks)


def tuned_for(settings: Settings, objective: str | None) -> str:
    """Return what a search is for; InputError where the goal has no such objective."""
    known = FRONT_OBJECTIVES if settings.goal().has_front else OBJECTIVES
    if objective not in (None, *known):
        raise InputError("objective", objective, " or ".join(known), "Name one of them.")
    return objective or known[0]


def _with_features(table: Table, some: Iterable[Settings], progress: Progress) -> Table:
    """Return a table whose library has what the models of some configurations learn from.

    What is wrong with a policy is said here, not in another process.
    """
    library = table.library
    for one in some:
        library = knowing(one, features_for([one.policy()], library, progress), progress)
    return replace(table, library=library)


def _within_one_deviation(played: Played, case: Case, table: Table) -> tuple[float, float]:
    """Return the share of the values within one deviation: of the chosen, and of all others."""
    if not case.policy.predicts:
        return nan, nan
    found = results.read(played.store, case.searched, *played.protocols)
    chosen, others = on_chosen(found), None
    if not found.protocols:
        others = on_others(found, table.library, case.policy, case.seed, table.values)
    return chosen.within if chosen else nan, others.within if others else nan


def _truth(table: Table, settings: Settings, top_k: int) -> Truth:
    return truth_of(table, settings.goal(), at_least_one("top_k", top_k))


def _made(folder: str | PathLike[str]) -> Path:
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    return path
