"""What every command begins with, before anything else is imported or opened."""

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

NAMES = ("stdin", "stdout", "stderr")
ENDED = 1
NOTHING_BEGUN = "Nothing was begun: give the same command again."
CLOSED = (
    "molloop: standard output is closed, expected a file, a pipe or a terminal. Where nothing is "
    "to be seen of it, give it >/dev/null.\n"
)
FILES = "There are too many open files ({}). Allow more: `ulimit -n` says how many there may be."
THREADS = "No other thread or process can be started ({}). Allow more: `ulimit -u` and `ulimit -v`."
MEMORY = "There is not enough memory ({}). Allow more: `ulimit -v` says how much there may be."
BY_NUMBER = {
    errno.EMFILE: FILES,
    errno.ENFILE: FILES,
    errno.EAGAIN: THREADS,
    errno.ENOMEM: MEMORY,
}
# what Python and the system's linker say, whose errors have no number
BY_WORDS = {
    "can't start new thread": THREADS,
    "failed to map segment": MEMORY,
    "cannot allocate memory": MEMORY,
    "cannot create shared object descriptor": MEMORY,
    "too many open files": FILES,
}


def open_standard_streams() -> None:
    """Have descriptors 0 to 2 lead somewhere: no other file may get their numbers.

    What is closed becomes /dev/null; without standard output the process ends, because what a
    command finds would be lost in silence.
    """
    closed = [number for number in range(3) if not _is_open(number)]
    for number in closed:
        # the lowest free number is this one
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, NAMES[number]) is None:
            mode = "w" if number else "r"
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, NAMES[number], stream)
    if 1 in closed:
        end(CLOSED)


def end_at_signals() -> None:
    """Have a signal end this process with a line also while the command is imported."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _end_at_once)


def _end_at_once(number: int, _frame: FrameType | None) -> None:
    with suppress(OSError):
        name = signal.Signals(number).name
        os.write(2, f"molloop: ended by {name}. {NOTHING_BEGUN}\n".encode())
    os._exit(128 + number)


def end(line: str) -> NoReturn:
    """End this process with a line on standard error."""
    with suppress(OSError):
        os.write(2, line.encode(errors="replace"))
    sys.exit(ENDED)


@contextmanager
def told_what_is_refused() -> Iterator[None]:
    """Have what the system refuses end this process with a line."""
    try:
        yield
    except (MemoryError, OSError, RuntimeError, ImportError) as error:
        if (line := refusal(error)) is None:
            raise
        end(f"molloop: {line}\n")


def refusal(error: BaseException) -> str | None:
    """Return what the system has refused, as an error or its cause says, or nothing."""
    cause: BaseException | None = error
    while cause is not None:
        text = " ".join(str(cause).split()) or type(cause).__name__
        if isinstance(cause, MemoryError):
            return MEMORY.format(text)
        if isinstance(cause, OSError) and cause.errno in BY_NUMBER:
            return BY_NUMBER[cause.errno].format(text)
        if isinstance(cause, (RuntimeError, ImportError)):
            for words, found in BY_WORDS.items():
                if words in text.lower():
                    return found.format(text)
        cause = cause.__cause__ or cause.__context__
    return None


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
