"""What a task finds in its process and may change: it is put back after each item."""

import os
import signal
import sys
from contextlib import suppress

# whose handlers are put back: what ends a process, a child or a pipe
SIGNALS = (signal.SIGALRM, signal.SIGCHLD, signal.SIGINT, signal.SIGPIPE, signal.SIGTERM)
TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
# what `os.environ` reads and writes: to compare it all through that takes sixty times as long
_ENVIRONMENT: dict[bytes, bytes] = vars(os.environ)["_data"]
STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}  # descriptors 0, 1 and 2


class Surroundings:
    """What belongs to the whole process: streams, directory, environment, umask, signal handlers.

    Not what Python's modules and objects keep: that is the task's own.
    """

    def __init__(self) -> None:
        self._descriptors = [os.dup(number) for number in range(len(STREAMS))]
        self._streams = [getattr(sys, name) for name in STREAMS]
        self.note()

    def note(self) -> None:
        """Take what is there now, streams excepted, for what has to be there before an item."""
        self._directory = _directory()
        self._environment = dict(_ENVIRONMENT)
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        self._handlers = {number: signal.getsignal(number) for number in SIGNALS}
        self._n_threads = _n_threads()

    def restore(self) -> bool:
        """Put all of it back; return False where that cannot be, as a thread goes on.

        Raises
        ------
        OSError
            The standard streams are gone for good.
        """
        for timer in TIMERS:
            signal.setitimer(timer, 0.0)
        for signal_number, handler in self._handlers.items():
            if signal.getsignal(signal_number) is not handler and handler is not None:
                signal.signal(signal_number, handler)
        for number, descriptor in enumerate(self._descriptors):
            os.dup2(descriptor, number)
        self._restore_streams()
        if _directory() != self._directory:
            with suppress(OSError):  # it was removed
                os.chdir(self._directory)
        os.umask(self._umask)
        if self._environment != _ENVIRONMENT:
            os.environ.clear()
            for key, value in self._environment.items():
                os.environb[key] = value
        return _n_threads() <= self._n_threads

    def _restore_streams(self) -> None:
        """Put Python's streams back, and have what was printed written."""
        for number, (name, mode) in enumerate(STREAMS.items()):
            setattr(sys, name, self._streams[number])  # what stood in for it may close it in going
            try:
                self._streams[number].flush()
            except (OSError, ValueError):  # it is closed
                stream = open(  # noqa: SIM115 - a descriptor, for as long as the process
                    number, mode, 1, encoding="utf-8", errors="backslashreplace", closefd=False
                )
                self._streams[number] = stream
                setattr(sys, name, stream)


def _directory() -> str:
    """Return the working directory, empty where it was removed."""
    with suppress(OSError):
        return os.getcwd()  # noqa: PTH109 - asked for after each item
    return ""


def _n_threads() -> int:
    """Return how many threads run Python here."""
    return len(sys._current_frames())
