"""The engine that runs tasks by Parsl."""

import logging
import queue
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from math import inf
from pathlib import Path
from typing import cast

import parsl
from parsl.executors import HighThroughputExecutor

from molloop.campaign.engine import (
    Completion,
    Group,
    LostGroup,
    LostRanking,
    Ranking,
    RankRequest,
    Simulations,
    Task,
    Work,
)
from molloop.errors import EngineError
from molloop.execution import tasks
from molloop.execution.parsl_config import count_workers
from molloop.execution.parsl_inside import kernels
from molloop.execution.parsl_inside.handing_out import by_name, hand_out, wait_until_launched
from molloop.execution.parsl_inside.health import NO_ANSWER, SAFE, Health
from molloop.execution.parsl_inside.jobs import cancel_without_waiting
from molloop.execution.parsl_inside.losses import what_was_lost, words_of
from molloop.execution.parsl_inside.paced import stop_asking
from molloop.execution.tasks import Timed
from molloop.sandbox.halt import Halt
from molloop.search import rank
from molloop.search.rank import WIDER, Merged, RankTask

_LOG = logging.getLogger(f"{parsl.__name__}.{__name__}")  # in Parsl's file
SIMULATE = by_name(tasks.simulate)
HALT = "halt"
READ_PERIOD_S = 0.05  # between two looks at what has ended


class ParslEngine:
    """Simulations as tasks of Parsl's executor, rankings as apps that are tied by their data.

    Parameters
    ----------
    config
        Of Parsl; its run directory takes the logs.
    scratch
        A folder that the workers see too: models and training data pass through it.
    worker_start_timeout_s
        How long the first worker may take to start, once the scheduler has.
    queue_timeout_s
        How long the scheduler may take.
    worker_cores
        Of each worker: of molecules that take fewer, it simulates some at the same time.
    """

    def __init__(
        self,
        config: parsl.Config,
        scratch: Path,
        worker_start_timeout_s: float,
        queue_timeout_s: float = inf,
        worker_cores: int = 1,
    ) -> None:
        self._worker_cores = worker_cores
        self._n_workers = count_workers(config)
        self._label = config.executors[0].label
        # what an earlier process left there is of no use, but its workers may still write
        shutil.rmtree(scratch, ignore_errors=True)
        with _written(scratch):
            scratch.mkdir(parents=True, exist_ok=True)
            self._scratch = Path(tempfile.mkdtemp(dir=scratch))
        self._began_s = time.monotonic()
        self._began_epoch_s = time.time()
        self._halt = Halt(self._scratch / HALT)
        with _written(self._scratch):
            self._halt.prepare()
        self._shared: dict[str, bytes] = {}  # by stage, what is packed for its groups
        self._read_s = -inf
        self._is_halted = False
        # no SimpleQueue: up to Python 3.12, a signal whose handler outlasts the timeout leaves it
        # waiting without one
        self._done: queue.Queue[Callable[[], Completion | None]] = queue.Queue()
        self._kernel = kernels.start(config)
        self._executor = cast("HighThroughputExecutor", self._kernel.executors[self._label])
        self._health = Health(self._executor, worker_start_timeout_s, queue_timeout_s)
        self._timed = parsl.python_app(
            tasks.timed, data_flow_kernel=self._kernel, executors=[self._label]
        )

    def now(self) -> float:
        """Return seconds since the engine began."""
        return time.monotonic() - self._began_s

    def n_workers(self) -> int:
        """How many tasks run at the same time."""
        return self._n_workers

    def has_workers(self) -> bool:
        """Whether any was there when it was last looked, and its block has not ended since."""
        return self._health.has_worker and not self._health.is_over()

    def n_nodes(self) -> int:
        """On how many nodes there are workers now: each has read its key in the run directory.

        Raises
        ------
        EngineError
            The interchange gives no answer.
        """
        try:
            return len(self._executor.connected_managers())
        except NO_ANSWER as error:
            raise EngineError("Parsl's interchange gives no answer.", SAFE) from error

    def simulate(self, group: Group) -> None:
        """Hand out a group."""
        if (stage := group.stage) not in self._shared:
            n_abreast = max(1, self._worker_cores // group.protocol.cores)
            self._shared[stage] = tasks.share(group.protocol, self._halt, n_abreast)
        future = self._submit(tasks.pack(group.molecules, self._shared[stage]))
        future.add_done_callback(
            lambda done: self._done.put(partial(self._simulations, group, done))
        )

    def _submit(self, packed: bytes) -> "Future[bytes]":
        try:
            self._health.check_executor()  # to send to an interchange that is gone takes long
            return hand_out(self._kernel, self._executor, SIMULATE, packed)
        except Exception as error:  # noqa: BLE001 - what Parsl does not take has failed
            failed: Future[bytes] = Future()
            failed.set_exception(error)
            return failed

    def rank(self, request: RankRequest) -> None:
        """Hand out a ranking: fit, a scan a shard, merge, each as soon as its data is there."""
        with _written(self._scratch):
            # another one for each attempt: who has lost an earlier one may still write
            folder = Path(tempfile.mkdtemp(prefix=f"ranking-{request.number}-", dir=self._scratch))
            task = RankTask(folder, request.policy, request.n, request.seed, request.goal)
            request.training.write(task.training)
        fit = self._timed(Work.TRAIN, rank.fit, task)
        self._scan_all(request, task, [fit], task.n_candidates)
        wait_until_launched(fit)

    def _scan_all(
        self, request: RankRequest, task: RankTask, before: "list[Future[Timed]]", n: int
    ) -> None:
        """Scan all shards for the best n and merge them; the first task before fits the model."""
        model = before[0]
        scans = [
            self._timed(Work.RANK, rank.scan, task, shard, n, model) for shard in request.shards
        ]
        merged = self._timed(Work.RANK, rank.merge, task, n, model, *scans)
        ran = [*before, *scans, merged]
        merged.add_done_callback(
            lambda _: self._done.put(partial(self._ranking, request, task, n, ran))
        )

    def wait(self, timeout_s: float) -> list[Completion]:
        """Return what has ended; wait for it up to `timeout_s`, then return nothing.

        What ends within the 50 ms after the last time is returned together.
        """
        try:
            ended = [self._done.get(timeout=timeout_s)]
        except queue.Empty:
            if self._is_halted:  # to ask an interchange that hangs takes longer than there is
                self._health.check_executor()
            else:
                self._health.check()
            return []
        # each time costs the driver a transaction, which is more than some simulations take
        time.sleep(max(0.0, self._read_s + READ_PERIOD_S - time.monotonic()))
        self._read_s = time.monotonic()
        while not self._done.empty():
            ended.append(self._done.get_nowait())
        self._health.note_worker()
        completions: list[Completion] = []
        failure: EngineError | None = None
        for read in ended:
            try:
                completion = read()
                if completion is not None:
                    completions.append(completion)
            except EngineError as error:
                failure = failure or error
        if failure is not None and completions:
            # what ended beside it is stored first; the next call meets it again
            self._done.put(partial(_fail, failure))
        elif failure is not None:
            raise failure
        return completions

    def close(self) -> None:
        """Stop all tasks and workers."""
        kernels.stop(self._kernel)
        shutil.rmtree(self._scratch.parent, ignore_errors=True)

    def abandon(self) -> str:
        """Have allocations given back without waiting; return the command for it, if any."""
        return cancel_without_waiting(self._executor.provider)

    def halt(self, grace_s: float) -> None:
        """Begin no other molecule, ask for no other nodes; what is being simulated goes on."""
        self._is_halted = True
        stop_asking(self._executor.provider)
        with suppress(OSError):  # without the file, what waits is begun too
            self._halt.call(grace_s)

    def _simulations(self, group: Group, future: "Future[bytes]") -> Completion:
        try:
            result = tasks.unpack(future.result())
        except Exception as error:  # noqa: BLE001 - of Parsl, of a host, or of reading the result
            self._health.check_executor()
            _LOG.warning("molloop: %s is lost", group.molecule_ids, exc_info=error)
            return LostGroup(group, what_was_lost(self._executor, error), words_of(error))
        return Simulations(
            group.led_by(result.places),
            result.outcomes,
            result.worker,
            tuple((self._own(began_s), self._own(ended_s)) for began_s, ended_s in result.times_s),
            result.trouble,
            result.lanes,
        )

    def _own(self, epoch_s: float) -> float:
        """Return a worker's time by this engine's clock."""
        return epoch_s - self._began_epoch_s

    def _ranking(
        self, request: RankRequest, task: RankTask, n: int, ran: "list[Future[Timed]]"
    ) -> Completion | None:
        error = ran[-1].exception()
        if error is not None:
            self._health.check_executor()
            told = f"{words_of(error)}; the logs are in {self._kernel.run_dir}"
            return LostRanking(request, told)
        results = [future.result() for future in ran]
        chosen: Merged = results[-1].result
        if not chosen.is_exact:
            self._scan_all(request, task, ran, WIDER * n)
            return None
        shutil.rmtree(task.folder, ignore_errors=True)
        ran_tasks = tuple(
            Task(one.work, one.worker, self._own(one.began_s), self._own(one.ended_s))
            for one in results
        )
        return Ranking(request, chosen, ran_tasks)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineError(
            f"{path} cannot be written ({error}).",
            "What was simulated is stored: make space there, and `molloop resume` goes on.",
        ) from error


def _fail(error: EngineError) -> Completion | None:
    raise error
