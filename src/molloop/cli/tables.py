"""What commands over tables of known values share: options, and what becomes of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from molloop.cli import completion
from molloop.cli.command import DefaultOf
from molloop.cli.screen import show
from molloop.errors import InputError

if TYPE_CHECKING:
    from molloop.config.settings import Settings
    from molloop.replay.campaign import Scenario
    from molloop.replay.table import Table
    from molloop.report.progress import ProgressDisplay

DEFAULT_BUDGET = 200

DEFAULT_COLUMN = "ie_ev"
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
        show_default=DefaultOf("property.direction"),
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


def settings_of(
    path: Path | None,
    assignments: list[str] | None,
    direction: str | None,
    overrides: dict[str, object],
) -> "Settings":
    """Return what is played: a file, options, and a larger budget where neither names one."""
    from molloop.config.load import load, revise

    overrides = overrides | {"property.direction": direction}
    if path is not None:
        return load(path, assignments or [], overrides)
    plain = load(campaign={"max_training_count": DEFAULT_BUDGET})
    return revise(plain, assignments or [], overrides=overrides)


def scenario_of(
    workers: int, failure_rate: float, dispatch_s: float, train_s: float, rank_s: float
) -> "Scenario":
    """Return what it runs on."""
    from molloop.execution.virtual import Costs
    from molloop.replay.campaign import Scenario

    return Scenario(workers, failure_rate, Costs(dispatch_s, train_s, rank_s))


def opened(
    name: str,
    column: str,
    durations: str | None,
    settings: "Settings",
    display: "ProgressDisplay",
    smiles_column: str | None,
    separator: str | None,
    no_header: bool,
) -> "Table":
    """Open the table that is played over."""
    from molloop.assembly.tables import check_replayable, open_known

    check_replayable(settings)
    further: list[str] = []
    if settings.goal().wider:
        own, *further = (one.column for one in settings.goal().computed)
        if column not in (DEFAULT_COLUMN, own):
            expected = "it left out: the goal names the columns"
            raise InputError("--column", column, expected, "Leave it out.")
        column = own
    return open_known(
        name,
        column,
        durations,
        settings.campaign.seed,
        display.show_library,
        smiles_column=smiles_column,
        separator=separator,
        no_header=no_header,
        stages=[one.stage for one in settings.protocols()] if settings.stages else (),
        further=further,
    )


def show_remarks(console: Console, remarks: Sequence[str], is_quiet: bool) -> None:
    """Show what is to be said of a table."""
    if remarks and not is_quiet:
        show(console, *remarks)
