"""The process that runs a task: it may hang or crash, its parent (`guard.py`) outlives that."""

import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from molloop.sandbox.channel import NO_NONCE, Channel
from molloop.sandbox.processes import (
    adopt_orphans,
    die_with,
    has_children,
    has_grown_beyond,
    kill_descendants,
)
from molloop.sandbox.surroundings import Surroundings
from molloop.sandbox.task import Task

T = TypeVar("T")


def _call(users: Callable[[], T]) -> T:
    """Run a user's code; a copy of this process that was forked in it and returns ends at once."""
    asked_pid = os.getpid()
    try:
        return users()
    finally:
        if os.getpid() != asked_pid:
            os._exit(0)


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
    """Answer requests, each a task where it changes, and an item or none."""
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
    task: Task[Any, Any] | None = None
    while True:
        request = channel.receive()
        told, items = pickle.loads(request.content)
        task = told or task
        assert task is not None  # the first request tells it
        answer: object = ""
        if told or not items:
            answer = _call(task.obstacle)
            surroundings.note()  # what importing has changed is there for all items
        for item in items:
            answer = _call(partial(task.run, item))
        # what an item leaves behind is not charged to the next one
        is_clean = surroundings.restore()
        if has_children():
            is_clean &= kill_descendants()
        # nor is what the process has grown by
        is_last = not is_clean or has_grown_beyond(task.memory_limit_gib * 2**30 / 2)
        channel.send(request.nonce, pickle.dumps((answer, is_last)))


if __name__ == "__main__":
    main()
