"""A group of molecules becomes one outcome each, on a worker."""

import os
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from molloop.simulate.guard import Guard
from molloop.simulate.outcome import Outcome
from molloop.simulate.protocol import SimulationProtocol


@dataclass(frozen=True, slots=True)
class GroupResult:
    """What a worker sends back.

    Attributes
    ----------
    outcomes
        One a molecule, in the order of the group; of the first ones only, where it was halted.
    worker
        Who computed them: host and process.
    times_s
        When each began and ended, in seconds since the epoch by the worker's clock.
    """

    outcomes: tuple[Outcome, ...]
    worker: str
    times_s: tuple[tuple[float, float], ...]


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


def simulate_group(
    smiles: Sequence[str], protocol: SimulationProtocol, halt: Path | None = None
) -> GroupResult:
    """Simulate some molecules, one after the other; a failure is data, not an exception.

    They run in one child process. Whatever a molecule does to it (a crash, a hang, more time or
    memory than it may have), the others lose nothing.

    Parameters
    ----------
    halt
        Where this file exists, no other molecule is begun.
    """
    outcomes = []
    times_s = []
    for text in smiles:
        if halt is not None and halt.exists():
            break
        began_s = time.time()
        outcomes.append(simulate_one(text, protocol))
        times_s.append((began_s, time.time()))
    return GroupResult(tuple(outcomes), worker_name(), tuple(times_s))


def worker_name() -> str:
    """Return host and process of this worker."""
    return f"{socket.gethostname()}:{os.getpid()}"


def simulate_one(smiles: str, protocol: SimulationProtocol) -> Outcome:
    """Simulate one molecule in this thread's child process."""
    return _GUARDS.get().simulate(smiles, protocol)


def check_simulator(protocol: SimulationProtocol) -> str:
    """Return why a protocol's simulator cannot be used here, or nothing."""
    with closing(Guard()) as guard:
        return guard.check(protocol)
