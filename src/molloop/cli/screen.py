"""What commands print: lines as a terminal can show them, and none of them is markup."""

from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

from molloop.texts import terminal_text

if TYPE_CHECKING:
    from molloop.config.settings import Settings


def say(*lines: str, is_error: bool = False) -> None:
    """Print lines; what is in one of them begins no other."""
    typer.echo("\n".join(map(terminal_text, lines)), err=is_error)


def show(console: Console, *lines: str, style: str = "") -> None:
    """Print lines on a console, between its tables; what is in one of them begins no other."""
    console.print(Text("\n".join(map(terminal_text, lines)), style), soft_wrap=True)


def say_what_is_executed(settings: "Settings") -> None:
    """Say which code and shell lines a run that goes on executes, where it names any."""
    from molloop.assembly.trust import executed, words

    if named := executed(settings.model_dump(mode="json")):
        say(f"executes {words(named)}", is_error=True)
