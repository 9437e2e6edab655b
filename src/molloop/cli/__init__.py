"""The command line: arguments to the Python interface, errors to one line and an exit code."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from molloop import __version__
from molloop.cli import (
    campaign,
    library,
    predict,
    quantities,
    replay,
    report,
    signals,
    simulate,
    site,
    suggest,
)
from molloop.cli.command import Command
from molloop.cli.screen import say
from molloop.errors import MolloopError, RunError
from molloop.start import told_what_is_refused

EXIT_CODES = (
    "Exit codes: 0 done; 1 the run, a molecule of `simulate` or a check failed; 2 bad input; "
    "129, 130 and 143 ended by SIGHUP (a closed terminal), SIGINT (Ctrl-C) and SIGTERM."
)

app = typer.Typer(
    help="Find the molecules of a library that have the largest ionization energy.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"molloop {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    pass


app.command("config", cls=Command)(campaign.show_config)
app.command(cls=Command)(simulate.simulate)
app.command(cls=Command)(quantities.quantities)
app.command(cls=Command)(suggest.suggest)
app.command(cls=Command)(campaign.run)
app.command(cls=Command)(campaign.resume)
app.command(cls=Command)(campaign.status)
app.command(cls=Command)(predict.predict)
app.command(cls=Command)(report.watch)
app.command(cls=Command)(report.report)
app.command(cls=Command)(report.export)
app.command(cls=Command)(replay.replay)
app.command(cls=Command)(replay.compare)
app.command(cls=Command)(replay.tune)
app.command(cls=Command)(site.sites)
app.command(cls=Command)(site.submit)
app.command(cls=Command)(site.doctor)
app.add_typer(library.app)


def main() -> None:
    """Run the command line, where the standard streams are open."""
    signals.end_in_one_line()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Å is no reason to fail
    try:
        with told_what_is_refused():
            app(prog_name="molloop")  # also where it is `python -m molloop`
    except MolloopError as error:
        if (code := signals.exit_code()) is not None:
            sys.exit(code)
        told = f"molloop: {error}"
        # the log of workers has lines; what a user gave stands in one
        lines = told.split("\n") if isinstance(error, RunError) else [told]
        say(*lines, *_notes(error), is_error=True)
        sys.exit(error.exit_code)
    except OSError as error:
        told = f"molloop: {error}. Is the disk full, or not yours to write?"
        say(told, *_notes(error), is_error=True)
        sys.exit(1)


def _notes(error: BaseException) -> list[str]:
    """Return the lines of what else went wrong, such as in the tables of a run that failed."""
    return [line for note in getattr(error, "__notes__", ()) for line in note.split("\n")]
