"""What several commands share: options, and the display of progress."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from molloop.report.progress import ProgressDisplay

SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Set anything; may be repeated."),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show no progress, only results and errors.")
]


def progress_display(is_quiet: bool) -> "ProgressDisplay":
    """Return what shows progress on the standard error."""
    from molloop.report.progress import LastingConsole, ProgressDisplay

    return ProgressDisplay(LastingConsole(stderr=True), is_quiet=is_quiet)
