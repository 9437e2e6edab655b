"""`molloop watch`, `report` and `export`."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from molloop.cli import completion
from molloop.cli.options import QuietOption, RunDirArgument, progress_display
from molloop.cli.screen import say
from molloop.errors import InputError
from molloop.texts import counted, terminal_path

LOOPBACK = "127.0.0.1"
TopOption = Annotated[int, typer.Option(min=10, help="Best molecules that the page shows.")]


def watch(
    run_dir: RunDirArgument,
    host: Annotated[
        str, typer.Option(help="Address to listen at; the default is reached by this machine only.")
    ] = LOOPBACK,
    port: Annotated[int, typer.Option(min=0, max=65535, help="To listen at; 0: a free one.")] = 0,
    top: TopOption = 10,
    is_quiet: QuietOption = False,
) -> None:
    """Show a run on a page that follows it: open the link that this prints. Ctrl-C ends it."""
    from molloop.report.page.feed import Feed
    from molloop.report.page.server import listen, serve

    with progress_display(is_quiet) as display:
        display.show(f"reading {terminal_path(run_dir)}")
        feed = Feed(run_dir, top)
    host, is_loopback = _address(host)
    if not is_loopback:
        say(
            "Warning: whoever can reach this machine can try to read the page; the link's token "
            "goes over the network unencrypted.",
            is_error=True,
        )
    try:
        listener = listen(host, port)
    except (OSError, TypeError, UnicodeError) as error:  # the last two: it is no host's name
        expected = "an address of this machine and a free port"
        raise InputError("--host, --port", f"{host}, {port}", expected, f"{error}.") from error
    with listener:
        serve(feed, host, listener, say)


def report(
    run_dirs: Annotated[
        list[Path], typer.Argument(metavar="RUN_DIR...", autocompletion=completion.run_dirs)
    ],
    out: Annotated[Path, typer.Option(help="File to write; one that is there is replaced.")],
    top: TopOption = 10,
    is_quiet: QuietOption = False,
) -> None:
    """Freeze the page of a run, or of several side by side, into one file that needs no other."""
    from molloop import api

    with progress_display(is_quiet) as display:
        api.write_report(run_dirs, out, display.show, top=top)
    say(f"{terminal_path(out)}: {out.stat().st_size / 1e6:.1f} MB")


def export(
    run_dir: RunDirArgument,
    out: Annotated[Path, typer.Option(help="File to write; one that is there is replaced.")],
    file_format: Annotated[
        str,
        typer.Option(
            "--format",
            help="csv, parquet, sdf, extxyz or ase-db.",
            autocompletion=completion.export_formats,
        ),
    ],
    top: Annotated[
        int | None, typer.Option(min=1, help="Only the best, best first.", show_default="all")
    ] = None,
    is_quiet: QuietOption = False,
) -> None:
    """Write a run's values and relaxed geometries for other programs; also while it goes on."""
    from molloop import api

    notes: list[str] = []
    with progress_display(is_quiet) as display:
        n = api.export_run(run_dir, out, file_format, display.show, top=top, say=notes.append)
    say(f"{counted(n, 'molecule')}: {terminal_path(out)}", *notes)


def _address(host: str) -> tuple[str, bool]:
    """Return an address as browsers write it, and whether only this machine reaches it."""
    if not host:
        raise InputError("--host", host, "an address of this machine", "0.0.0.0 is all of them.")
    try:
        address = ip_address(host)
    except ValueError:
        return host.lower(), host.lower() == "localhost"
    return str(address), address.is_loopback
