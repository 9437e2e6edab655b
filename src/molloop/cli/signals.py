"""SIGINT and SIGTERM: a run ends in order at the first, at once at the second."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from molloop.campaign.driver import Interruption

NUMBERS = (signal.SIGINT, signal.SIGTERM)


def end_in_one_line() -> None:
    """Have the signals end this process with a line and 128 + their number."""
    for number in NUMBERS:
        signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    typer.echo(f"molloop: ended by {signal.Signals(number).name}.", err=True)
    sys.exit(128 + number)


@contextmanager
def interrupting(grace_s: float) -> Iterator["Interruption"]:
    """Have the signals interrupt a run that goes on; its reason is the signal's name."""
    from molloop.campaign.driver import Interruption

    interruption = Interruption()

    def handle(number: int, _frame: FrameType | None) -> None:
        if not interruption.is_heard and interruption.abandon is None:
            _end(number, None)
        name = signal.Signals(number).name
        if interruption.reason or not interruption.is_heard:
            _say("molloop: ended at once; what was stored is there, `molloop resume` goes on.\n")
            _kill_children()
            if interruption.abandon is not None and (command := interruption.abandon()):
                _say(f"molloop: allocations are given back by `{command}`.\n")
            os._exit(128 + number)
        _say(
            f"molloop: {name}: nothing more is begun; what is being simulated has {grace_s:g} s. "
            "Once more ends at once.\n"
        )
        interruption.reason = name

    for number in NUMBERS:
        signal.signal(number, handle)
    try:
        yield interruption
    finally:
        end_in_one_line()


def _say(text: str) -> None:
    # a handler may run in the middle of another write
    os.write(sys.stderr.fileno(), text.encode())


def _kill_children() -> None:
    import psutil

    for one in psutil.Process().children(recursive=True):
        try:
            one.kill()
        except psutil.Error:
            continue
