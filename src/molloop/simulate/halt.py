"""How a group is told to end: a file that the driver writes and workers look for."""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

SHARE = 0.5  # of the grace: an answer takes its way, too


@dataclass
class Halt:
    """A file that says how many seconds what is being simulated still has, once it is there."""

    path: Path
    _until_s: float = field(default=inf, init=False)

    def call(self, grace_s: float) -> None:
        """Write it.

        Raises
        ------
        OSError
            It cannot be written.
        """
        unfinished = self.path.with_name(f"{self.path.name}.tmp")
        unfinished.write_text(repr(grace_s), "utf-8")
        unfinished.replace(self.path)

    def is_called(self) -> bool:
        """Whether no other molecule is to be begun."""
        # a network file system in trouble may not cost what a group has
        with suppress(OSError, ValueError):
            if self._until_s == inf and self.path.exists():  # asked before each molecule
                grace_s = float(self.path.read_text("utf-8"))
                self._until_s = time.monotonic() + SHARE * grace_s
        return self._until_s < inf

    def is_over(self) -> bool:
        """Whether what has ended is to be sent at once."""
        return self.is_called() and time.monotonic() >= self._until_s
