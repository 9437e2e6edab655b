"""A group of items becomes one answer each, on a worker."""

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
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
        One an item; not of all where it was halted or no other could be run here.
    worker
        Who computed them: host and process.
    times_s
        When each began and ended, in seconds since the epoch by the worker's clock.
    trouble
        Why no other could be run here.
    places, lanes
        Of each outcome, which item of the group it is, and which of the lanes abreast had it; empty
        where they went one after the other: of the first items, in their order.
    """

    outcomes: tuple[Answer, ...]
    worker: str
    times_s: tuple[tuple[float, float], ...]
    trouble: str = ""
    places: tuple[int, ...] = ()
    lanes: tuple[int, ...] = ()


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


class _Lanes:
    """Threads that live on from group to group, and with them a guard each."""

    def __init__(self) -> None:
        self._pid, self._n, self._threads = os.getpid(), 0, ThreadPoolExecutor(1)

    def work(self, lane: Callable[[int], None], n: int) -> None:
        """Call a function with 0, 1, ... n - 1, each in a thread; wait for all."""
        if self._pid != os.getpid() or n > self._n:
            self._pid, self._n, self._threads = os.getpid(), n, ThreadPoolExecutor(n)
        for ended in [self._threads.submit(lane, number) for number in range(n)]:
            ended.result()


_LANES = _Lanes()


class _Group(Generic[Item, Answer]):
    """Items that are taken one after the other, by one lane or by several."""

    def __init__(self, items: Sequence[Item], task: Task[Item, Answer], halt: Halt | None) -> None:
        self._left, self._lock = iter(enumerate(items)), threading.Lock()
        self._task, self._halt = task, halt
        self._is_over = False
        self.done: dict[int, tuple[Answer, tuple[float, float], int]] = {}
        self.error: OSError | None = None

    def _take(self) -> tuple[int, Item] | None:
        with self._lock:
            is_halted = self._halt is not None and self._halt.is_called()
            return None if is_halted or self._is_over else next(self._left, None)

    def work(self, lane: int) -> None:
        """Take items until none is left, or no other may be begun here."""
        while (taken := self._take()) is not None:
            place, item = taken
            began_s = time.time()
            try:
                outcome = _insist(item, self._task, self._halt if self.done else None)
            except OSError as error:
                self.error, self._is_over = error, True
                return
            if outcome is None:
                return
            self.done[place] = outcome, (began_s, time.time()), lane


def run_group(
    items: Sequence[Item],
    task: Task[Item, Answer],
    halt: Halt | None = None,
    n_abreast: int = 1,
) -> GroupResult[Answer]:
    """Run a task on some items; a failure is data, not an exception.

    They run one after the other in one child process, or in several abreast. Whatever an item does
    to it (a crash, a hang, more time or memory than it may have), the others lose nothing.

    Parameters
    ----------
    halt
        Once it is heard no other item is begun, and where some have ended the last ones are given
        up in time to send them.
    n_abreast
        How many are run at the same time.

    Raises
    ------
    OSError
        No child can be started here, also after a while.
    """
    group = _Group(items, task, halt)
    if n_abreast == 1 or len(items) < 2:
        group.work(0)
    else:
        _LANES.work(group.work, min(n_abreast, len(items)))
    if group.error is not None and not group.done:
        raise group.error
    trouble = f"{type(group.error).__name__}: {group.error}" if group.error is not None else ""
    places = tuple(sorted(group.done))
    outcomes, times_s, lanes = (
        zip(*map(group.done.__getitem__, places), strict=True) if places else ((), (), ())
    )
    both = (places, lanes) if n_abreast > 1 else ((), ())
    return GroupResult(outcomes, worker_name(), times_s, trouble, *both)


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
