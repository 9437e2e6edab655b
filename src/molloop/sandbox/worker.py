"""A group of molecules becomes one outcome each, on a worker."""

import os
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from molloop.sandbox.guard import Guard
from molloop.sandbox.halt import Halt
from molloop.simulate.outcome import Outcome
from molloop.simulate.protocol import SimulationProtocol

TROUBLE_S = 60.0  # so long a host that can start no process keeps a task
TROUBLE_PERIOD_S = 5.0


@dataclass(frozen=True, slots=True)
class GroupResult:
    """What a worker sends back.

    Attributes
    ----------
    outcomes
        One a molecule, in the order of the group; of the first ones only, where it was halted or
        no other could be simulated here.
    worker
        Who computed them: host and process.
    times_s
        When each began and ended, in seconds since the epoch by the worker's clock.
    trouble
        Why no other could be simulated here.
    """

    outcomes: tuple[Outcome, ...]
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


def simulate_group(
    smiles: Sequence[str], protocol: SimulationProtocol, halt: Halt | None = None
) -> GroupResult:
    """Simulate some molecules, one after the other; a failure is data, not an exception.

    They run in one child process. Whatever a molecule does to it (a crash, a hang, more time or
    memory than it may have), the others lose nothing.

    Parameters
    ----------
    halt
        Once it is heard no other molecule is begun, and where some have ended the last one is
        given up in time to send them.

    Raises
    ------
    OSError
        No child can be started here, also after a while.
    """
    outcomes: list[Outcome] = []
    times_s: list[tuple[float, float]] = []
    trouble = ""
    for text in smiles:
        if halt is not None and halt.is_called():
            break
        began_s = time.time()
        try:
            outcome = _insist(text, protocol, halt if outcomes else None)
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


def _insist(text: str, protocol: SimulationProtocol, halt: Halt | None) -> Outcome | None:
    """Simulate a molecule; wait where this host has no disk or no process left.

    A host that failed at once would take task after task from those that can do them.
    """
    until_s = time.monotonic() + TROUBLE_S
    while True:
        try:
            return _GUARDS.get().simulate(text, protocol, halt.is_over if halt else None)
        except OSError:
            if halt is not None and halt.is_over():
                return None
            if time.monotonic() >= until_s:
                raise
            time.sleep(TROUBLE_PERIOD_S)


def worker_name() -> str:
    """Return host and process of this worker."""
    return f"{socket.gethostname()}:{os.getpid()}"


def simulate_one(smiles: str, protocol: SimulationProtocol) -> Outcome:
    """Simulate one molecule in this thread's child process."""
    outcome = _GUARDS.get().simulate(smiles, protocol)
    assert outcome is not None  # only what is halted has none
    return outcome


def check_simulator(protocol: SimulationProtocol) -> str:
    """Return why a protocol's simulator cannot be used here, or nothing."""
    with closing(Guard()) as guard:
        return guard.check(protocol)
