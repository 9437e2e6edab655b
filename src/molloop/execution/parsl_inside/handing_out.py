"""Tasks handed to Parsl's executor, past its book of tasks and what they depend on.

Seen in Parsl 2026.10.26: that book costs the driver as much as all else of Parsl, and simulations
depend on nothing. `HighThroughputExecutor.submit_payload` takes what `submit` makes of a task: a
context, by which a worker finds the function, and bytes. Its socket is not for two threads, so
`DataFlowKernel.submitter_lock` is held, under which Parsl hands out other tasks.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import cast

from parsl.dataflow.dflow import DataFlowKernel
from parsl.dataflow.futures import AppFuture
from parsl.dataflow.states import States
from parsl.executors import HighThroughputExecutor

LAUNCH_TIMEOUT_S = 1.0


def by_name(function: Callable[[bytes], bytes]) -> dict[str, dict[str, str]]:
    """Return the context in which workers call a function of a module with bytes."""
    return {"task_executor": {"f": f"{function.__module__}.{function.__name__}"}}


def hand_out(
    kernel: DataFlowKernel,
    executor: HighThroughputExecutor,
    context: dict[str, dict[str, str]],
    packed: bytes,
) -> "Future[bytes]":
    """Hand a task to an executor; what it does not take has failed with an exception."""
    with kernel.submitter_lock:  # Parsl's own tasks come through another thread
        return cast("Future[bytes]", executor.submit_payload(context, packed))


def wait_until_launched(task: AppFuture) -> None:
    """Have Parsl's own thread hand out its task before those that follow."""
    until_s = time.monotonic() + LAUNCH_TIMEOUT_S
    while task.task_status() == States.pending.name and time.monotonic() < until_s:
        time.sleep(0.001)  # Parsl tells of no launch; it takes some milliseconds
