"""The loop itself: actions to the engine, completions to events, until the schedule stops it."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from itertools import chain
from math import inf

import numpy as np

from molloop.campaign.engine import (
    Completion,
    Engine,
    Group,
    LostGroup,
    LostRanking,
    Ranking,
    RankRequest,
    Simulations,
    Task,
)
from molloop.campaign.events import (
    Began,
    End,
    Event,
    Finished,
    Lost,
    Ranked,
    RankingBegan,
    Resumed,
    Source,
    Stopped,
    Submitted,
)
from molloop.campaign.jobs import Simulated
from molloop.campaign.ledger import Ledger
from molloop.campaign.schedule import Action, Rank, Schedule, Simulate, Stop
from molloop.campaign.state import State, add_up, apply
from molloop.campaign.storage import Storage
from molloop.campaign.training import TrainingSet
from molloop.campaign.warm_start import WarmStart
from molloop.errors import EngineError, StoreError
from molloop.library.shards import Library
from molloop.search.policy import Policy
from molloop.search.rank import Training
from molloop.simulate.outcome import Failure, Success
from molloop.simulate.property import Property
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.validation import accepted

POLL_S = 0.5
LEAST_WAIT_S = 0.001
# losses after which a molecule is given up: a worker's may be its own doing, a manager's hardly,
# that of a pool which was ended for another worker never, but no molecule goes round for ever
MAX_LOSSES = {"worker": 2, "manager": 5, "task": 5, "pool": 20}
MAX_LOST_RANKINGS = 3
Listener = Callable[[float, Event, Simulated | None], None]


@dataclass
class Interruption:
    """Has a campaign hand out nothing more, and end when what is being simulated has ended.

    It is asked for by setting the reason, from a signal handler perhaps, or another thread.

    Attributes
    ----------
    grace_s
        How long that is waited for at most, where less than the campaign's own grace is left.
    is_heard
        Whether a campaign runs that will heed it.
    abandon
        Called before the process ends at once: gives back what was asked of others, without
        waiting, and returns the command for it, if any. None: nothing was asked for.
    """

    reason: str = ""
    grace_s: float = inf
    is_heard: bool = False
    abandon: Callable[[], str] | None = None


@dataclass
class Driver:
    """One campaign: the only thing here that changes. One thread; time comes from the engine.

    It begins the campaign of a store without events, and goes on with any other.

    Attributes
    ----------
    seed
        Ranking number k draws from ``default_rng([seed, k])``.
    listener
        Called with the time, each event once it is stored, and the outcome that it tells of.
    interruption
        Ends it early, when it is asked to.
    grace_s
        How long that waits for what is being simulated.
    time_limit_s
        When the campaign ends, in its time.
    poll_s
        How often it looks whether it was interrupted.
    changes
        What a resumed campaign does otherwise, in words.
    """

    engine: Engine
    store: Storage
    library: Library
    schedule: Schedule
    policy: Policy
    target: Property
    protocol: SimulationProtocol
    warm_start: WarmStart
    seed: int
    listener: Listener
    interruption: Interruption = field(default_factory=Interruption)
    grace_s: float = 30.0
    time_limit_s: float = inf
    poll_s: float = POLL_S
    changes: tuple[str, ...] = ()
    state: State = field(init=False)
    _began_s: float = field(default=0.0, init=False)  # of this process, in time of the campaign
    _n_tasks: int = field(default=0, init=False)  # at the engine
    _halted_s: float | None = field(default=None, init=False)
    _n_lost_rankings: int = field(default=0, init=False)  # in a row
    _rank_later: RankRequest | None = field(default=None, init=False)
    _broken: EngineError | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        known = self.warm_start.known
        self._ledger = Ledger(one.molecule_id for one in known if one.molecule_id is not None)
        self.state = State.at_first(
            self.target.sign, self.schedule.plan.stopping.top_k, [one.value for one in known]
        )
        self._training: TrainingSet | None = None  # until the first ranking

    def run(self) -> State:
        """Go on until the campaign stops, and return the last state.

        Raises
        ------
        EngineError, StoreError
            What was computed until then is stored.
        """
        self.interruption.is_heard = True
        try:
            self._begin()
            while self.state.stopped is None:
                if (ending := self._ending()) and self._winds_up(ending):
                    break
                if completions := self.engine.wait(self._patience_s()):
                    self._advance(*self._read(completions))
        except EngineError as error:
            # a scheduler that ends a job ends the workers too: that is no fault of theirs
            ending = self._ending() or Stopped(error.reason, End.BROKEN)
            with suppress(StoreError) if ending.end is End.BROKEN else nullcontext():
                self._advance([ending])
            if ending.end is End.BROKEN:
                raise
        finally:
            self.interruption.is_heard = False
        stopped = self.state.stopped
        if self._broken is not None and stopped is not None and stopped.end is End.BROKEN:
            raise self._broken
        return self.state

    def _begin(self) -> None:
        events = self.store.events()
        if not events:
            self._advance([Began(self.library.n_molecules, len(self.warm_start.known))])
            return
        self._began_s = events[-1][0]
        self._add_up([event for _, event in events])
        if not self._ending():
            under_way = self._ledger.in_flight
            suspects = [key for key, proposal in under_way.items() if proposal.losses]
            others = [key for key, proposal in under_way.items() if not proposal.losses]
            self._hand_out(suspects)
            size = self.schedule.plan.dispatch.group_size(self.state, len(others))
            self._hand_out(others, size)
        self._advance([Resumed(self.changes)])

    def _add_up(self, events: Sequence[Event]) -> None:
        """Take in what earlier processes have stored.

        Raises
        ------
        StoreError
            The events contradict each other or the library.
        """
        try:
            for event in events:
                self._ledger.apply(event)
            self.state = add_up(events, self.state)
            tried, counts = np.unique(self._ledger.tried, return_counts=True)
            if (again := tried[counts > 1]).size:
                raise ValueError(f"molecule {again[0]} was handed out twice")
            if strange := {key for _, key, _ in self.store.training_rows()}.difference(tried):
                raise ValueError(f"molecule {min(strange)} has a value and was not handed out")
            ranked = [event.molecule_ids for event in events if isinstance(event, Ranked)]
            largest = max([-1, *tried[-1:], *chain.from_iterable(ranked)])
            if largest >= self.library.n_molecules:
                raise ValueError(f"the library has no molecule {largest}")
        except ValueError as error:
            raise self.store.damaged(str(error)) from error

    def _ending(self) -> Stopped | None:
        """Return how the campaign ends, where it should hand out nothing more."""
        if self.interruption.reason:
            return Stopped(self.interruption.reason, End.INTERRUPTED)
        if self._now_s() >= self.time_limit_s:
            return Stopped(f"its time limit of {self.time_limit_s:g} s is over", End.DONE)
        if self._broken is not None:
            return Stopped(self._broken.reason, End.BROKEN)
        return None

    def _winds_up(self, ending: Stopped) -> bool:
        """Have the engine begin nothing more; end the run where nothing is to be waited for."""
        now_s = self.engine.now()
        grace_s = self._grace_s()
        if self._halted_s is None:
            self.engine.halt(grace_s)
            self._halted_s = now_s
        nothing_comes = self._n_tasks == 0 or not self.engine.has_workers()
        if nothing_comes or now_s >= self._halted_s + grace_s:
            while self._n_tasks and (completions := self.engine.wait(0.0)):  # is back by now
                self._advance(*self._read(completions))
            if (
                self.state.stopped is None
            ):  # what came back may have been the last that was asked for
                self._advance([ending])
        return self.state.stopped is not None

    def _patience_s(self) -> float:
        """Return how long to wait for what ends; not beyond a deadline."""
        if self._halted_s is None:
            left_s = self.time_limit_s - self._now_s()
        else:
            left_s = self._halted_s + self._grace_s() - self.engine.now()
        return max(LEAST_WAIT_S, min(self.poll_s, left_s))

    def _grace_s(self) -> float:
        return min(self.grace_s, self.interruption.grace_s)

    def _now_s(self) -> float:
        return self._began_s + self.engine.now()

    def _advance(
        self,
        events: Sequence[Event],
        simulated: Sequence[Simulated] = (),
        tasks: Sequence[Task] = (),
    ) -> None:
        """Store what happened and what follows from it, in one transaction; then act on it."""
        state = add_up(events, self.state)
        for event in events:
            self._ledger.apply(event)
        actions = self.schedule.decide(state, self._ledger.taken, self._n_tasks)
        if self._ending():
            actions = [action for action in actions if isinstance(action, Stop)]
        following: list[Event] = []
        for action in actions:
            event = self._event(action, state)
            following.append(event)
            state = apply(state, event)
        now_s = self._now_s()
        self.store.append(now_s, [*events, *following], simulated, tasks)
        self.state = state
        for event in following:
            self._ledger.apply(event)
        if self._training is not None:
            self._training.add(
                (item.proposal, item.molecule_id, item.outcome.value)
                for item in simulated
                if isinstance(item.outcome, Success)
            )
        outcomes = {item.molecule_id: item for item in simulated}
        for event in [*events, *following]:
            finished = outcomes.get(event.molecule_id) if isinstance(event, Finished) else None
            self.listener(now_s, event, finished)
        for action in actions:
            self._act(action)
        self._hand_out([key for one in events if isinstance(one, Lost) for key in one.molecule_ids])
        if (request := self._rank_later) is not None:
            self._rank_later = None
            self.engine.rank(request)

    def _read(
        self, completions: Sequence[Completion]
    ) -> tuple[list[Event], list[Simulated], list[Task]]:
        events: list[Event] = []
        simulated: list[Simulated] = []
        tasks: list[Task] = []
        for completion in completions:
            match completion:
                case Simulations():
                    self._n_tasks -= 1
                    simulated += self._simulated(completion)
                    if rest := _rest(completion):
                        self._lose(rest, events, simulated)
                case LostGroup():
                    self._n_tasks -= 1
                    self._lose(completion, events, simulated)
                case LostRanking():
                    self._rank_again(completion)
                case Ranking():
                    self._n_lost_rankings = 0
                    events.append(self._ranked(completion))
                    tasks += (self._shifted(task) for task in completion.tasks)
        finished = [
            Finished(
                item.molecule_id,
                item.outcome.kind if isinstance(item.outcome, Failure) else "",
                item.outcome.seconds,
                item.outcome.value if isinstance(item.outcome, Success) else None,
            )
            for item in simulated
        ]
        return [*finished, *events], simulated, tasks

    def _lose(self, lost: LostGroup, events: list[Event], simulated: list[Simulated]) -> None:
        """Add what follows from a loss: failures of what was lost too often, the rest again."""
        if self._ending():
            return  # workers may have been told to end as well: it runs again later
        given_up = self._given_up(lost)
        simulated += given_up
        too_often = {item.molecule_id for item in given_up}
        again = tuple(key for key in lost.group.molecule_ids if key not in too_often)
        events += [Lost(again, lost.what)] if again else []

    def _rank_again(self, lost: LostRanking) -> None:
        """Have it handed out once more, as a node's disk may be full; at last wind up and fail."""
        self._n_lost_rankings += 1
        if self._ending():
            return
        if self._n_lost_rankings < MAX_LOST_RANKINGS:
            self._rank_later = lost.request
            return
        self._broken = EngineError(
            f"Ranking {lost.request.number} failed on the workers, {self._n_lost_rankings} times: "
            f"{lost.message}.",
            "What was simulated is stored: mend it, and `molloop resume` goes on.",
        )

    def _ranked(self, ranking: Ranking) -> Ranked:
        chosen, request = ranking.chosen, ranking.request
        # what was handed out while it went on is proposed no more
        is_left = ~np.isin(chosen.ids, self._ledger.tried[len(request.training.tried) :])
        # the search maximises, whatever the property's direction
        arrays = (chosen.ids, self.target.sign * chosen.means, chosen.stds)
        ids, means, stds = (tuple(array[is_left].tolist()) for array in arrays)
        if not self.policy.predicts:
            means = stds = ()
        seconds = sum(task.ended_s - task.began_s for task in ranking.tasks)
        return Ranked(request.number, ids, means, stds, seconds)

    def _shifted(self, task: Task) -> Task:
        return Task(
            task.work, task.worker, self._began_s + task.began_s, self._began_s + task.ended_s
        )

    def _simulated(self, done: Simulations) -> list[Simulated]:
        # it may have fewer outcomes than molecules
        columns = (done.group.molecule_ids, done.group.smiles, done.outcomes, done.times_s)
        rows = zip(*columns, strict=False)
        return [
            self._item(key, smiles, done.worker, times_s, outcome)
            for key, smiles, outcome, times_s in rows
        ]

    def _given_up(self, lost: LostGroup) -> list[Simulated]:
        """Return failures for the molecules that were lost too often."""
        now_s = self.engine.now()
        items = []
        for key, smiles in zip(lost.group.molecule_ids, lost.group.smiles, strict=True):
            n_losses = 1 + self._ledger.in_flight[key].losses.count(lost.what)
            if n_losses >= MAX_LOSSES[lost.what]:
                message = f"its {lost.what} was lost {n_losses} times: {lost.message}"
                level, fidelity = self.protocol.outcome_level, self.protocol.outcome_fidelity
                failure = Failure(lost.what, message, level, fidelity, can_retry=True)
                items.append(self._item(key, smiles, "", (now_s, now_s), failure))
        return items

    def _item(
        self,
        molecule_id: int,
        smiles: str,
        worker: str,
        times_s: tuple[float, float],
        outcome: object,
    ) -> Simulated:
        """Take in an outcome, whatever a worker has sent for one."""
        proposal = self._ledger.in_flight[molecule_id]
        began_s, ended_s = (self._began_s + time_s for time_s in times_s)
        where = (proposal.number, molecule_id, smiles, proposal.batch)
        kept = accepted(outcome, self.protocol.outcome_level, self.protocol.outcome_fidelity)
        return Simulated(*where, self._now_s(), worker, began_s, ended_s, kept)

    def _event(self, action: Action, state: State) -> Event:
        match action:
            case Simulate(molecule_ids, source, _, n_drawn):
                # random molecules belong to no ranking; what is ranked now has proposed nothing yet
                batch = state.batch - state.is_ranking if source is Source.RANKING else 0
                return Submitted(molecule_ids, source, batch, n_drawn)
            case Rank():
                return RankingBegan(state.batch + 1, state.n_values + state.n_known)
            case Stop(reason, end):
                return Stopped(reason, end)

    def _act(self, action: Action) -> None:
        match action:
            case Simulate(molecule_ids, _, group_size):
                self._hand_out(molecule_ids, group_size)
            case Rank(n):
                self.engine.rank(self._request(n))
            case Stop():
                pass

    def _hand_out(self, molecule_ids: Sequence[int], group_size: int = 1) -> None:
        for start in range(0, len(molecule_ids), group_size):
            ids = tuple(molecule_ids[start : start + group_size])
            smiles = tuple(map(self.library.smiles, ids))
            self.engine.simulate(Group(ids, smiles, self.protocol))
            self._n_tasks += 1

    def _request(self, n: int) -> RankRequest:
        if self._training is None:
            self._training = TrainingSet(self.library, self.policy.features, self.warm_start)
            self._training.add(self.store.training_rows())
        features, values, order = self._training.arrays()
        return RankRequest(
            number=self.state.batch,
            policy=self.policy,
            training=Training(
                features=features,
                values=self.target.sign * values,
                order=order,
                tried=np.array(self._ledger.tried, dtype=np.int64),
                pending=self.library.features(self.policy.features, sorted(self._ledger.in_flight)),
                scaling=self.library.scaling,
            ),
            shards=self.library.shards,
            n=n,
            seed=(self.seed, self.state.batch),
        )


def _rest(done: Simulations) -> LostGroup | None:
    """Return what a group that has ended early did not simulate."""
    group, n = done.group, len(done.outcomes)
    if n == len(group.molecule_ids):
        return None
    left = Group(group.molecule_ids[n:], group.smiles[n:], group.protocol)
    return LostGroup(left, "task", done.trouble or "its group has ended before it")
