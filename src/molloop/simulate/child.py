"""The process that simulates: it may hang or crash, its parent (`guard.py`) outlives that."""

import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from multiprocessing.connection import Connection
from numbers import Integral

import numpy as np

from molloop.errors import SimulationError
from molloop.processes import (
    adopt_orphans,
    die_with,
    has_children,
    kill_descendants,
    memory_bytes,
)
from molloop.simulate.outcome import LARGEST_VALUE, Failure, Geometry, Outcome, Success
from molloop.simulate.protocol import IONIZATION, SimulationProtocol

LARGEST_INTEGER = 2**63
Simulator = Callable[[str], Success]


@cache
def load(protocol: SimulationProtocol) -> Simulator:
    """Import the simulator that a protocol names.

    Raises
    ------
    ImportError, AttributeError, ValueError
        There is no such module or function, or the name is not ``package.module:function``.
    """
    if protocol.simulator == IONIZATION:
        from molloop.simulate.ionization import vertical_ie

        return partial(
            vertical_ie,
            level=protocol.level,
            fidelity=protocol.fidelity,
            n_conformers=protocol.n_conformers,
            max_atoms=protocol.max_atoms,
        )
    module, _, name = protocol.simulator.partition(":")
    if not (module and name):
        raise ValueError(f"{protocol.simulator!r} is not of the form package.module:function")
    function: Simulator = getattr(import_module(module), name)
    return function


def simulate(smiles: str, protocol: SimulationProtocol) -> Outcome:
    """Simulate one molecule; whatever goes wrong is a failure of this molecule."""
    began_s = time.perf_counter()
    level, fidelity = protocol.outcome_level, protocol.outcome_fidelity
    try:
        success = _checked(load(protocol)(smiles))
        seconds = time.perf_counter() - began_s
        return replace(success, level=level, fidelity=fidelity, seconds=seconds)
    except SimulationError as error:
        kind, message, can_retry = str(error.kind), str(error.message), bool(error.can_retry)
    except MemoryError:
        kind, message, can_retry = "memory", "out of memory", True
    except Exception as error:  # noqa: BLE001 - the guard promises one outcome a molecule
        kind, message, can_retry = "unexpected", f"{type(error).__name__}: {error}", False
    seconds = time.perf_counter() - began_s
    return Failure(kind, message, level, fidelity, can_retry, seconds)


def _checked(success: Success) -> Success:
    """Return a result whose parts are what the store can keep, whoever made it.

    Raises
    ------
    SimulationError
        ``invalid_result``.
    """
    try:
        if not isinstance(success, Success):
            raise TypeError(f"it is {success!r}")
        value = float(success.value)
        if not abs(value) <= LARGEST_VALUE:  # nan neither
            raise ValueError(f"its value is {value}")
        geometry = success.geometry
        if geometry is not None:
            numbers = np.array(geometry.numbers, dtype=np.uint8)
            positions = np.array(geometry.positions_angstrom, dtype=np.float64)
            geometry = Geometry(numbers, positions.reshape(len(numbers), 3))
        return Success(  # a subclass might not be known where it is read
            value=value,
            details={str(key): _plain(number) for key, number in success.details.items()},
            flags=tuple(map(str, success.flags)),
            geometry=geometry,
        )
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise SimulationError(
            "invalid_result", f"expected a Success with a finite value, but {error}"
        ) from error


def _plain(number: float) -> float:
    # longer ones are no JSON that can be read
    is_short = isinstance(number, Integral) and abs(number) < LARGEST_INTEGER
    return int(number) if is_short else float(number)


def check(protocol: SimulationProtocol) -> str:
    """Return why the simulator cannot be loaded, or nothing."""
    try:
        load(protocol)
    except Exception as error:  # noqa: BLE001 - importing runs a user's code
        return f"{type(error).__name__}: {error}"
    return ""


def main() -> None:
    """Answer requests until the parent closes the connection: (SMILES or None, protocol)."""
    connection = Connection(int(sys.argv[1]))
    os.set_inheritable(connection.fileno(), False)
    die_with(int(sys.argv[2]), signal.SIGKILL)
    adopt_orphans()
    # what a library prints goes where the guard reads after a crash
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    protocol = SimulationProtocol()
    while True:
        try:
            smiles, told = pickle.loads(connection.recv_bytes())
        except EOFError:
            return
        protocol = told or protocol  # it is told when it changes
        answer = check(protocol) if smiles is None else simulate(smiles, protocol)
        # what a molecule leaves behind is not charged to the next one
        if has_children():
            kill_descendants()
        # nor is what the process has grown by
        is_last = memory_bytes() > protocol.memory_limit_gib * 2**30 / 2
        connection.send_bytes(pickle.dumps((answer, is_last)))


if __name__ == "__main__":
    main()
