"""What workers are given.

Importing this module imports all that a ranking needs: workers load it before their first
simulation, and not in the midst of a run.
"""

import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import starmap
from operator import attrgetter
from typing import Any

import molloop.search.rank  # noqa: F401
from molloop.campaign.engine import Work
from molloop.molecule import Molecule
from molloop.sandbox.halt import Halt
from molloop.sandbox.worker import GroupResult, run_group, worker_name
from molloop.simulate.outcome import Outcome
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.task import SimulationTask
from molloop.surrogate.registry import MODELS, model_class

for one in MODELS.own.values():
    model_class(one.reference)

PARTS = attrgetter("id", "smiles", "name", "geometry")  # of a molecule
# tasks without a priority, the simulations, come last
FIRST = {"priority": 0}


@dataclass(frozen=True, slots=True)
class Timed:
    """A task's result; times in seconds since the epoch, by the worker's clock."""

    result: Any
    work: Work
    worker: str
    began_s: float
    ended_s: float


def timed(
    work: Work,
    function: Callable[..., Any],
    *arguments: Any,
    parsl_resource_specification: dict[str, int] = FIRST,
) -> Timed:
    """Call a function; arguments may be results of other such tasks.

    Parsl reads the last one when it hands the task out.
    """
    del parsl_resource_specification
    began_s = time.time()
    plain = (one.result if isinstance(one, Timed) else one for one in arguments)
    result = function(*plain)
    return Timed(result, work, worker_name(), began_s, time.time())


def share(protocol: SimulationProtocol, halt: Halt, n_abreast: int) -> bytes:
    """Return what all groups of a stage share, for :func:`pack`; a worker reads it once.

    Parameters
    ----------
    n_abreast
        How many molecules a worker simulates at the same time.
    """
    return pickle.dumps((SimulationTask(protocol), halt, n_abreast))


def pack(molecules: Sequence[Molecule], shared: bytes) -> bytes:
    """Return what :func:`simulate` is given.

    As bytes, and so is its result: Parsl's own serializer runs in Python, and takes longer than all
    else that hands out a task. By columns, which take a third of the time that objects do.
    """
    return pickle.dumps((list(zip(*map(PARTS, molecules), strict=True)), shared))


def simulate(packed: bytes) -> bytes:
    """Simulate a group of molecules; see :func:`molloop.sandbox.worker.run_group`."""
    columns, shared = pickle.loads(packed)
    molecules = list(starmap(Molecule, zip(*columns, strict=True)))
    return pickle.dumps(run_group(molecules, *_read(shared)))


@lru_cache(maxsize=4)  # one a stage
def _read(shared: bytes) -> tuple[SimulationTask, Halt, int]:
    read: tuple[SimulationTask, Halt, int] = pickle.loads(shared)
    return read


def unpack(packed: bytes) -> GroupResult[Outcome]:
    """Read a result of :func:`simulate`."""
    result: GroupResult[Outcome] = pickle.loads(packed)
    return result
