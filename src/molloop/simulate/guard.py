"""Simulations in a child process that can be killed, with all that it started, and replaced."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import IO, Any

import psutil

from molloop.processes import ONE_THREAD
from molloop.simulate.outcome import Failure, Outcome
from molloop.simulate.protocol import SimulationProtocol

START_TIMEOUT_S = 120.0
POLL_S = 0.2  # between two looks at the memory
N_LAST_WORDS = 500
GIB = 2**30


class Guard:
    """One child process that simulates molecule after molecule.

    It is started when it is first needed, again whenever it is gone, has a session of its own,
    runs one thread, and ends with the thread that started it.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None
        self._words: IO[bytes] | None = None  # what the child prints
        self._owner_pid = os.getpid()

    def check(self, protocol: SimulationProtocol) -> str:
        """Return why a protocol's simulator cannot be used, or nothing."""
        self._start()
        try:
            return str(self._ask(None, protocol, START_TIMEOUT_S))
        except (TimeoutError, EOFError, BrokenPipeError, ConnectionResetError):
            reason = f"it {self._how_it_ended()}"
            self.close()
            return reason

    def simulate(self, smiles: str, protocol: SimulationProtocol) -> Outcome:
        """Return a molecule's outcome, whatever it does to the child."""
        began_s = time.perf_counter()
        level, fidelity = protocol.outcome_level, protocol.outcome_fidelity
        if not self._is_alive():
            # imports do not count for the molecule's time
            reason = self.check(protocol)
            if not self._is_alive():
                message = f"the process that simulates does not start: {reason}"
                return Failure("crash", message, level, fidelity, can_retry=True)
        try:
            self._forget_words()
            outcome: Outcome = self._ask(smiles, protocol, protocol.timeout_s)
        except TimeoutError:
            kind, can_retry = "timeout", True
            message = f"{smiles!r} took longer than timeout_s = {protocol.timeout_s:g}"
        except MemoryError:
            kind, can_retry = "memory", True
            message = f"{smiles!r} passed memory_limit_gib = {protocol.memory_limit_gib:g}"
        except (EOFError, BrokenPipeError, ConnectionResetError):
            kind, can_retry = "crash", False
            message = f"{smiles!r}: the process that simulates {self._how_it_ended()}"
        else:
            return outcome
        self.close()
        return Failure(kind, message, level, fidelity, can_retry, time.perf_counter() - began_s)

    def close(self) -> None:
        """Kill the child and all its descendants; a forked copy of this guard leaves them alone."""
        if self._process is not None and self._owner_pid == os.getpid():
            _kill_family(self._process.pid)
            self._process.wait()
        for resource in (self._connection, self._words):
            if resource is not None:
                resource.close()
        self._process = self._connection = self._words = None

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _start(self) -> None:
        if self._is_alive():
            return
        self.close()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        fcntl.fcntl(self._words, fcntl.F_SETFL, os.O_APPEND)
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "molloop.simulate.child"]
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno()), str(os.getpid())],
                env=os.environ | ONE_THREAD,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._words,
            )
        self._connection = Connection(ours.detach())

    def _ask(self, smiles: str | None, protocol: SimulationProtocol, timeout_s: float) -> Any:
        """Send a request and wait for its answer.

        Raises
        ------
        TimeoutError, MemoryError, EOFError, BrokenPipeError, ConnectionResetError
            The child passed a limit, or is gone.
        """
        assert self._process is not None
        assert self._connection is not None
        deadline_s = time.monotonic() + timeout_s
        self._connection.send((smiles, protocol))
        while not self._connection.poll(min(POLL_S, max(0.0, deadline_s - time.monotonic()))):
            if time.monotonic() >= deadline_s:
                raise TimeoutError
            if _memory_bytes(self._process.pid) > protocol.memory_limit_gib * GIB:
                raise MemoryError
        return self._connection.recv()

    def _forget_words(self) -> None:
        if self._words is not None:
            os.ftruncate(self._words.fileno(), 0)

    def _how_it_ended(self) -> str:
        assert self._process is not None
        assert self._words is not None
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return "does not answer"
        self._words.seek(0)
        words = self._words.read().decode(errors="replace").strip()[-N_LAST_WORDS:]
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
        return f"{how}; its last words: {words}" if words else how


def _family(pid: int) -> list[psutil.Process]:
    """Return a process's living descendants."""
    try:
        found = psutil.Process(pid).children(recursive=True)
        return [one for one in found if one.status() != psutil.STATUS_ZOMBIE]
    except psutil.NoSuchProcess:
        return []


def _memory_bytes(pid: int) -> int:
    total = 0
    for one in (pid, *(child.pid for child in _family(pid))):
        with suppress(psutil.NoSuchProcess):
            total += psutil.Process(one).memory_info().rss
    return total


def _kill_family(pid: int) -> None:
    """Kill a process and its descendants, which it has adopted where their parents ended."""
    try:
        parent = psutil.Process(pid)
        parent.suspend()  # it starts no more
        while family := _family(pid):
            for one in family:
                one.kill()
            psutil.wait_procs(family, timeout=0.1)
        parent.kill()
    except psutil.NoSuchProcess:
        return
