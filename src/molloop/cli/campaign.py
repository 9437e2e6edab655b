"""`molloop config`, `run`, `resume` and `status`."""

import signal
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from molloop.cli import completion, signals
from molloop.cli.command import DefaultOf
from molloop.cli.options import (
    FeaturesOption,
    FidelityOption,
    LadderOption,
    LevelOption,
    PolicyOption,
    QuietOption,
    RunDirArgument,
    ScheduleOption,
    SetOption,
    SiteOption,
    TrustOption,
    stages_of,
)
from molloop.cli.screen import say, say_what_is_executed, show
from molloop.start import NOTHING_BEGUN
from molloop.texts import json_line, terminal_path

if TYPE_CHECKING:
    from molloop.config.settings import Settings
    from molloop.results import Results


def show_config(
    path: Annotated[Path | None, typer.Argument(metavar="[CONFIG.toml]")] = None,
    assignments: SetOption = None,
) -> None:
    """Print a configuration with a comment a setting: the defaults, or a file resolved."""
    from molloop.config.load import load

    say(*load(path, assignments or []).to_toml().removesuffix("\n").split("\n"))


def run(
    path: Annotated[Path | None, typer.Argument(metavar="[CONFIG.toml]")] = None,
    library: Annotated[
        str | None,
        typer.Option(
            help="qm9, a library's folder, or a file of SMILES.",
            autocompletion=completion.libraries,
        ),
    ] = None,
    initial_training_count: Annotated[
        int | None,
        typer.Option(
            help="Values before the first model.",
            show_default=DefaultOf("campaign.initial_training_count"),
        ),
    ] = None,
    max_training_count: Annotated[
        int | None,
        typer.Option(
            help="Values to simulate in all.",
            show_default=DefaultOf("campaign.max_training_count"),
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            help="With --schedule batch: molecules between two trainings.",
            show_default=DefaultOf("campaign.batch_size"),
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="With --schedule batch: same seed, same result.",
            show_default=DefaultOf("campaign.seed"),
        ),
    ] = None,
    training_data: Annotated[
        Path | None, typer.Option(help="Table of known values: smiles, ie_ev, level, fidelity.")
    ] = None,
    training_level: Annotated[
        str | None, typer.Option(help="Of known values whose rows do not say their level.")
    ] = None,
    schedule: ScheduleOption = None,
    policy: PolicyOption = None,
    features: FeaturesOption = None,
    threshold: Annotated[float | None, typer.Option(help="Count values beyond it.")] = None,
    level: LevelOption = None,
    ladder: LadderOption = None,
    fidelity: FidelityOption = None,
    site: SiteOption = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that simulate.", show_default="all cores"),
    ] = None,
    run_dir: Annotated[
        Path | None,
        typer.Option(help="Takes all that the run writes.", show_default="runs/<time>"),
    ] = None,
    assignments: SetOption = None,
    is_quiet: QuietOption = False,
) -> None:
    """Find the molecules with the largest ionization energy: simulate, train, rank, repeat."""
    signals.end_in_one_line(lambda: NOTHING_BEGUN)
    from molloop import api
    from molloop.api import libraries
    from molloop.assembly.reading import library_reading
    from molloop.config.load import load

    settings = load(
        path,
        assignments or [],
        {
            "library.source": library,
            "campaign.initial_training_count": initial_training_count,
            "campaign.max_training_count": max_training_count,
            "campaign.batch_size": batch_size,
            "campaign.seed": seed,
            "campaign.training_data": None if training_data is None else str(training_data),
            "campaign.training_level": training_level,
            "campaign.schedule": schedule,
            "search.policy": policy,
            "search.features": features,
            "property.threshold": threshold,
            "simulation.level": level,
            "stages": stages_of(ladder),
            "simulation.fidelity": fidelity,
            "site.name": site,
            "site.workers": workers,
        },
    )
    if not is_quiet:
        say(*libraries.how_read(settings.library.source, library_reading(settings)))
    folder = run_dir or api.new_run_dir()
    _show(settings, folder, lambda **options: api.run(settings, folder, **options), is_quiet)


def resume(
    run_dir: RunDirArgument,
    assignments: SetOption = None,
    is_trusted: TrustOption = False,
    is_quiet: QuietOption = False,
) -> None:
    """Go on with a run that was interrupted, has crashed, or gets a larger budget by --set."""
    from molloop import api

    settings = api.run_settings(run_dir, assignments or [], trust=is_trusted)
    if not is_quiet:
        say_what_is_executed(settings)
    _show(
        settings,
        run_dir,
        lambda **options: api.resume(run_dir, assignments or [], trust=is_trusted, **options),
        is_quiet,
        goes_on=True,
    )


def _show(
    settings: "Settings",
    folder: Path,
    go: "Callable[..., Results]",
    is_quiet: bool,
    *,
    goes_on: bool = False,
) -> None:
    """Show a run while it goes on, and what it has found."""
    from molloop import api
    from molloop.campaign.events import End
    from molloop.report.display import RunDisplay
    from molloop.report.progress import LastingConsole, ProgressDisplay
    from molloop.report.terminal import run_summary

    console = LastingConsole()
    # a bar stands below the lines that go to the same terminal, and nowhere else
    beside = (
        console if console.is_interactive else LastingConsole(stderr=True, force_interactive=False)
    )
    with (
        signals.interrupting(
            settings.campaign.grace_s, lambda: _how_to_go_on(folder)
        ) as interruption,
        ProgressDisplay(beside, is_quiet=is_quiet) as progress,
    ):
        display = RunDisplay(console, settings, progress)
        if goes_on:
            progress.show(f"reading {terminal_path(folder)}", has_other_lines=True)
            display.begin_with(api.read_results(folder))
        found = go(
            listener=display.show_event,
            progress=progress.show_library,
            interruption=interruption,
        )
    if not is_quiet:
        console.print()
    console.print(run_summary(found), soft_wrap=True)
    shown = terminal_path(folder)
    show(console, f"Tables, figures and database: {shown}")
    if found.stopped is not None and found.stopped.end is End.INTERRUPTED:
        say(f"`molloop resume {shown}` goes on.")
        raise typer.Exit(128 + signal.Signals[interruption.reason])


def _how_to_go_on(folder: Path) -> str:
    from molloop.store.run_dir import STORE

    is_begun = (folder / STORE).is_file()
    return f"`molloop resume {terminal_path(folder)}` goes on." if is_begun else NOTHING_BEGUN


def status(
    run_dir: RunDirArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Say where a run stands, while it goes on or afterwards."""
    from molloop.report.status import read_status

    found = read_status(run_dir)
    if as_json:
        say(json_line(asdict(found)))
        return
    from molloop.report.terminal import status_table

    Console().print(status_table(found))
