"""`molloop replay`, `compare` and `tune`: campaigns over tables of known values."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from molloop.cli import completion
from molloop.cli.options import (
    FeaturesOption,
    NoHeaderOption,
    PolicyOption,
    QuietOption,
    ScheduleOption,
    SeparatorOption,
    SetOption,
    SmilesColumnOption,
    default_of,
    progress_display,
)
from molloop.cli.screen import show
from molloop.config.load import load, named, revise
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.texts import counted, terminal_path

if TYPE_CHECKING:
    from molloop.replay.campaign import Scenario
    from molloop.replay.table import Table
    from molloop.report.progress import ProgressDisplay

DEFAULT_BUDGET = 200

TableArgument = Annotated[
    str,
    typer.Argument(
        metavar="TABLE",
        help="qm9-ie-20k, or a file with molecules and values.",
        show_default=False,
        autocompletion=completion.tables,
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="CONFIG.toml", help="What is played.")
]
ColumnOption = Annotated[str, typer.Option(help="Of the values.")]
DirectionOption = Annotated[
    str | None,
    typer.Option(
        help="maximise or minimise.",
        show_default=default_of("property.direction"),
        autocompletion=completion.directions,
    ),
]
DurationsOption = Annotated[
    str | None,
    typer.Option(
        help="A column of seconds, or constant:S, uniform:LEAST,MOST, exponential:MEAN, "
        "lognormal:MEDIAN,SIGMA.",
        show_default="the column of qm9-ie-20k, else constant:1",
    ),
]
WorkersOption = Annotated[int, typer.Option(min=1, help="Virtual ones.")]
FailuresOption = Annotated[float, typer.Option(min=0, max=1, help="Share that fails.")]
DispatchOption = Annotated[float, typer.Option(min=0, help="Seconds to hand out a task.")]
TrainOption = Annotated[float, typer.Option(min=0, help="Seconds of a training.")]
RankOption = Annotated[float, typer.Option(min=0, help="Seconds to rank a shard.")]
TopOption = Annotated[int, typer.Option("--top", min=1, help="Molecules that recall looks at.")]
BudgetOption = Annotated[
    int | None, typer.Option(min=2, help="Values in all.", show_default=str(DEFAULT_BUDGET))
]
OutOption = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Takes what is made.")]


def replay(
    table: TableArgument,
    path: ConfigOption = None,
    column: ColumnOption = "ie_ev",
    smiles_column: SmilesColumnOption = None,
    separator: SeparatorOption = None,
    no_header: NoHeaderOption = False,
    direction: DirectionOption = None,
    durations: DurationsOption = None,
    workers: WorkersOption = 2,
    failure_rate: FailuresOption = 0.0,
    dispatch_s: DispatchOption = 0.001,
    train_s: TrainOption = 0.05,
    rank_s: RankOption = 0.05,
    max_training_count: BudgetOption = None,
    policy: PolicyOption = None,
    features: FeaturesOption = None,
    schedule: ScheduleOption = None,
    threshold: Annotated[float | None, typer.Option(help="Count values beyond it.")] = None,
    seed: Annotated[int | None, typer.Option(show_default=default_of("campaign.seed"))] = None,
    top_k: TopOption = 100,
    out: OutOption = None,
    assignments: SetOption = None,
    is_quiet: QuietOption = False,
) -> None:
    """Play a run over known values, on any number of virtual workers: seconds instead of hours."""
    from molloop.assembly import replays
    from molloop.report.terminal import run_summary

    settings = _settings(
        path,
        assignments,
        direction,
        {
            "campaign.max_training_count": max_training_count,
            "search.policy": policy,
            "search.features": features,
            "campaign.schedule": schedule,
            "property.threshold": threshold,
            "campaign.seed": seed,
        },
    )
    scenario = _scenario(workers, failure_rate, dispatch_s, train_s, rank_s)
    with progress_display(is_quiet) as display:
        known = _open(
            table, column, durations, settings, display, smiles_column, separator, no_header
        )
        played = replays.replay_table(known, settings, scenario, top_k, out, display.show)
    console = Console()
    _show_conditions(console, known, is_quiet)
    console.print(run_summary(played.results), soft_wrap=True)
    curves, truth = played.curves, played.truth
    k = len(truth.top)
    show(
        console,
        f"Found {round(k * curves.recall[-1])} of the best {k}, the best value {curves.best[-1]:g} "
        f"of {truth.best:g}, after {counted(len(curves.recall), 'simulation')} and "
        f"{curves.times_s[-1]:.1f} virtual seconds.",
    )
    if out is not None:
        show(console, f"Tables and figures: {terminal_path(out)}")


def compare(
    table: TableArgument,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Takes table and figure.")],
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            help="May be repeated.",
            show_default=default_of("search.policy"),
            autocompletion=completion.policies,
        ),
    ] = None,
    features: FeaturesOption = None,
    seeds: Annotated[int, typer.Option(min=1, help="Campaigns a policy.")] = 20,
    first_seed: Annotated[int, typer.Option(min=0, help="Of the first campaign.")] = 1000,
    path: ConfigOption = None,
    column: ColumnOption = "ie_ev",
    smiles_column: SmilesColumnOption = None,
    separator: SeparatorOption = None,
    no_header: NoHeaderOption = False,
    direction: DirectionOption = None,
    durations: DurationsOption = None,
    workers: WorkersOption = 2,
    failure_rate: FailuresOption = 0.0,
    dispatch_s: DispatchOption = 0.001,
    train_s: TrainOption = 0.05,
    rank_s: RankOption = 0.05,
    max_training_count: BudgetOption = None,
    schedule: ScheduleOption = None,
    threshold: Annotated[float | None, typer.Option(help="Count values beyond it.")] = None,
    top_k: TopOption = 100,
    assignments: SetOption = None,
    is_quiet: QuietOption = False,
) -> None:
    """Replay policies beside random choice, one training only, and the published workflow."""
    from molloop.assembly import replays
    from molloop.replay import summary
    from molloop.report.terminal import comparison_table

    settings = _settings(
        path,
        assignments,
        direction,
        {
            "campaign.max_training_count": max_training_count,
            "search.features": features,
            "campaign.schedule": schedule,
            "property.threshold": threshold,
        },
    )
    if policies and "search.policy" in named(assignments or []):
        raise InputError(
            "search.policy", settings.search.policy, "no --policy beside it", "Leave out one."
        )
    scenario = _scenario(workers, failure_rate, dispatch_s, train_s, rank_s)
    with progress_display(is_quiet) as display:
        known = _open(
            table, column, durations, settings, display, smiles_column, separator, no_header
        )
        found = replays.compare_policies(
            known,
            policies or (),
            settings,
            seeds,
            first_seed,
            scenario,
            top_k,
            out,
            progress=display.show,
        )
    console = Console()
    _show_conditions(console, known, is_quiet)
    console.print(comparison_table(summary.comparison_rows(found)))
    for line in summary.failure_lines(found):
        show(console, line, style="red")
    table_path, figure = out / replays.COMPARISON, out / f"{replays.COMPARISON_FIGURE}.png"
    show(console, f"All of it: {terminal_path(table_path)}, {terminal_path(figure)}, .svg")


def tune(
    table: TableArgument,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Takes configuration and figure.")
    ],
    objective: Annotated[
        str,
        typer.Option(help="best (value) or recall.", autocompletion=completion.objectives),
    ] = "best",
    trials: Annotated[int, typer.Option(min=3, help="Configurations to try.")] = 60,
    path: ConfigOption = None,
    column: ColumnOption = "ie_ev",
    smiles_column: SmilesColumnOption = None,
    separator: SeparatorOption = None,
    no_header: NoHeaderOption = False,
    direction: DirectionOption = None,
    durations: DurationsOption = None,
    workers: WorkersOption = 2,
    failure_rate: FailuresOption = 0.0,
    dispatch_s: DispatchOption = 0.001,
    train_s: TrainOption = 0.05,
    rank_s: RankOption = 0.05,
    max_training_count: BudgetOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the search.")] = 0,
    top_k: TopOption = 100,
    assignments: SetOption = None,
    is_quiet: QuietOption = False,
) -> None:
    """Search for the settings that find the best soonest, and check them on other seeds."""
    from molloop.assembly import replays
    from molloop.assembly.cases import describe
    from molloop.replay import summary
    from molloop.report.terminal import trials_table

    settings = _settings(
        path, assignments, direction, {"campaign.max_training_count": max_training_count}
    )
    scenario = _scenario(workers, failure_rate, dispatch_s, train_s, rank_s)
    with progress_display(is_quiet) as display:
        known = _open(
            table, column, durations, settings, display, smiles_column, separator, no_header
        )
        found = replays.tune_settings(
            known, settings, scenario, objective, top_k, trials, seed, out, progress=display.show
        )
    console = Console()
    _show_conditions(console, known, is_quiet)
    console.print(trials_table(*summary.trial_rows(found, objective, describe)))
    tuned, figure = out / replays.TUNED_CONFIG, out / f"{replays.FRONT_FIGURE}.png"
    files = f"{terminal_path(tuned)}, {terminal_path(figure)}, .svg"
    show(console, f"`molloop run` takes the best one: {files}")


def _settings(
    path: Path | None,
    assignments: list[str] | None,
    direction: str | None,
    overrides: dict[str, object],
) -> Settings:
    overrides = overrides | {"property.direction": direction}
    if path is not None:
        return load(path, assignments or [], overrides)
    plain = load(campaign={"max_training_count": DEFAULT_BUDGET})
    return revise(plain, assignments or [], overrides=overrides)


def _scenario(
    workers: int, failure_rate: float, dispatch_s: float, train_s: float, rank_s: float
) -> "Scenario":
    from molloop.execution.virtual import Costs
    from molloop.replay.campaign import Scenario

    return Scenario(workers, failure_rate, Costs(dispatch_s, train_s, rank_s))


def _open(
    name: str,
    column: str,
    durations: str | None,
    settings: Settings,
    display: "ProgressDisplay",
    smiles_column: str | None,
    separator: str | None,
    no_header: bool,
) -> "Table":
    from molloop.assembly import replays

    seed, report = settings.campaign.seed, display.show_library
    table = replays.open_known(
        name,
        column,
        durations,
        seed,
        report,
        smiles_column=smiles_column,
        separator=separator,
        no_header=no_header,
    )
    return replays.under_conditions(table, settings, report)


def _show_conditions(console: Console, table: "Table", is_quiet: bool) -> None:
    if table.selection is not None and not is_quiet:
        show(console, table.selection.words)
