"""How a group is told to end: a file that the driver writes and workers look for."""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

SHARE = 0.5  # of the grace: an answer takes its way, too
LOOK_PERIOD_S = 0.1  # it is asked for before each item


@dataclass
class Halt:
    """A file that is empty until it says how many seconds what is under way still has.

    It is there from the beginning, and looked for by opening it: a network file system may keep
    for a minute that there is no file, but not what is in one. All groups of a process share it, so
    it may be heard 0.1 s late.
    """

    path: Path
    _until_s: float = field(default=inf, init=False)
    _looked_s: float = field(default=-inf, init=False)

    def prepare(self) -> None:
        """Make it.

        Raises
        ------
        OSError
            It cannot be written.
        """
        self.path.touch()

    def call(self, grace_s: float) -> None:
        """Write into it.

        Raises
        ------
        OSError
            It cannot be written.
        """
        self.path.write_text(f"{grace_s!r}\n", "utf-8")

    def is_called(self) -> bool:
        """Whether no other item is to be begun."""
        now_s = time.monotonic()
        if self._until_s == inf and now_s - self._looked_s >= LOOK_PERIOD_S:
            self._looked_s = now_s
            # a file system in trouble may not cost what a group has
            with suppress(OSError, ValueError):
                text = self.path.read_text("utf-8")
                if text.endswith("\n"):  # whole
                    self._until_s = now_s + SHARE * float(text)
        return self._until_s < inf

    def is_over(self) -> bool:
        """Whether what has ended is to be sent at once."""
        return self.is_called() and time.monotonic() >= self._until_s
