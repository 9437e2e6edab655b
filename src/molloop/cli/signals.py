"""SIGINT, SIGTERM and SIGHUP: a run ends in order at the first, at once at the second.

In a job, SIGTERM is the scheduler's: what it leaves until SIGKILL is all there is.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import inf
from types import FrameType
from typing import TYPE_CHECKING

from molloop.texts import terminal_lines

if TYPE_CHECKING:
    from molloop.campaign.ending import Interruption

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAME_S = 1.0  # a scheduler and the shell may each pass on a signal, or send two kinds of it


def end_in_one_line(how_to_go_on: Callable[[], str] = str) -> None:
    """Have the signals end this process with a line and 128 + their number.

    Parameters
    ----------
    how_to_go_on
        Returns what the line says of it; nothing by default.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        _end(number, how_to_go_on())

    _handle(end)


def _handle(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in NUMBERS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, handler)


def exit_code() -> int | None:
    """Return the exit code of the signal that ends this process; None where none has come.

    For errors that come instead of its exception: SQLite drops what is raised while it calls back.
    """
    return 128 + _heard[-1] if _heard else None


_heard: list[int] = []


def _end(number: int, how_to_go_on: str) -> None:
    _heard.append(number)
    _say(f"molloop: ended by {signal.Signals(number).name}. {how_to_go_on}".rstrip() + "\n")
    sys.exit(128 + number)


@contextmanager
def interrupting(grace_s: float, how_to_go_on: Callable[[], str] = str) -> Iterator["Interruption"]:
    """Have the signals interrupt a run that goes on; its reason is the signal's name.

    Parameters
    ----------
    how_to_go_on
        As of :func:`end_in_one_line`, where the run is not heard: it is not begun yet, or is over.
    """
    from molloop.campaign.ending import Interruption
    from molloop.execution.allocation import last_grace_s

    interruption = Interruption()
    last_s = last_grace_s()
    first_s = -inf

    def handle(number: int, _frame: FrameType | None) -> None:
        if not interruption.is_heard and interruption.abandon is None:
            _end(number, how_to_go_on())
        nonlocal first_s
        name = signal.Signals(number).name
        is_of_scheduler = number == signal.SIGTERM and last_s < inf
        if is_of_scheduler:
            interruption.grace_s = last_s
            if interruption.reason:  # it says so again, and soon ends all
                return
        if number == signal.SIGHUP:
            _leave_terminal()
        now_s = time.monotonic()
        if now_s - first_s < SAME_S:
            return
        if interruption.reason or not interruption.is_heard:
            try:
                _say("molloop: ended at once; what was stored is there: `molloop resume`.\n")
                _kill_children()
                if interruption.abandon is not None and (command := interruption.abandon()):
                    _say(f"molloop: allocations are given back by `{command}`.\n")
            finally:
                os._exit(128 + number)
        left_s = min(grace_s, interruption.grace_s)
        more = "The scheduler ends this job" if is_of_scheduler else "Once more ends at once"
        _say(
            f"molloop: {name}: nothing more is begun; what is being simulated has {left_s:g} s. "
            f"{more}.\n"
        )
        interruption.reason, first_s = name, now_s

    _handle(handle)
    try:
        yield interruption
    finally:
        end_in_one_line()


def _say(text: str) -> None:
    # a handler may run in the middle of another write
    with suppress(OSError):
        os.write(sys.stderr.fileno(), terminal_lines(text).encode())


def _leave_terminal() -> None:
    """Have nothing more written to a terminal that is gone."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        if os.isatty(number):
            os.dup2(nothing, number)


def _kill_children() -> None:
    import psutil

    for one in psutil.Process().children(recursive=True):
        try:
            one.kill()
        except psutil.Error:
            continue
