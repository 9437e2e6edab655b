"""A group of items becomes one answer each, on a worker."""

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from molloop.sandbox.guard import Guard
from molloop.sandbox.halt import Halt
from molloop.sandbox.task import Task

Item = TypeVar("Item")
Answer = TypeVar("Answer")
TROUBLE_S = 60.0  # so long a host that can start no process keeps a task
TROUBLE_PERIOD_S = 5.0


@dataclass(frozen=True)
class GroupResult(Generic[Answer]):
    """What a worker sends back.

    Without slots: frozen classes with slots are pickled by functions in Python.

    Attributes
    ----------
    outcomes
        One an item, in the order of the group; of the first ones only, where it was halted or no
        other could be run here.
    worker
        Who computed them: host and process.
    times_s
        When each began and ended, in seconds since the epoch by the worker's clock.
    trouble
        Why no other could be run here.
    """

    outcomes: tuple[Answer, ...]
    worker: str
    times_s: tuple[tuple[float, float], ...]
    trouble: str = ""


class _Guards(threading.local):
    """A guard a thread, which lives on from group to group; a forked process makes its own."""

    def __init__(self) -> None:
        self.guard = Guard()
        self.pid = os.getpid()

    def get(self) -> Guard:
        if self.pid != os.getpid():
            self.__init__()  # type: ignore[misc]  # what the fork copied is the parent's
        return self.guard


_GUARDS = _Guards()


def run_group(
    items: Sequence[Item], task: Task[Item, Answer], halt: Halt | None = None
) -> GroupResult[Answer]:
    """Run a task on some items, one after the other; a failure is data, not an exception.

    They run in one child process. Whatever an item does to it (a crash, a hang, more time or
    memory than it may have), the others lose nothing.

    Parameters
    ----------
    halt
        Once it is heard no other item is begun, and where some have ended the last one is
        given up in time to send them.

    Raises
    ------
    OSError
        No child can be started here, also after a while.
    """
    outcomes: list[Answer] = []
    times_s: list[tuple[float, float]] = []
    trouble = ""
    for item in items:
        if halt is not None and halt.is_called():
            break
        began_s = time.time()
        try:
            outcome = _insist(item, task, halt if outcomes else None)
        except OSError as error:
            if not outcomes:
                raise
            trouble = f"{type(error).__name__}: {error}"
            break  # what has ended is sent
        if outcome is None:
            break
        outcomes.append(outcome)
        times_s.append((began_s, time.time()))
    return GroupResult(tuple(outcomes), worker_name(), tuple(times_s), trouble)


def _insist(item: Item, task: Task[Item, Answer], halt: Halt | None) -> Answer | None:
    """Run an item; wait where this host has no disk or no process left.

    A host that failed at once would take task after task from those that can do them.
    """
    until_s = time.monotonic() + TROUBLE_S
    while True:
        try:
            return _GUARDS.get().run(item, task, halt.is_over if halt else None)
        except OSError:
            if halt is not None and halt.is_over():
                return None
            if time.monotonic() >= until_s:
                raise
            time.sleep(TROUBLE_PERIOD_S)


def worker_name() -> str:
    """Return host and process of this worker."""
    return f"{socket.gethostname()}:{os.getpid()}"


def run_one(
    item: Item, task: Task[Item, Answer], is_over: Callable[[], bool] | None = None
) -> Answer | None:
    """Run a task on one item in this thread's child process.

    Parameters
    ----------
    is_over
        Asked now and then; where it says so the item is given up, without an answer.
    """
    return _GUARDS.get().run(item, task, is_over)
