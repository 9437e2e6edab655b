"""The process that simulates: it may hang or crash, its parent (`guard.py`) outlives that."""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from multiprocessing.connection import Connection

from molloop.errors import SimulationError
from molloop.processes import adopt_orphans, die_with
from molloop.simulate.outcome import Failure, Outcome, Success
from molloop.simulate.protocol import IONIZATION, SimulationProtocol

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
        success = load(protocol)(smiles)
        if not isinstance(success, Success):
            raise TypeError(f"{protocol.simulator} returned {success!r}, expected a Success")
        seconds = time.perf_counter() - began_s
        return replace(success, level=level, fidelity=fidelity, seconds=seconds)
    except SimulationError as error:
        kind, message, can_retry = error.kind, error.message, error.can_retry
    except MemoryError:
        kind, message, can_retry = "memory", "out of memory", True
    except Exception as error:  # noqa: BLE001 - the guard promises one outcome a molecule
        kind, message, can_retry = "unexpected", f"{type(error).__name__}: {error}", False
    seconds = time.perf_counter() - began_s
    return Failure(kind, message, level, fidelity, can_retry, seconds)


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
    die_with(int(sys.argv[2]), signal.SIGKILL)
    adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # what a library prints goes where the guard reads after a crash
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while True:
        try:
            smiles, protocol = connection.recv()
        except EOFError:
            return
        connection.send(check(protocol) if smiles is None else simulate(smiles, protocol))


if __name__ == "__main__":
    main()
