"""The process that simulates: it may hang or crash, its parent (`guard.py`) outlives that."""

import os
import pickle
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from molloop.errors import SimulationError
from molloop.sandbox.channel import NO_NONCE, Channel
from molloop.sandbox.processes import (
    adopt_orphans,
    die_with,
    has_children,
    has_grown_beyond,
    kill_descendants,
)
from molloop.sandbox.surroundings import Surroundings
from molloop.simulate.outcome import Failure, Outcome
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.simulators import load
from molloop.simulate.validation import accepted

T = TypeVar("T")


def simulate(smiles: str, protocol: SimulationProtocol) -> Outcome:
    """Simulate one molecule; whatever goes wrong is a failure of this molecule."""
    began_s = time.perf_counter()
    outcome = accepted(_outcome(smiles, protocol), protocol.quantity)
    return replace(outcome, seconds=time.perf_counter() - began_s)


def _outcome(smiles: str, protocol: SimulationProtocol) -> object:
    """Return what a simulator returns, or what it raises as a failure."""
    try:
        return _call(lambda: load(protocol)(smiles))
    except SimulationError as error:
        return Failure(error.kind, _text(error.message))
    except MemoryError:
        return Failure("memory", "out of memory")
    except BaseException as error:  # noqa: BLE001 - the guard promises one outcome a molecule
        return Failure("unexpected", f"{type(error).__name__}: {_text(error)}")


def _call(users: Callable[[], T]) -> T:
    """Run a user's code; a copy of this process that was forked in it and returns ends at once."""
    asked_pid = os.getpid()
    try:
        return users()
    finally:
        if os.getpid() != asked_pid:
            os._exit(0)


def _text(given: object) -> str:
    try:
        return str(given)
    except Exception:  # noqa: BLE001 - it is a user's
        return f"a {type(given).__name__} without words"


def check(protocol: SimulationProtocol) -> str:
    """Return why the simulator cannot be loaded, or nothing."""
    try:
        _call(lambda: load(protocol))
    except BaseException as error:  # noqa: BLE001 - importing runs a user's code
        return f"{type(error).__name__}: {_text(error)}"
    return ""


def main() -> None:
    """Answer requests until the guard closes the connection; run no exit hook of a user's."""
    try:
        _serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
    except EOFError:
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - a closed connection, a user's signal handler
        with suppress(OSError, ValueError):
            sys.stderr.write(f"cannot answer: {type(error).__name__}: {error}\n")
            sys.stderr.flush()
        os._exit(1)


def _serve(connection: socket.socket, parent_pid: int) -> None:
    """Answer requests, each a SMILES or None, and a protocol where it changes."""
    connection.set_inheritable(False)
    die_with(parent_pid, signal.SIGKILL)
    adopt_orphans()
    # what a library prints goes where the guard reads after a crash
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    channel = Channel(connection)
    # whatever is forked from here on can neither read a request nor answer one
    os.register_at_fork(after_in_child=channel.close)
    surroundings = Surroundings()
    channel.send(NO_NONCE, b"")
    protocol = SimulationProtocol()
    while True:
        request = channel.receive()
        smiles, told = pickle.loads(request.content)
        answer: object = ""
        if told or smiles is None:
            protocol = told or protocol
            answer = check(protocol)
            surroundings.note()  # what importing has changed is there for all molecules
        if smiles is not None:
            answer = simulate(smiles, protocol)
        # what a molecule leaves behind is not charged to the next one
        is_clean = surroundings.restore()
        if has_children():
            is_clean &= kill_descendants()
        # nor is what the process has grown by
        is_last = not is_clean or has_grown_beyond(protocol.memory_limit_gib * 2**30 / 2)
        channel.send(request.nonce, pickle.dumps((answer, is_last)))


if __name__ == "__main__":
    main()
