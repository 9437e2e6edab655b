"""`molloop replay`, `compare` and `tune`: campaigns over tables of known values."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from molloop.cli import completion
from molloop.cli.command import DefaultOf
from molloop.cli.options import (
    FeaturesOption,
    LadderOption,
    NoHeaderOption,
    PolicyOption,
    QuietOption,
    ScheduleOption,
    SeparatorOption,
    SetOption,
    SmilesColumnOption,
    progress_display,
    stages_of,
)
from molloop.cli.screen import show
from molloop.cli.tables import (
    BudgetOption,
    ColumnOption,
    ConfigOption,
    DirectionOption,
    DispatchOption,
    DurationsOption,
    FailuresOption,
    OutOption,
    RankOption,
    TableArgument,
    TopOption,
    TrainOption,
    WorkersOption,
    opened,
    scenario_of,
    settings_of,
    show_remarks,
)
from molloop.errors import InputError
from molloop.texts import counted, terminal_path


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
    ladder: LadderOption = None,
    seed: Annotated[int | None, typer.Option(show_default=DefaultOf("campaign.seed"))] = None,
    top_k: TopOption = 100,
    out: OutOption = None,
    assignments: SetOption = None,
    is_quiet: QuietOption = False,
) -> None:
    """Play a run over known values, on any number of virtual workers: seconds instead of hours."""
    from molloop.assembly import replays
    from molloop.report.terminal import run_summary

    settings = settings_of(
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
            "stages": stages_of(ladder),
        },
    )
    scenario = scenario_of(workers, failure_rate, dispatch_s, train_s, rank_s)
    with progress_display(is_quiet) as display:
        known = opened(
            table, column, durations, settings, display, smiles_column, separator, no_header
        )
        played = replays.replay_table(known, settings, scenario, top_k, out, display.show)
    console = Console()
    show_remarks(console, played.remarks, is_quiet)
    console.print(run_summary(played.results), soft_wrap=True)
    curves, truth = played.curves, played.truth
    k = len(truth.top)
    found = f"Found {round(k * curves.recall[-1])} of the"
    what = f"best {k}, the best value {curves.best[-1]:g} of {truth.best:g},"
    if curves.hypervolume is not None:
        share = f"{curves.hypervolume[-1]:.1%}"
        what = f"{counted(k, 'molecule')} on the true Pareto front, {share} of its hypervolume,"
    show(
        console,
        f"{found} {what} after {counted(len(curves.recall), 'simulation')} and "
        f"{curves.times_s[-1]:.1f} virtual seconds.",
    )
    for one in played.beside:
        show(
            console,
            f"In the same time, {one.name}: {one.n_found} of the best {k}, the best value "
            f"{one.best:g}, {counted(one.n_values, 'value')} there.",
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
            show_default=DefaultOf("search.policy"),
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
    ladder: LadderOption = None,
    top_k: TopOption = 100,
    assignments: SetOption = None,
    is_quiet: QuietOption = False,
) -> None:
    """Replay policies beside random choice, one training only, and the published workflow."""
    from molloop.assembly import replays
    from molloop.config.load import named
    from molloop.replay import summary
    from molloop.report.terminal import comparison_table

    settings = settings_of(
        path,
        assignments,
        direction,
        {
            "campaign.max_training_count": max_training_count,
            "search.features": features,
            "campaign.schedule": schedule,
            "property.threshold": threshold,
            "stages": stages_of(ladder),
        },
    )
    if policies and "search.policy" in named(assignments or []):
        raise InputError(
            "search.policy", settings.search.policy, "no --policy beside it", "Leave out one."
        )
    scenario = scenario_of(workers, failure_rate, dispatch_s, train_s, rank_s)
    with progress_display(is_quiet) as display:
        known = opened(
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
    show_remarks(console, found.remarks, is_quiet)
    console.print(comparison_table(summary.comparison_rows(found)))
    if line := summary.calibration_line(found):
        show(console, line)
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
        str | None,
        typer.Option(
            help="best (value) or recall; of several objectives hypervolume or recall.",
            show_default="the first of the two",
            autocompletion=completion.objectives,
        ),
    ] = None,
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
    ladder: LadderOption = None,
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

    settings = settings_of(
        path,
        assignments,
        direction,
        {"campaign.max_training_count": max_training_count, "stages": stages_of(ladder)},
    )
    scenario = scenario_of(workers, failure_rate, dispatch_s, train_s, rank_s)
    with progress_display(is_quiet) as display:
        known = opened(
            table, column, durations, settings, display, smiles_column, separator, no_header
        )
        found = replays.tune_settings(
            known, settings, scenario, objective, top_k, trials, seed, out, progress=display.show
        )
    console = Console()
    show_remarks(console, found.remarks, is_quiet)
    tuned_for = replays.tuned_for(settings, objective)
    console.print(trials_table(*summary.trial_rows(found, tuned_for, describe)))
    tuned, figure = out / replays.TUNED_CONFIG, out / f"{replays.FRONT_FIGURE}.png"
    files = f"{terminal_path(tuned)}, {terminal_path(figure)}, .svg"
    show(console, f"`molloop run` takes the best one: {files}")
