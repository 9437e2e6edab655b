"""The Python interface of replays: campaigns over tables of known values."""

import re
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path

from molloop import results
from molloop.assembly.campaign import cores, write_reports
from molloop.assembly.cases import SettingsSpace, baselines, case_of, describe
from molloop.assembly.conditions import select_for
from molloop.assembly.counts import at_least_one, processes
from molloop.assembly.features import features_for
from molloop.campaign.events import Event, Finished
from molloop.campaign.jobs import Simulated
from molloop.config.load import override
from molloop.config.settings import Settings
from molloop.errors import InputError, RunError
from molloop.goal import Objective
from molloop.library.reading.options import Reading
from molloop.library.shards import Progress
from molloop.replay.campaign import Scenario, replay
from molloop.replay.compare import Comparison, compare, write_csv
from molloop.replay.drawing import draw_comparison, draw_search
from molloop.replay.measures import Curves, Truth, measure
from molloop.replay.table import IE_COLUMN, Table, open_table
from molloop.replay.tune import OBJECTIVES, Search, Tuned
from molloop.report.model_error import with_accuracy
from molloop.results import Results

COMPARISON = "comparison.csv"
COMPARISON_FIGURE = "comparison"  # a .png and a .svg
TUNED_CONFIG = "tuned.toml"
FRONT_FIGURE = "front"


def no_progress(_what: str, _fraction: float) -> None:
    """Show nothing."""


@dataclass(frozen=True, eq=False)
class Replayed:
    """A replay: what a run would have found, and how that compares with all there was."""

    results: Results
    truth: Truth
    curves: Curves


def open_known(
    name: str,
    column: str = IE_COLUMN,
    durations: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    smiles_column: str | int | None = None,
    separator: str | None = None,
    no_header: bool = False,
) -> Table:
    """Open a table of known values, and the library of its molecules; at first use it is built.

    Parameters
    ----------
    name
        A built-in one, ``qm9-ie-20k``, or a file of molecules that has a column of values.
    column
        Of the values.
    durations
        A column of seconds, or ``constant:S``, ``uniform:LEAST,MOST``, ``exponential:MEAN``,
        ``lognormal:MEDIAN,SIGMA``. None: the column of a built-in table, a second each otherwise.
    seed
        Of what is drawn.
    progress
        Called while the library is built, with what is being done, and how much of it, 0 to 1.
    smiles_column, separator, no_header
        Of the file, as :confval:`library.column`, :confval:`library.separator` and
        :confval:`library.no_header`.

    Raises
    ------
    InputError
        The file, a column or a number in it cannot be read.
    """
    import platformdirs

    cache_dir = platformdirs.user_cache_path("molloop") / "libraries"
    reading = Reading.of(
        smiles_column, separator=separator, no_header=no_header, option="--smiles-column"
    )
    return open_table(name, cache_dir, column, durations, seed, cores(), progress, reading)


def table_settings(settings: Settings, table: Table) -> Settings:
    """Return a configuration whose property is that of a table."""
    if table.column == settings.objective().quantity.column:
        return settings
    simulator = f"table-{re.sub(r'[^A-Za-z0-9_.-]+', '_', Path(table.name).name)}"
    facts = {"name": table.column, "unit": "", "simulator": simulator}
    return override(settings, {f"property.{key}": value for key, value in facts.items()})


def runnable(tuned: Settings, given: Settings) -> Settings:
    """Return what was tuned on a table, with the property and the simulation that were given."""
    own = {"property": given.property, "simulation": given.simulation}
    return tuned.model_copy(update=own)


def under_conditions(table: Table, settings: Settings, progress: Progress) -> Table:
    """Return the table of the molecules that a configuration's conditions leave.

    The others can neither be chosen nor count among the best.
    """
    selection, _ = select_for(table_settings(settings, table), table.library, progress)
    return table.under(selection) if selection.path else table


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
    settings = table_settings(settings or Settings(), table)
    table = _with_features(under_conditions(table, settings, progress), [settings], progress)
    objective = settings.objective()
    n_values, n_wanted = 0, settings.campaign.max_training_count or table.library.n_molecules

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
        found = results.read(store, objective, played.protocol)
        truth = _truth(table, objective, top_k)
        curves = measure(played, truth)
    found = with_accuracy(found, table.library, case.policy, case.seed, table.values)
    if out is not None:
        progress("writing tables and figures", 0.0)
        write_reports(found, table.library, _made(out))
    if curves.failure:
        raise RunError(f"The replay stopped: {curves.failure}.", "Does the table have more values?")
    return Replayed(found, truth, curves)


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
    settings = table_settings(settings or Settings(), table)
    table = under_conditions(table, settings, progress)
    if settings.campaign.training_data is not None:
        raise InputError(
            "campaign.training_data",
            settings.campaign.training_data,
            "nothing known beforehand in a comparison",
            "Leave it out: train-once begins with half of the budget.",
        )
    beside = baselines(settings)
    asked = policies or (settings.search.policy,)
    compared = {
        name: beside.get(name) or override(settings, {"search.policy": name}) for name in asked
    } | beside
    table = _with_features(table, compared.values(), progress)
    searched, scenario = settings.objective(), scenario or Scenario()
    found = compare(
        table,
        {name: partial(case_of, one, table, scenario) for name, one in compared.items()},
        range(first_seed, first_seed + at_least_one("n_seeds", n_seeds)),
        scenario,
        _truth(table, searched, top_k),
        processes(n_processes),
        progress,
    )
    if out is not None:
        progress("writing table and figure", 0.0)
        folder = _made(out)
        write_csv(found, folder / COMPARISON)
        draw_comparison(found, searched, folder / COMPARISON_FIGURE)
    return found


def tune_settings(
    table: Table,
    settings: Settings | None = None,
    scenario: Scenario | None = None,
    objective: str = "best",
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
        As of :func:`replay_table`; the budget is `campaign.max_training_count`.
    objective
        ``best`` or ``recall``.
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
    if objective not in OBJECTIVES:
        raise InputError("objective", objective, " or ".join(OBJECTIVES), "Name one of them.")
    given = settings or Settings()
    settings = table_settings(given, table)
    table = _with_features(under_conditions(table, settings, progress), [given], progress)
    searched, scenario = settings.objective(), scenario or Scenario()
    search = Search(
        SettingsSpace(settings, table, scenario),
        table,
        _truth(table, searched, top_k),
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
    return found


def _with_features(table: Table, some: Iterable[Settings], progress: Progress) -> Table:
    """Return a table whose library has what the models of some configurations learn from.

    What is wrong with a policy is said here, not in another process.
    """
    policies = [one.policy() for one in some]
    return replace(table, library=features_for(policies, table.library, progress))


def _truth(table: Table, objective: Objective, top_k: int) -> Truth:
    n = at_least_one("top_k", top_k)
    return Truth.of(table.values, objective.sign, n, objective.threshold)


def _made(folder: str | PathLike[str]) -> Path:
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    return path
