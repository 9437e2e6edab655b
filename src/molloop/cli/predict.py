"""`molloop predict`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from molloop.cli.options import QuietOption, RunDirArgument, TrustOption, progress_display
from molloop.cli.screen import say
from molloop.texts import counted, terminal_path


def predict(
    run_dir: RunDirArgument,
    top: Annotated[
        int | None,
        typer.Option(min=1, help="Only the best predicted, best first.", show_default="all"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write instead, .csv or .parquet; one that is there is replaced."
        ),
    ] = None,
    is_trusted: TrustOption = False,
    is_quiet: QuietOption = False,
) -> None:
    """Say what the model of a run expects of every molecule that it may choose, as CSV."""
    from molloop import api
    from molloop.assembly.predictions import check_ending

    if out is not None:
        check_ending(out)
    # where its lines are seen as they come, they are the progress
    with progress_display(is_quiet or (out is None and sys.stdout.isatty())) as display:
        found = api.predict(run_dir, top, display.show, trust=is_trusted)
        if out is None:
            for lines in found.csv_lines():
                say(*lines)
        else:
            found.write(out)
    if top is not None and not found.n_molecules:
        say("No molecule is expected to keep all constraints: --top shows none.", is_error=True)
    if out is not None:
        values = counted(found.n_values, "value")
        told = f"{counted(found.n_molecules, 'molecule')} by a model of {values}"
        say(f"{told}: {terminal_path(out)}")
