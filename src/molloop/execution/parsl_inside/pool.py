"""Parsl's pool of workers on a node, watched from outside.

Its processes share queues. One that is killed, by the system for its memory perhaps, may leave
them locked or with half a result; the pool then waits for ever, while its heartbeats say that all
is well. So does one that loses the interchange before it has registered. Therefore a pool that has
lost a process is ended, once it has had the time to tell the driver which, and so is one whose
interchange cannot be reached. Another takes its place here, as the scheduler's job may have other
nodes and goes on; unless nobody is left who could use it. No process of a pool outlives it.

Seen in Parsl 2026.10.26: its pool does not look whether its processes live. This one knows them by
`multiprocessing.spawn` in their commands, shortens `--drain_period`, and counts on a pool to tell
the interchange of a lost worker within two of its heartbeats.
"""

import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from math import inf
from pathlib import Path

from molloop.sandbox.processes import (
    adopt_orphans,
    child_pids,
    command_line,
    die_with,
    is_alive,
    kill_descendants,
)

WORKER_POOL = "molloop.execution.parsl_inside.worker_pool"
SPAWNED = "multiprocessing.spawn"  # in the command of workers, and of what serves them
DRAIN_OPTION = "--drain_period="
HEARTBEAT_PERIOD_S = 5
LOSS_GRACE_S = 2 * HEARTBEAT_PERIOD_S  # Parsl looks for lost workers once a heartbeat
UNREACHABLE_S = 15
CUT_OFF_S = 600  # so long a host that cannot be reached is waited for
LOOK_PERIOD_S = 1.0
CONNECT_TIMEOUT_S = 2.0
LASTING_S = 60
FAILED = 1
JOB_BEGAN_S = "MOLLOOP_JOB_BEGAN_S"  # environment: since then the scheduler counts
LOST = "it lost one of its processes"


class Reach(Enum):
    """What a connection to the interchange came to."""

    ANSWERS = "answers"
    REFUSES = "refuses"
    SILENT = "is silent"


@dataclass(frozen=True)
class Interchange:
    """Where Parsl's interchange listens."""

    addresses: Sequence[str]
    port: int

    def reach(self) -> Reach:
        """Try to connect; a host that is there without the interchange refuses."""
        found = Reach.SILENT
        for address in self.addresses:
            try:
                with socket.create_connection((address, self.port), CONNECT_TIMEOUT_S):
                    return Reach.ANSWERS
            except ConnectionRefusedError:
                found = Reach.REFUSES
            except OSError:
                continue
        return found

    def comes_back(self) -> bool:
        """Wait until it answers; not where it is gone, and not for ever."""
        began_s = time.monotonic()
        while (reach := self.reach()) is Reach.SILENT and time.monotonic() - began_s < CUT_OFF_S:
            time.sleep(LOOK_PERIOD_S)
        return reach is Reach.ANSWERS

    def __str__(self) -> str:
        return f"{', '.join(self.addresses)}, port {self.port}"


def loss_marker(log_dir: str, host: str) -> Path:
    """Return the file that is touched where a host's pool is ended for the loss of a process."""
    return Path(log_dir) / f"lost-{host}"


def main() -> None:
    """Run pools: the interchange's addresses and port, a folder, then what Parsl gives to each."""
    addresses, port, log_dir, *arguments = sys.argv[1:]
    # what pools and simulations that are killed leave there goes with this process
    folder = os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="molloop-")
    signal.signal(signal.SIGTERM, lambda *_: _leave(folder, 128 + signal.SIGTERM))
    adopt_orphans()
    interchange = Interchange(addresses.split(","), int(port))
    drain_s = time.monotonic() + _drain_period_s(arguments)
    while True:
        began_s = time.monotonic()
        if drain_s < inf:  # the last one counts; 0 is none
            arguments.append(f"{DRAIN_OPTION}{max(1, round(drain_s - began_s))}")
        pool = subprocess.Popen(
            [sys.executable, "-P", "-m", WORKER_POOL, *arguments],
            preexec_fn=partial(die_with, os.getpid(), signal.SIGKILL),  # noqa: PLW1509 (no threads)
        )
        trouble = _watch(pool, interchange)
        if trouble == LOST:
            with suppress(OSError):
                loss_marker(log_dir, platform.node()).touch()
        kill_descendants()
        ended_s = time.monotonic()
        if trouble is None and (ended_s >= drain_s or ended_s - began_s < LASTING_S):
            _leave(folder, abs(pool.returncode))
        _say(f"The pool of workers was ended: {trouble or f'its code is {pool.returncode}'}.")
        if not interchange.comes_back():
            _say(f"Nothing answers at {interchange}.")
            _leave(folder, FAILED)


def _drain_period_s(arguments: Sequence[str]) -> float:
    """Return after how many seconds a pool takes no more tasks: infinity where Parsl says None.

    Parsl counts from the pool's beginning, the scheduler from the job's.
    """
    given = [one.removeprefix(DRAIN_OPTION) for one in arguments if one.startswith(DRAIN_OPTION)]
    now_s = time.time()
    late_s = max(0.0, now_s - float(os.environ.get(JOB_BEGAN_S, now_s)))
    return next((float(one) - late_s for one in given if one.isdigit()), inf)


def _watch(pool: "subprocess.Popen[bytes]", interchange: Interchange) -> str | None:
    """Return why the pool should end, None when it has ended by itself."""
    members: set[int] = set()
    lost_s = None
    reached_s = looked_s = time.monotonic()
    while True:
        try:
            pool.wait(LOOK_PERIOD_S)
        except subprocess.TimeoutExpired:
            now_s = time.monotonic()
        else:
            return None
        members |= {one for one in child_pids(pool.pid) if SPAWNED in command_line(one)}
        # each is asked itself: a list of children may leave one out while another ends
        if lost_s is None and not all(map(is_alive, members)):
            lost_s = now_s
        if lost_s is not None and now_s - lost_s > LOSS_GRACE_S:
            return LOST
        if now_s - looked_s >= HEARTBEAT_PERIOD_S:
            looked_s = now_s
            if interchange.reach() is Reach.ANSWERS:
                reached_s = now_s
            elif now_s - reached_s >= UNREACHABLE_S:
                return f"nothing answers at {interchange}"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _leave(folder: str, code: int) -> None:
    kill_descendants()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(code)


if __name__ == "__main__":
    main()
