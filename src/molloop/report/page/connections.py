"""How many connections the page's server keeps, and how long it keeps one without the token.

Who has shown the token has places of their own, so that others cannot take them all.
"""

import asyncio
import resource
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from molloop.limits import require_files

LET_IN = "let_in"  # in a request's state: to be called when it has shown the token
DOOR = "door"  # in the server's state
PATIENCE_S = 5.0  # for a whole request with the token
REQUEST_BYTES = 16 * 1024  # with its headers; browsers send what other pages of a host have set
PLACES = 64  # of those with the token, and again of those without
AT_ONCE = 8  # connections that the server takes from the system before it looks at them
SHARE = PLACES // AT_ONCE
# and five of each step are taken and not counted yet, or not closed yet
FILES_A_STEP = 2 * SHARE + 5
OWN_FILES = 16  # event loop, database, fonts

Anything = TypeVar("Anything", bound=Hashable)


@dataclass(frozen=True)
class Places(Generic[Anything]):
    """So many places; who has one for the longest gives way to a new one."""

    n: int
    _held: dict[Anything, None] = field(default_factory=dict)

    def take(self, one: Anything) -> Anything | None:
        """Give a place to one that has none; return who loses theirs."""
        self._held[one] = None
        if len(self._held) <= self.n:
            return None
        oldest = next(iter(self._held))
        del self._held[oldest]
        return oldest

    def leave(self, one: Anything) -> None:
        """Free a place, where this one has any."""
        self._held.pop(one, None)

    def __contains__(self, one: Anything) -> bool:
        return one in self._held


@dataclass(frozen=True)
class Limits:
    """How many connections there may be: with the token, without, and taken in one step."""

    n_known: int
    n_strangers: int
    n_at_once: int

    @classmethod
    def within(cls, n_free: int) -> "Limits":
        """Return the limits for a process that may open so many files more: 21 at least."""
        n_at_once = min(AT_ONCE, n_free // FILES_A_STEP)
        return cls(SHARE * n_at_once, SHARE * n_at_once, n_at_once)

    @classmethod
    def of_process(cls) -> "Limits":
        """Return the limits for this process, as it is before it serves.

        Raises
        ------
        RunError
            It may open too few files.
        """
        require_files("A page", OWN_FILES + FILES_A_STEP)
        used = sum(1 for _ in Path("/dev/fd").iterdir()) + OWN_FILES
        require_files("A page", used + FILES_A_STEP)
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return cls.within(most - used)


class Door:
    """Who is connected."""

    def __init__(self, limits: Limits) -> None:
        self.known: Places[Connection] = Places(limits.n_known)
        self.strangers: Places[Connection] = Places(limits.n_strangers)


class Connection(H11Protocol):
    """A connection that ends unless it shows the token in time, in one request of modest size."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state | {LET_IN: self.let_in}, _loop)
        self._door: Door = app_state[DOOR]
        self._deadline: asyncio.TimerHandle | None = None
        self._n_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place among those without the token."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(PATIENCE_S, transport.abort)
        _end(self._door.strangers.take(self))

    def data_received(self, data: bytes) -> None:
        """Read a part of a request."""
        self._n_bytes += len(data)
        if self._n_bytes > REQUEST_BYTES and self in self._door.strangers:
            self.transport.abort()  # before anything is made of it
            return
        super().data_received(data)

    def let_in(self) -> None:
        """Take a place among those with the token, at the first request that shows it."""
        if self in self._door.strangers:
            self._forget()
            _end(self._door.known.take(self))

    def connection_lost(self, exc: Exception | None) -> None:
        """Free the place."""
        self._forget()
        self._door.known.leave(self)
        super().connection_lost(exc)

    def _forget(self) -> None:
        self._door.strangers.leave(self)
        if self._deadline is not None:
            self._deadline.cancel()


def _end(connection: Connection | None) -> None:
    if connection is not None:
        connection.transport.abort()
