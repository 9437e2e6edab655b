"""A group of molecules becomes one outcome each, on a worker."""

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from threadpoolctl import ThreadpoolController

from molloop.errors import SimulationError
from molloop.simulate.outcome import Failure, Outcome


@dataclass(frozen=True, slots=True)
class GroupResult:
    """What a worker sends back.

    Attributes
    ----------
    outcomes
        One a molecule, in the order of the group.
    worker
        Who computed them: host and process.
    began_s, ended_s
        Seconds since the epoch, by the worker's clock.
    """

    outcomes: tuple[Outcome, ...]
    worker: str
    began_s: float
    ended_s: float


def simulate_group(smiles: Sequence[str], level: str) -> GroupResult:
    """Simulate some molecules, one after the other; a failure is data, not an exception."""
    began_s = time.time()
    outcomes = tuple(simulate_one(text, level) for text in smiles)
    return GroupResult(outcomes, f"{socket.gethostname()}:{os.getpid()}", began_s, time.time())


@cache
def _threads() -> ThreadpoolController:
    """Return the thread pools of tblite and NumPy, once both are loaded.

    With one thread a value is the same bit for bit; with two it changes in the ninth digit.
    """
    return ThreadpoolController()


def simulate_one(smiles: str, level: str) -> Outcome:
    """Simulate one molecule on one thread, whatever the environment says."""
    from molloop.simulate.ionization import FIDELITY, vertical_ie

    began_s = time.perf_counter()
    try:
        with _threads().limit(limits=1):
            success = vertical_ie(smiles, level)
    except SimulationError as error:
        kind, message, can_retry = error.kind, error.message, error.can_retry
    except Exception as error:  # noqa: BLE001 - whatever a molecule provokes stays its own failure
        kind, message, can_retry = "unexpected", f"{type(error).__name__}: {error}", False
    else:
        return replace(success, seconds=time.perf_counter() - began_s)
    seconds = time.perf_counter() - began_s
    return Failure(kind, message, level, FIDELITY, can_retry, seconds)
