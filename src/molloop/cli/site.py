"""`molloop sites`, `submit` and `doctor`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from molloop.cli.command import DefaultOf
from molloop.cli.options import SetOption, SiteOption, TrustOption
from molloop.cli.screen import say_what_is_executed, show
from molloop.errors import InputError
from molloop.texts import counted, terminal_lines, terminal_path

GO_ON = "Name another with --run-dir; without the configuration, the job goes on with that run."


def sites() -> None:
    """List the sites that a run knows, and what is fixed on each."""
    from molloop.config.site_file import SITES

    console = Console()
    width = max(map(len, SITES)) + 2
    for name, facts in SITES.items():
        what = [facts.summary]
        if facts.cores:
            what.append(f"{counted(facts.cores, 'worker')} a node")
        if facts.interface:
            what.append(f"network {facts.interface}")
        if facts.needs:
            what.append(f"needs {', '.join(f'site.{one}' for one in facts.needs)}")
        told = Text(f"{name:{width}}", style="bold") + Text("; ".join(what), style="not bold")
        console.print(told, soft_wrap=True)
        if facts.source:
            show(console, f"{'':{width}}{facts.source}", style="dim")


def submit(
    path: Annotated[Path | None, typer.Argument(metavar="[CONFIG.toml]")] = None,
    site: SiteOption = None,
    nodes: Annotated[int | None, typer.Option(help="Of the job.", show_default="one")] = None,
    walltime: Annotated[
        str | None,
        typer.Option(help="Hours:minutes:seconds.", show_default=DefaultOf("site.walltime")),
    ] = None,
    account: Annotated[str | None, typer.Option(help="Project that the job is charged to.")] = None,
    queue: Annotated[str | None, typer.Option(help="Of the scheduler.")] = None,
    run_dir: Annotated[
        Path | None,
        typer.Option(help="Takes all that the run writes.", show_default="runs/<time>"),
    ] = None,
    chain: Annotated[
        int, typer.Option(min=1, help="Jobs; each goes on where the last one's time ended.")
    ] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the script only.")] = False,
    is_trusted: TrustOption = False,
    assignments: SetOption = None,
) -> None:
    """Run in a job of a scheduler, which stops in time and can be resumed by another."""
    from molloop import api
    from molloop.assembly.site import batch_job
    from molloop.config.load import load
    from molloop.execution import submit as jobs
    from molloop.store.run_dir import STORE

    options = {
        "name": site,
        "nodes": nodes,
        "walltime": walltime,
        "account": account,
        "queue": queue,
    }
    given = {name: value for name, value in options.items() if value is not None}
    folder = run_dir or api.new_run_dir()
    is_there = (folder / STORE).exists()
    if is_there and path is not None:
        raise InputError(
            "run directory", str(folder), "one without a run, for a configuration", GO_ON
        )
    if is_there:
        # what goes on keeps its own configuration
        settings = api.run_settings(folder, assignments or [], {"site": given}, trust=is_trusted)
        say_what_is_executed(settings)
    else:
        settings = load(path, assignments or [], site=given)
    job = batch_job(settings, folder, is_trusted=is_trusted)
    console = Console()
    show(console, *job.script.split("\n"))
    if dry_run:
        return
    numbers = jobs.submit(job, chain)
    shown, log = terminal_path(folder), terminal_path(folder / jobs.LOG)
    show(
        console,
        f"Submitted: {', '.join(numbers)}. `molloop status {shown}` and {log} say how it goes;",
        f"`molloop submit --run-dir {shown}` goes on with it later; "
        f"`{' '.join(job.scheduler.cancellation(numbers))}` ends it.",
    )


def doctor(
    path: Annotated[Path | None, typer.Argument(metavar="[CONFIG.toml]")] = None,
    site: SiteOption = None,
    run_dir: Annotated[Path, typer.Option(help="Where runs will be.")] = Path("runs"),
    asks_scheduler: Annotated[
        bool, typer.Option("--ask-scheduler", help="Ask for a job, to see a worker answer.")
    ] = False,
    assignments: SetOption = None,
) -> None:
    """Look whether a run can run here, and say what to mend."""
    from molloop.assembly.doctor import examine
    from molloop.config.load import load

    settings = load(path, assignments or [], {"site.name": site})
    console = Console()
    findings = []
    for one in examine(settings, run_dir, asks_scheduler=asks_scheduler):
        findings.append(one)
        mark = Text("ok    ", style="green") if one.is_ok else Text("wrong ", style="bold red")
        told = terminal_lines(f"{one.what}: {one.told}")
        console.print(mark + Text(told, style="none"), soft_wrap=True)
        if not one.is_ok:
            show(console, f"      {one.remedy}")
    if not all(one.is_ok for one in findings):
        raise typer.Exit(1)
