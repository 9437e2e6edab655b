"""The engine that runs nothing: values and durations are known, time is a number."""

import heapq
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, count, pairwise
from pathlib import Path

import numpy as np

from molloop.campaign.engine import Completion, Group, Ranking, RankRequest, Simulations, Task, Work
from molloop.errors import EngineError
from molloop.search import rank
from molloop.search.rank import RankTask
from molloop.simulate.outcome import Failure, Outcome

# molecule id, SMILES, stage -> what its simulation gives
Lookup = Callable[[int, str, str], Outcome]


@dataclass(frozen=True, slots=True)
class Costs:
    """What the work of an engine takes, in seconds.

    Attributes
    ----------
    dispatch_s
        Of handing out a task; one after the other.
    train_s
        Of fitting a model, on one worker.
    rank_s
        Of scanning a shard, on one worker.
    """

    dispatch_s: float = 0.001
    train_s: float = 0.05
    rank_s: float = 0.05


@dataclass(slots=True)
class _Job:
    """What a worker gets.

    Attributes
    ----------
    seconds
        How long it takes.
    then
        What follows when it has run from when to when.
    ends_s
        Of a group, when each of its molecules ends; it may be cut after any.
    """

    seconds: float
    then: Callable[[str, float, float], Completion | None]
    ends_s: Sequence[float] = ()


class VirtualEngine:
    """Workers as a heap of events with a clock of its own, for replays.

    Rankings are really computed, in this process, but charged what they cost there: a training,
    then a scan a shard, all before simulations that wait. The same calls give the same run.

    Parameters
    ----------
    lookup
        The outcome of a molecule; its `seconds` are charged.
    failure_rate
        Probability that a simulation fails instead.
    rng
        Draws the failures.
    """

    def __init__(
        self,
        lookup: Lookup,
        n_workers: int,
        costs: Costs,
        failure_rate: float,
        rng: np.random.Generator,
    ) -> None:
        self._lookup = lookup
        self._costs = costs
        self._failure_rate = failure_rate
        self._rng = rng
        self._now_s = 0.0
        self._dispatcher_s = 0.0
        self._n_workers = n_workers
        self._idle = [f"virtual:{number:05}" for number in range(n_workers)]
        self._rankings: deque[_Job] = deque()
        self._simulations: deque[_Job] = deque()
        self._running: list[tuple[float, int, str, float, _Job]] = []
        self._ended: list[Completion] = []
        self._numbers: Iterator[int] = count()

    def now(self) -> float:
        """Return virtual seconds since the engine began."""
        return self._now_s

    def n_workers(self) -> int:
        """How many tasks run at the same time."""
        return self._n_workers

    def has_workers(self) -> bool:
        """They are always there."""
        return True

    def simulate(self, group: Group) -> None:
        """Hand out a group."""
        outcomes = tuple(self._outcome(one.id, one.smiles, group.stage) for one in group.molecules)
        ends_s = list(accumulate(outcome.seconds for outcome in outcomes))

        def simulated(worker: str, began_s: float, ended_s: float) -> Completion:
            edges_s = [
                began_s,
                *(began_s + end_s for end_s in ends_s if began_s + end_s <= ended_s),
            ]
            n = len(edges_s) - 1
            return Simulations(group, outcomes[:n], worker, tuple(pairwise(edges_s)))

        self._simulations.append(_Job(ends_s[-1], simulated, ends_s))

    def _outcome(self, molecule_id: int, smiles: str, stage: str) -> Outcome:
        outcome = self._lookup(molecule_id, smiles, stage)
        if self._failure_rate and self._rng.random() < self._failure_rate:
            message = "drawn by the failure rate"
            return Failure("virtual", message, outcome.seconds)
        return outcome

    def rank(self, request: RankRequest) -> None:
        """Hand out a ranking."""
        with tempfile.TemporaryDirectory() as folder:
            parts = request.policy, request.n, request.seed, request.goal
            task = RankTask(Path(folder), *parts)
            request.training.write(task.training)
            chosen = rank.rank(task, request.shards)
        tasks: list[Task] = []

        def scanned(worker: str, began_s: float, ended_s: float) -> Completion | None:
            tasks.append(Task(Work.RANK, worker, began_s, ended_s))
            is_last = len(tasks) == 1 + len(request.shards)
            return Ranking(request, chosen, tuple(tasks)) if is_last else None

        def trained(worker: str, began_s: float, ended_s: float) -> None:
            tasks.append(Task(Work.TRAIN, worker, began_s, ended_s))
            self._rankings.extend(_Job(self._costs.rank_s, scanned) for _ in request.shards)

        self._rankings.append(_Job(self._costs.train_s, trained))

    def wait(self, timeout_s: float) -> list[Completion]:
        """Let time pass until something ends, `timeout_s` at most.

        Raises
        ------
        EngineError
            Nothing is under way.
        """
        until_s = self._now_s + timeout_s
        self._start()
        if not self._running and not self._ended:
            raise EngineError("Nothing is under way.", "This is a fault of molloop's schedules.")
        while not self._ended and self._running and self._running[0][0] <= until_s:
            self._now_s, _, worker, began_s, job = heapq.heappop(self._running)
            heapq.heappush(self._idle, worker)
            completion = job.then(worker, began_s, self._now_s)
            if completion is not None:
                self._ended.append(completion)
            self._start()
        ended, self._ended = self._ended, []
        if not ended:
            self._now_s = until_s
        return ended

    def _start(self) -> None:
        while self._idle and (queue := self._rankings or self._simulations):
            job = queue.popleft()
            began_s = max(self._now_s, self._dispatcher_s) + self._costs.dispatch_s
            self._dispatcher_s = began_s
            worker = heapq.heappop(self._idle)
            entry = (began_s + job.seconds, next(self._numbers), worker, began_s, job)
            heapq.heappush(self._running, entry)

    def halt(self, grace_s: float) -> None:
        """Begin no other molecule; what is being simulated goes on."""
        del grace_s
        while self._simulations:
            never = self._simulations.popleft().then("", self._now_s, self._now_s)
            assert isinstance(never, Simulations)
            self._ended.append(Simulations(never.group, (), "", ()))
        self._running = [self._cut(*entry) for entry in self._running]
        heapq.heapify(self._running)

    def _cut(
        self, end_s: float, number: int, worker: str, began_s: float, job: _Job
    ) -> tuple[float, int, str, float, _Job]:
        """Let a group end with the molecule that is being simulated."""
        ends_s = (began_s + one_s for one_s in job.ends_s if began_s + one_s >= self._now_s)
        return next(ends_s, end_s), number, worker, began_s, job

    def close(self) -> None:
        """Do nothing: no process was started."""
