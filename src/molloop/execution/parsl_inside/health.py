"""Whether workers come, and what the scheduler and their logs say where they do not.

Seen in Parsl 2026.10.26: a worker that never comes looks like one that is slow, an interchange that
has ended like one that is busy, and a thread that takes no more results like none that come. Parsl
tells of none of it, so `interchange_proc`, `_result_queue_thread`, `status_facade` and
`bad_state_is_set` of the executor are looked at, and the newest log in its run directory is shown.
"""

import time
from math import inf
from pathlib import Path

import zmq
from parsl.executors import HighThroughputExecutor
from parsl.executors.high_throughput.errors import (
    CommandClientBadError,
    CommandClientTimeoutError,
)
from parsl.jobs.states import JobState
from parsl.providers.cluster_provider import ClusterProvider

from molloop.errors import EngineError
from molloop.execution.parsl_inside.jobs import words_of_scheduler

NO_ANSWER = (zmq.ZMQError, CommandClientBadError, CommandClientTimeoutError)
SAFE = "What was simulated is stored: `molloop resume` goes on."
QUEUED = {JobState.PENDING, JobState.HELD}
N_LOG_LINES = 15
LOOK_PERIOD_S = 30.0
ANSWER_TIMEOUT_S = 300.0


class Health:
    """Looks at Parsl's executor, and raises an error where no task can be done by it.

    Parameters
    ----------
    executor
        It has been started.
    worker_start_timeout_s
        How long a worker may take to start, once the scheduler has.
    queue_timeout_s
        How long the scheduler may take.

    Attributes
    ----------
    has_worker
        Whether a worker was there when it was last looked.
    """

    def __init__(
        self,
        executor: HighThroughputExecutor,
        worker_start_timeout_s: float,
        queue_timeout_s: float = inf,
    ) -> None:
        self.has_worker = False
        self._executor = executor
        self._label = executor.label
        self._worker_start_timeout_s = worker_start_timeout_s
        self._queue_timeout_s = queue_timeout_s
        self._began_s = self._queued_until_s = self._looked_s = time.monotonic()
        self._asked_s: float | None = None  # first of the questions in a row without an answer

    def note_worker(self) -> None:
        """Take note that something has come from a worker."""
        self.has_worker = True
        self._asked_s = None

    def check(self) -> None:
        """Look whether there is a worker, or one may still come: the first, or another later.

        Raises
        ------
        EngineError
            None has come in the time that it has, or the interchange answers no more; or see
            :meth:`check_executor`.
        """
        self.check_executor()
        now_s = time.monotonic()
        if self.has_worker and now_s - self._looked_s < LOOK_PERIOD_S:
            return
        self._looked_s = now_s
        self._asked_s = now_s if self._asked_s is None else self._asked_s
        try:
            managers = self._executor.connected_managers()
        except NO_ANSWER as error:
            if time.monotonic() - self._asked_s >= ANSWER_TIMEOUT_S:
                raise EngineError(
                    "Parsl's interchange, which hands the tasks to the workers, has given no "
                    f"answer for {ANSWER_TIMEOUT_S:g} s.",
                    f"{SAFE} Its log is in {self._executor.run_dir}.",
                ) from error
            return
        self._asked_s = None
        if managers:
            self.has_worker = True
            return
        if self.has_worker:
            self.has_worker = False
            self._began_s = self._queued_until_s = now_s
        if self._is_queued():
            self._queued_until_s = now_s
            if now_s - self._began_s >= self._queue_timeout_s:
                raise EngineError(
                    f"The scheduler has given no nodes within {self._queue_timeout_s:g} s "
                    f"({words_of_scheduler(self._executor.provider)}).",
                    "Correct what it names, ask for less, or raise site.queue_timeout_s.",
                )
        elif now_s - self._queued_until_s >= self._worker_start_timeout_s:
            raise EngineError(
                f"No worker has started within {self._worker_start_timeout_s:g} s; workers "
                f"connect to {self._executor.address}.{self._last_log()}",
                "Remove the cause that the log names, name a network that nodes reach by "
                "site.interface, or raise site.worker_start_timeout_s.",
            )

    def is_over(self) -> bool:
        """Whether all blocks that there were have ended."""
        blocks = self._executor.status_facade.values()
        return bool(blocks) and all(one.terminal for one in blocks)

    def check_executor(self) -> None:
        """Look whether tasks can be handed out.

        Raises
        ------
        EngineError
            The interchange has ended, or Parsl has given up to start workers.
        """
        interchange = self._executor.interchange_proc
        if interchange is not None and (code := interchange.poll()) is not None:
            raise EngineError(
                f"Parsl's interchange, which hands the tasks to the workers, has ended ({code}).",
                SAFE,
            )
        receiver = self._executor._result_queue_thread
        has_receiver = receiver is None or receiver.is_alive()  # asked first: it ends with a reason
        if self._executor.bad_state_is_set:
            raise EngineError(
                f"The workers cannot be started: {self._executor.executor_exception}."
                f"{self._last_log()}",
                "Remove the cause that the scheduler or the log names, and run again.",
            )
        if not has_receiver:
            raise EngineError("Parsl's thread that takes results has ended.", SAFE)

    def _is_queued(self) -> bool:
        """Whether a scheduler has been asked for nodes and has given none so far."""
        states = {one.state for one in self._executor.status_facade.values() if not one.terminal}
        is_asked = isinstance(self._executor.provider, ClusterProvider)
        return is_asked and bool(states & QUEUED) and JobState.RUNNING not in states

    def _last_log(self) -> str:
        """Return the last lines of the newest log that the workers, or what started them, wrote."""
        folder = Path(self._executor.run_dir)
        for patterns in (
            ("submit_scripts/*.err", "submit_scripts/*.stderr", f"{self._label}/block-*/*/*.log"),
            ("submit_scripts/*.out", "submit_scripts/*.stdout"),
        ):
            logs = [path for pattern in patterns for path in folder.glob(pattern)]
            written = [path for path in logs if path.stat().st_size > 0]
            if written:
                newest = max(written, key=lambda path: path.stat().st_mtime)
                lines = newest.read_text(errors="replace").splitlines()[-N_LOG_LINES:]
                return "\n".join([f" The log {newest} ends with:", *lines, ""])
        return f" The workers wrote no log in {folder}."
