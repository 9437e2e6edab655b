"""A log that others cannot fill: a line a minute a kind."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf

PERIOD_S = 60.0


class Quiet(logging.Filter):
    """Lets one message a minute pass of those that come from the same line of code.

    The next one says how many were left out. What the system refuses is told without a traceback.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now_s = now_s
        self._told_s: dict[tuple[str, int], float] = {}
        self._n_left_out: dict[tuple[str, int], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a message is told."""
        kind = record.pathname, record.lineno
        now_s = self._now_s()
        if now_s - self._told_s.get(kind, -inf) < PERIOD_S:
            self._n_left_out[kind] = self._n_left_out.get(kind, 0) + 1
            return False
        self._told_s[kind] = now_s
        text = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, OSError):
            text = f"{text.splitlines()[0]}: {error}"
            record.exc_info = None
        if n := self._n_left_out.pop(kind, 0):
            text += f" ({n:,} more of this kind before)"
        record.msg, record.args = text, ()
        return True


@contextmanager
def quiet(names: Sequence[str]) -> Iterator[None]:
    """Have these logs filled by nobody."""
    one = Quiet()
    for name in names:
        logging.getLogger(name).addFilter(one)
    try:
        yield
    finally:
        for name in names:
            logging.getLogger(name).removeFilter(one)
