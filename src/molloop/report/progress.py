"""How far something is: a bar on a terminal, a line now and then in a log."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from molloop.texts import terminal_text

SHORT_S = 1.0  # what takes no longer has no line
PERIOD_S = 10.0  # between two lines of a step
SILENCE_S = 60.0  # after which a step has a line that has other lines to tell of it
TICK_S = 1.0


class LastingConsole(Console):
    """A console whose reader may leave: that ends nothing."""

    def on_broken_pipe(self) -> None:
        """Print nothing more."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


class ProgressDisplay:
    """Shows how far something is; a context manager for the screen.

    On a terminal it is a bar. Elsewhere, such as in the log of a batch job, a step has a line when
    it has taken a second, and another one wherever nothing was printed for a while.

    Attributes
    ----------
    is_quiet
        Nothing is shown.
    clock
        Returns seconds.
    """

    def __init__(
        self,
        console: Console,
        *,
        is_quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_quiet = is_quiet
        self._console = console
        self._clock = clock
        self._is_bar = console.is_interactive
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[done]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,  # what others print goes where they print it
            redirect_stderr=False,
        )
        self._task: TaskID | None = None
        self._what = ""
        self._done = ""
        self._is_over = True
        self._has_other_lines = False
        self._is_told = False
        self._began_s = self._last_s = clock()
        self._lock = threading.RLock()
        self._ended = threading.Event()

    def __enter__(self) -> "ProgressDisplay":
        if self.is_quiet:
            return self
        if self._is_bar:
            self._bar.start()
        else:
            # a step of an hour that tells nothing of itself has lines too
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._is_bar and not self.is_quiet:
            self._bar.stop()

    def show_library(self, what: str, fraction: float) -> None:
        """Show what is being done to a library, and how much of it."""
        self.show(f"library: {what}", fraction)

    def show(
        self, what: str, fraction: float = 0.0, done: str = "", *, has_other_lines: bool = False
    ) -> None:
        """Show what is being done.

        Parameters
        ----------
        fraction
            How much of it, 0 to 1; 0 also where that is not known.
        done
            The same in words; by default in percent.
        has_other_lines
            Whether a log tells of it anyway: it has a line after a minute of silence only.
        """
        if self.is_quiet:
            return
        with self._lock:
            what, done = terminal_text(what), terminal_text(done)
            is_new = what != self._what
            self._what = what
            self._done = done or (f"{fraction:.0%}" if fraction else "")
            self._is_over = fraction >= 1
            self._has_other_lines = has_other_lines
            if is_new:
                self._began_s = self._clock()
                self._is_told = False
            if self._is_bar:
                self._draw(fraction, is_new)
            else:
                self.tick()

    def note_line(self) -> None:
        """Count a line that somebody else has printed."""
        self._last_s = self._clock()

    def tick(self) -> None:
        """Print where the step is, if that is due."""
        with self._lock:
            now_s = self._clock()
            if self._is_bar or self._is_over or not self._is_due(now_s):
                return
            self._is_told = True
            self._last_s = now_s
            line = f"{self._what} {self._done}".rstrip() + f", {now_s - self._began_s:,.0f} s"
            with suppress(OSError):  # a full disk is no reason to end what goes on
                self._console.print(Text(line), soft_wrap=True)

    def _is_due(self, now_s: float) -> bool:
        if self._has_other_lines:
            return now_s - self._last_s >= SILENCE_S
        if not self._is_told:
            return now_s - self._began_s >= SHORT_S
        return now_s - self._last_s >= PERIOD_S

    def _watch(self) -> None:
        while not self._ended.wait(TICK_S):
            self.tick()

    def _draw(self, fraction: float, is_new: bool) -> None:
        if is_new or self._task is None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(self._what, total=None, done="")
        total = 1.0 if fraction else None  # without one, the bar pulses
        self._bar.update(self._task, total=total, completed=fraction, done=self._done)
