"""Parsl's pool of workers on a node, watched from outside.

Its processes share queues. One that is killed, by the system for its memory perhaps, may leave
them locked or with half a result; the pool then waits for ever, while its heartbeats say that all
is well. So does one that loses the interchange before it has registered. Therefore a pool that has
lost a process is ended, once it has had the time to tell the driver which, and so is one whose
interchange cannot be reached; Parsl starts another. No process of a pool outlives it.
"""

import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType

from molloop.processes import (
    adopt_orphans,
    child_pids,
    command_line,
    die_with,
    is_alive,
    kill_descendants,
)

WORKER_POOL = "molloop.execution.parsl_pool"
SPAWNED = "multiprocessing.spawn"  # in the command of workers, and of what serves them
HEARTBEAT_PERIOD_S = 5
LOSS_GRACE_S = 2 * HEARTBEAT_PERIOD_S  # Parsl looks for lost workers once a heartbeat
UNREACHABLE_S = 15
LOOK_PERIOD_S = 1.0
CONNECT_TIMEOUT_S = 2.0
LASTING_S = 60
FAILED = 1
LOST = "it lost one of its processes"


def loss_marker(log_dir: str, host: str) -> Path:
    """Return the file that is touched where a host's pool is ended for the loss of a process."""
    return Path(log_dir) / f"lost-{host}"


def main() -> None:
    """Run the pool: the interchange's addresses and port, a folder, then Parsl's own arguments."""
    addresses, port, log_dir, *arguments = sys.argv[1:]
    signal.signal(signal.SIGTERM, _end)
    adopt_orphans()
    began_s = time.monotonic()
    pool = subprocess.Popen(
        [sys.executable, "-P", "-m", WORKER_POOL, *arguments],
        preexec_fn=partial(die_with, os.getpid(), signal.SIGKILL),  # noqa: PLW1509 (no threads here)
    )
    trouble = _watch(pool, addresses.split(","), int(port))
    if trouble == LOST:
        with suppress(OSError):
            loss_marker(log_dir, platform.node()).touch()
    kill_descendants()
    if trouble:
        sys.stderr.write(f"The pool of workers was ended: {trouble}.\n")
        sys.stderr.flush()
    # Parsl gives up after three failures in a row: those of pools that never worked
    has_worked = trouble == LOST or time.monotonic() - began_s > LASTING_S
    os._exit(0 if has_worked else FAILED if trouble else abs(pool.returncode))


def _watch(pool: "subprocess.Popen[bytes]", addresses: Sequence[str], port: int) -> str | None:
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
            if any(_is_reachable(address, port) for address in addresses):
                reached_s = now_s
            elif now_s - reached_s >= UNREACHABLE_S:
                return f"nothing answers at {', '.join(addresses)}, port {port}"


def _is_reachable(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), CONNECT_TIMEOUT_S):
            return True
    except OSError:
        return False


def _end(_number: int, _frame: FrameType | None) -> None:
    kill_descendants()
    os._exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    main()
