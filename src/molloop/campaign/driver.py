"""The loop itself: actions to the engine, completions to events, until the schedule stops it."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from math import inf

from molloop.campaign.best import may_win
from molloop.campaign.ending import Interruption, ending
from molloop.campaign.engine import Completion, Engine, Group, Task
from molloop.campaign.events import Began, End, Event, Finished, Lost, Ranked, Resumed, Stopped
from molloop.campaign.in_time import decide_in_time
from molloop.campaign.intake import Intake
from molloop.campaign.jobs import Job, Simulated
from molloop.campaign.ladder import Ladder
from molloop.campaign.ledger import Ledger
from molloop.campaign.past import take_up
from molloop.campaign.plan import Action, Rank, Simulate, Stop, Stopping, event_of
from molloop.campaign.promotions import Promotions
from molloop.campaign.rankings import Rankings
from molloop.campaign.schedule import Schedule
from molloop.campaign.stage_plan import StagePlan
from molloop.campaign.state import State
from molloop.campaign.states import add_up_stages
from molloop.campaign.storage import Storage
from molloop.campaign.warm_start import WarmStart
from molloop.errors import EngineError, StoreError
from molloop.goal import Goal, Objective
from molloop.library.selection import Selection, left_out_of
from molloop.library.shards import Library
from molloop.search.policy import Policy
from molloop.simulate.protocol import SimulationProtocol

POLL_S = 0.5
LEAST_WAIT_S = 0.001
Listener = Callable[[float, Event, Simulated | None], None]


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
    selection
        Which molecules may be chosen, as the schedule's design knows it too; None: all.
    remarks
        On the library, in words.
    ranks_anew
        Whether conditions are others than those of an earlier process.
    above
        Of a run of several stages, those above the first; `protocol` and `schedule` are of that.
    stopping
        What ends a run of several stages, by the values of the last one.
    goal
        What is searched for, where it is more than the objective.
    """

    engine: Engine
    store: Storage
    library: Library
    schedule: Schedule
    policy: Policy
    objective: Objective
    protocol: SimulationProtocol
    warm_start: WarmStart
    seed: int
    listener: Listener
    interruption: Interruption = field(default_factory=Interruption)
    grace_s: float = 30.0
    time_limit_s: float = inf
    poll_s: float = POLL_S
    changes: tuple[str, ...] = ()
    selection: Selection | None = None
    remarks: tuple[str, ...] = ()
    ranks_anew: bool = False
    above: tuple[StagePlan, ...] = ()
    stopping: Stopping = field(default_factory=Stopping)
    goal: Goal | None = None
    states: tuple[State, ...] = field(init=False)  # one a stage
    _began_s: float = field(default=0.0, init=False)  # of this process, in time of the campaign
    _n_tasks: int = field(default=0, init=False)  # at the engine
    _halted_s: float | None = field(default=None, init=False)
    _broken: EngineError | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        # of each stage, how its jobs are simulated
        stages = (StagePlan(self.protocol, self.schedule.plan), *self.above)
        self._ladder = Ladder(self.schedule, stages, self.stopping)
        self._protocols = {one.name: one.protocol for one in stages}
        self._stages = tuple(self._protocols)
        self._ledger = Ledger(self.warm_start.molecule_ids, self._stages[1:])
        known, top_k = self.warm_start.known, self.schedule.plan.stopping.top_k
        self._selection = self.selection or Selection.of_all(self.library)
        left_out = left_out_of(self._selection, self.warm_start.molecule_ids)
        points = may_win(known, self.objective, self.goal, left_out)
        first = partial(State.at_first, self.objective, top_k, goal=self.goal)
        self.states = (first(points), *(first(()) for _ in self.above))
        of = self.library, self.policy, self.objective, self._stages, self._selection, self.seed
        self._promotions = Promotions(*of, self.goal)
        self._promotions.know(known)
        self._rankings = Rankings(
            *(self.store, self.library, self.policy, self.objective, self.protocol.stage),
            *(self.warm_start, self._selection, self.seed),
            self.goal if self.policy.predicts else None,
        )

    @property
    def state(self) -> State:
        """Of the first stage."""
        return self.states[0]

    def run(self) -> State:
        """Go on until the campaign stops, and return the last state of the first stage.

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
                    self._take(completions)
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
            n_known = len(self.warm_start.known)
            self._advance([Began(self.library.n_molecules, n_known, self.remarks)])
            return
        self._began_s = events[-1][0]
        past = [event for _, event in events]
        known = [Job(one, self.protocol.stage) for one in self.warm_start.molecule_ids]
        with_values = self._rankings.jobs_with_values(self._stages)
        given = known, with_values, self._stages, self._selection
        try:
            self.states = take_up(past, self.states, self._ledger, *given)
        except ValueError as error:
            raise self.store.damaged(str(error)) from error
        self._promotions.learn(past)
        if not self._ending():
            under_way = self._ledger.in_flight
            suspects = [job for job, one in under_way.items() if one.losses]
            others = [job for job, one in under_way.items() if not one.losses]
            self._hand_out(suspects)
            self._hand_out(others, are_grouped=True)
        left_out = tuple(sorted(self.state.left_out))
        self._advance([Resumed(self.changes, self.remarks, self._ranks_anew(), left_out)])

    def _ranks_anew(self) -> bool:
        """Whether what was proposed is forgotten: conditions are others, or leave some of it out.

        The latter also where a process was killed before it said that they are others.
        """
        left = (one.next_proposals(one.n_proposals_left) for one in self.states)
        return self.ranks_anew or not self.state.left_out.isdisjoint(chain.from_iterable(left))

    def _ending(self) -> Stopped | None:
        return ending(self.interruption, self._now_s(), self.time_limit_s, self._broken)

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
                self._take(completions)
            # what came back may have been the last that was asked for
            if self.state.stopped is None:
                self._advance([ending])
        return self.state.stopped is not None

    def _patience_s(self) -> float:
        """Return how long to wait for what ends; not beyond a deadline."""
        left_s = self.time_limit_s - self._now_s()
        if self._halted_s is not None:
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
        states = add_up_stages(events, self.states, self._stages)
        for event in events:
            self._ledger.apply(event)
        left_s = self.time_limit_s + self.grace_s - self._now_s()
        steps = decide_in_time(self._ladder, states, self._ledger.taken, self._n_tasks, left_s)
        if self._ending():
            steps = [(place, action) for place, action in steps if isinstance(action, Stop)]
        following: list[Event] = []
        for place, action in steps:
            event = event_of(action, states[place], self._stages[place])
            following.append(event)
            states = add_up_stages([event], states, self._stages)
        now_s = self._now_s()
        self.store.append(now_s, [*events, *following], simulated, tasks)
        self.states = states
        for event in following:
            self._ledger.apply(event)
        self._rankings.learn(simulated)
        self._promotions.learn(events)
        outcomes = iter(simulated)  # in the order of the events that tell of them
        for event in [*events, *following]:
            self.listener(now_s, event, next(outcomes) if isinstance(event, Finished) else None)
        for place, action in steps:
            self._act(place, action)
        self._hand_out([job for one in events if isinstance(one, Lost) for job in one.jobs])
        if lost := self._rankings.take_lost():
            self.engine.rank(lost)

    def _take(self, completions: Sequence[Completion]) -> None:
        """Take in what has ended."""
        intake = Intake(self._ledger, self.objective, self._began_s, self.library, self.goal)
        taken = intake.take(completions, self._now_s(), counts_losses=not self._ending())
        self._n_tasks -= taken.n_groups
        if not self._ending():
            try:
                for lost in taken.lost_rankings:
                    self._rankings.lose(lost)
            except EngineError as error:
                self._broken = error  # what came beside it is stored first
        if any(isinstance(event, Ranked) for event in taken.events):
            self._rankings.end()
        self._advance(taken.events, taken.simulated, taken.tasks)

    def _act(self, place: int, action: Action) -> None:
        match action:
            case Simulate(molecule_ids, _, group_size):
                self._simulate(molecule_ids, self._stages[place], group_size)
            case Rank(n):
                number, top = self.states[place].batch, self.states[-1].top
                if place == 0:
                    pairs = self._promotions.pairs()
                    self.engine.rank(self._rankings.request(number, n, self._ledger, top, pairs))
                else:
                    self._advance([self._promotions.rank(place, number, n, self._ledger, top)])

    def _hand_out(self, jobs: Sequence[Job], *, are_grouped: bool = False) -> None:
        """Have the engine simulate jobs, each by the protocol of its stage."""
        for state, stage in zip(self.states, self._stages, strict=True):
            ids = [job.molecule_id for job in jobs if job.stage == stage]
            size = self.schedule.plan.dispatch.group_size(state, len(ids))
            self._simulate(ids, stage, size if are_grouped else 1)

    def _simulate(self, molecule_ids: Sequence[int], stage: str, group_size: int) -> None:
        for start in range(0, len(molecule_ids), group_size):
            molecules = map(self.library.molecule, molecule_ids[start : start + group_size])
            self.engine.simulate(Group(tuple(molecules), self._protocols[stage]))
            self._n_tasks += 1
