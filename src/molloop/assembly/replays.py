"""The Python interface of replays: campaigns over tables of known values."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from molloop.assembly.campaign import cores, write_reports
from molloop.campaign.events import Event, Finished
from molloop.campaign.jobs import Simulated
from molloop.config.load import override
from molloop.config.settings import Settings
from molloop.errors import InputError, RunError
from molloop.intervals import mean_interval
from molloop.library.shards import Progress
from molloop.replay.campaign import Scenario, replay
from molloop.replay.compare import MEASURES, Comparison, baselines, compare, write_csv
from molloop.replay.measures import Curves, Truth, measure
from molloop.replay.summary import describe
from molloop.replay.table import IE_COLUMN, Table, open_table
from molloop.replay.tune import OBJECTIVES, Search, Trial, Tuned
from molloop.report import results
from molloop.report.curves import Line, Panel, Point, write_curves, write_front
from molloop.report.model_error import with_accuracy
from molloop.report.results import Results

COMPARISON = "comparison.csv"
COMPARISON_FIGURE = "comparison"  # a .png and a .svg
TUNED_CONFIG = "tuned.toml"
FRONT_FIGURE = "front"
_LABELS = {
    "recall": "Share of the best {k} found",
    "best": "Best value found",
    "regret": "Short of the best of all by",
    "n_above": "Values beyond {threshold:g}",
}


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
) -> Table:
    """Open a table of known values, and the library of its molecules; at first use it is built.

    Parameters
    ----------
    name
        A built-in one, ``qm9-ie-20k``, or a .csv file, also compressed.
    column
        Of the values; the one of the molecules is ``smiles``.
    durations
        A column of seconds, or ``constant:S``, ``uniform:LEAST,MOST``, ``exponential:MEAN``,
        ``lognormal:MEDIAN,SIGMA``. None: the column of a built-in table, a second each otherwise.
    seed
        Of what is drawn.
    progress
        Called while the library is built, with what is being done, and how much of it, 0 to 1.

    Raises
    ------
    InputError
        The file, a column or a number in it cannot be read.
    """
    import platformdirs

    cache_dir = platformdirs.user_cache_path("molloop") / "libraries"
    return open_table(name, cache_dir, column, durations, seed, cores(), progress)


def table_settings(settings: Settings, table: Table) -> Settings:
    """Return a configuration whose property is that of a table."""
    if table.column == settings.target().column:
        return settings
    facts = {"name": table.column, "unit": "", "simulator": f"table {table.name}"}
    return override(settings, {f"property.{key}": value for key, value in facts.items()})


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
    target = settings.target()
    n_values, n_wanted = 0, settings.campaign.max_training_count

    def count(_time_s: float, event: Event, _simulated: Simulated | None) -> None:
        nonlocal n_values
        if isinstance(event, Finished) and not event.failure:
            n_values += 1
            progress("replaying", n_values / n_wanted)

    progress("replaying", 0.0)
    played = replay(settings, table, scenario or Scenario(), count)
    progress("measuring the model", 0.0)
    with closing(played.store) as store:
        found = results.read(store, target, played.protocol)
        truth = Truth.of(table.values, target.sign, top_k, target.threshold)
        curves = measure(played, truth)
    found = with_accuracy(
        found, table.library, settings.policy(), settings.campaign.seed, table.values
    )
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
    if settings.campaign.training_data is not None:
        raise InputError(
            "campaign.training_data",
            settings.campaign.training_data,
            "nothing known beforehand in a comparison",
            "Leave it out: train-once begins with half of the budget.",
        )
    beside = baselines(settings)
    asked = policies or (settings.search.policy,)
    cases = {
        name: beside.get(name) or override(settings, {"search.policy": name}) for name in asked
    } | beside
    for case in cases.values():
        case.policy()  # says here what is wrong with it, not in another process
    found = compare(
        table,
        cases,
        range(first_seed, first_seed + n_seeds),
        scenario or Scenario(),
        top_k,
        n_processes or cores(),
        progress,
    )
    if out is not None:
        progress("writing table and figure", 0.0)
        folder = _made(out)
        write_csv(found, folder / COMPARISON)
        _draw_comparison(found, settings, folder / COMPARISON_FIGURE)
    return found


def _draw_comparison(found: Comparison, settings: Settings, path: Path) -> None:
    target = settings.target()
    names = [one for one in MEASURES if one != "n_above" or target.threshold is not None]
    k = len(found.truth.top)
    labels = {name: _LABELS[name].format(k=k, threshold=target.threshold or 0.0) for name in names}
    unit = f" ({target.unit})" if target.unit else ""
    times_s = found.times_s()
    rng = np.random.default_rng(0)

    def lines(name: str, over_time: bool) -> Mapping[str, Line]:
        drawn = {}
        for policy in found.curves:
            values = (
                found.over_time(policy, name, times_s)
                if over_time
                else found.over_simulations(policy, name)
            )
            x = times_s if over_time else np.arange(1, values.shape[1] + 1)
            band = mean_interval(values, rng)
            drawn[policy] = Line(x, band.mean, band.low, band.high)
        return drawn

    rows = [
        [
            Panel(xlabel, labels[name] + (unit if name in ("best", "regret") else ""), one)
            for name in names
            for one in [lines(name, over_time)]
        ]
        for xlabel, over_time in (("Simulations", False), ("Time (s)", True))
    ]
    n = len(found.seeds)
    title = f"{found.table.name}: " + (
        f"means over {n} seeds, with their 95% intervals" if n > 1 else "one seed"
    )
    write_curves(rows, title, path)


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
) -> Tuned:
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
    given.policy()  # says here what is wrong with it, not in another process
    settings = table_settings(given, table)
    search = Search(
        settings,
        table,
        scenario or Scenario(),
        objective,
        top_k,
        n_trials,
        seed,
        n_processes or cores(),
    )
    found = search.run(progress)
    if out is not None:
        progress("writing configuration and figure", 0.0)
        folder = _made(out)
        # of the user's own property, which a run can simulate
        runnable = found.unseen[0].settings.model_copy(update={"property": given.property})
        (folder / TUNED_CONFIG).write_text(runnable.to_toml(), encoding="utf-8")
        unit = f" ({settings.target().unit})" if objective == "best" else ""
        write_front(
            [_point(one) for one in found.trials],
            [_point(one) for one in found.front],
            _point(found.unseen[0]),
            _point(found.unseen[1]),
            _LABELS[objective].format(k=top_k) + unit,
            folder / FRONT_FIGURE,
        )
    return found


def _made(folder: str | PathLike[str]) -> Path:
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    return path


def _point(trial: Trial) -> Point:
    return Point(trial.time_s, trial.value, describe(trial.settings))
