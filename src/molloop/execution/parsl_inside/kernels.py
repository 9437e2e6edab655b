"""Parsl's kernel, started and stopped without waiting for a process that is gone.

Seen in Parsl 2026.10.26: `DataFlowKernel` waits two minutes for an interchange that has ended, asks
one that hangs without a limit, and waits for ever for some processes when it cleans up; it leaves
allocations where it has given up on an executor. No option limits these waits, so they are set on
the sockets of `HighThroughputExecutor.command_client` and `outgoing_q`, under the lock of the
former; `interchange_proc` is watched and `cleanup` is called in a thread of its own.
"""

import logging
import threading
from contextlib import suppress
from typing import cast

import parsl
import zmq
from parsl.dataflow.dflow import DataFlowKernel
from parsl.executors import HighThroughputExecutor
from parsl.providers.cluster_provider import ClusterProvider

from molloop.errors import EngineError
from molloop.execution.parsl_inside.jobs import cancel_without_waiting, cancellation, open_jobs
from molloop.execution.parsl_inside.paced import stop_asking
from molloop.execution.schedulers import SCHEDULER_TIMEOUT_S

LOOK_PERIOD_S = 0.2
STOP_TIMEOUT_S = 8.0  # what is left then ends with this process
SOCKET_TIMEOUT_MS = 15_000


def start(config: parsl.Config) -> DataFlowKernel:
    """Start Parsl with a configuration of one executor.

    Raises
    ------
    EngineError
        It cannot be started.
    """
    executor = cast("HighThroughputExecutor", config.executors[0])
    has_started = threading.Event()
    threading.Thread(target=_watch_start, args=(executor, has_started), daemon=True).start()
    try:
        kernel = DataFlowKernel(config)
    except BaseException as error:  # a signal too: what was asked of a scheduler is given back
        cancel_without_waiting(executor.provider)
        if not isinstance(error, Exception):  # the end by a signal
            raise
        process = executor.interchange_proc
        code = process and process.poll()
        what = (
            f"{type(error).__name__}: {error}"
            if code is None
            else f"its interchange has ended, {code}"
        )
        raise EngineError(
            f"Parsl cannot be started ({what}).", f"Its logs are in {config.run_dir}."
        ) from error
    finally:
        has_started.set()
    limit_waits(executor)
    return kernel


def limit_waits(executor: HighThroughputExecutor) -> None:
    """Have Parsl wait for no answer for ever, nor when the process ends, and ask again.

    Raises
    ------
    EngineError
        It already waits.
    """
    client = executor.command_client
    # Parsl asks from another thread: what is on its way could not be answered any more
    if not client._lock.acquire(timeout=SOCKET_TIMEOUT_MS / 1000):
        raise EngineError(
            "Parsl's interchange, which hands the tasks to the workers, gives no answer.",
            f"Its log is in {executor.run_dir}.",
        )
    try:
        for socket in (executor.outgoing_q.zmq_socket, client.zmq_socket):
            socket.linger = 0
            socket.sndtimeo = socket.rcvtimeo = SOCKET_TIMEOUT_MS
        # an answer that comes too late is dropped; otherwise no other question could be asked
        client.zmq_socket.setsockopt(zmq.REQ_RELAXED, 1)
        client.zmq_socket.setsockopt(zmq.REQ_CORRELATE, 1)
    finally:
        client._lock.release()


def _watch_start(executor: HighThroughputExecutor, has_started: threading.Event) -> None:
    """Have Parsl's start fail when the interchange ends: Parsl would wait for it two minutes."""
    while not has_started.wait(LOOK_PERIOD_S):
        process = executor.interchange_proc
        if process is not None and process.poll() is not None:
            executor.command_client.zmq_context.term()  # what waits for it in another thread raises
            return


def stop(kernel: DataFlowKernel) -> None:
    """Stop all tasks and workers, and give allocations back."""
    if kernel.cleanup_called:
        return
    # Parsl waits for ever for some processes that are gone
    cleanup = threading.Thread(target=_clean_up, args=(kernel,), daemon=True)
    cleanup.start()
    asks = any(isinstance(one.provider, ClusterProvider) for one in _executors(kernel))
    cleanup.join(SCHEDULER_TIMEOUT_S + STOP_TIMEOUT_S if asks else STOP_TIMEOUT_S)
    for executor in _executors(kernel):
        if command := cancellation(executor.provider):
            logging.getLogger(__name__).warning(
                "molloop: the scheduler did not take allocations back: `%s` does.", command
            )


def _clean_up(kernel: DataFlowKernel) -> None:
    for executor in _executors(kernel):
        # Parsl leaves them where it has given up on the executor
        provider = executor.provider
        stop_asking(provider)
        if provider is not None and (jobs := open_jobs(provider)):
            with suppress(Exception):  # what the scheduler does not take back ends by itself
                provider.cancel(jobs)
    with suppress(Exception):  # of an interchange that is gone; its workers end by themselves
        kernel.cleanup()


def _executors(kernel: DataFlowKernel) -> list[HighThroughputExecutor]:
    found = kernel.executors.values()
    return [one for one in found if isinstance(one, HighThroughputExecutor)]
