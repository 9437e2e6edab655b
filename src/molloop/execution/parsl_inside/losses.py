"""What was lost where Parsl gives a task back.

Seen in Parsl 2026.10.26: it tells a lost worker (`WorkerLost`) from a lost pool (`ManagerLost`),
but not why a pool is lost. The host's name, `ManagerLost.hostname`, leads to the file that a pool
which is ended for the loss of a process leaves in the executor's `worker_logdir`.
"""

import time
from contextlib import suppress

from parsl.dataflow.errors import DependencyError
from parsl.executors import HighThroughputExecutor
from parsl.executors.high_throughput.errors import ManagerLost, WorkerLost

from molloop.execution.parsl_inside.pool import loss_marker

POOL_END_S = 60.0  # so long after a pool was ended, what it had is surely missed


def what_was_lost(executor: HighThroughputExecutor, error: BaseException) -> str:
    """Return what was lost: worker, pool (ended for the loss of a worker), manager or task."""
    if isinstance(error, WorkerLost):
        return "worker"
    if not isinstance(error, ManagerLost):
        return "task"  # what a molecule does is an outcome: this is its host's trouble
    with suppress(OSError):
        marker = loss_marker(executor.worker_logdir, error.hostname)
        if time.time() - marker.stat().st_mtime < POOL_END_S:
            return "pool"
    return "manager"


def words_of(error: BaseException) -> str:
    """Return an error in words: of a task whose inputs failed, that of what failed first."""
    first = error.__cause__ if isinstance(error, DependencyError) else error
    return f"{type(first).__name__}: {first}"
