"""Which stage of a run the next free worker goes to. Pure.

The schedule decides for the first stage as if there were no other; a stage above it is given
molecules that have a value in the stage below.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from molloop.campaign.events import End, Source
from molloop.campaign.plan import Action, Rank, Simulate, Stop, Stopping, event_of
from molloop.campaign.schedule import Batch, Schedule
from molloop.campaign.stage_plan import StagePlan
from molloop.campaign.state import State, apply
from molloop.search.promote import gain_of_value, improvement
from molloop.texts import counted

Step = tuple[int, Action]  # place of the stage, from 0, and what is done there
States = tuple[State, ...]
N_PROPOSED = 16  # of a ranking above the first stage, which is soon made again
MIN_NEW, NEW_SHARE = 4, 8  # values below after which it is: so many, and one in so many


@dataclass(frozen=True)
class Ladder:
    """Decides for all stages.

    The next worker goes where a simulation is expected to gain most a core-second. Of several
    objectives, or with constraints, a stage above gets what its count or share allows, as soon as
    it does.

    With the schedule `batch` it goes by the usual time of a simulation and decides when nothing is
    under way, so that the same is chosen on any number of workers; otherwise by the measured one.

    Attributes
    ----------
    schedule
        Of the first stage.
    stages
        All of them, the first one first.
    stopping
        What ends the run, by the values of the last stage; of a run of one stage its plan says it.
    """

    schedule: Schedule
    stages: tuple[StagePlan, ...]
    stopping: Stopping = field(default_factory=Stopping)

    def decide(self, states: States, taken: Container[int], n_tasks: int) -> list[Step]:
        """Return what to do now; see :meth:`molloop.campaign.schedule.Schedule.decide`."""
        if len(self.stages) == 1:
            return [(0, action) for action in self.schedule.decide(states[0], taken, n_tasks)]
        # in batches no other stage has tasks while the first one has
        n_own = 0 if self._is_batch and not states[0].n_in_flight else n_tasks
        first = self.schedule.decide(states[0], taken, n_own)
        if states[0].stopped:
            return []
        if self._is_batch:
            return self._decide_batch(states, first, n_tasks)
        if stop := self._stop(states, first):
            is_at_rest = not any(state.n_in_flight or state.is_ranking for state in states)
            return [(0, stop)] if is_at_rest else []
        return self._decide_interleaved(states, first, taken, n_tasks)

    @property
    def _is_batch(self) -> bool:
        return isinstance(self.schedule, Batch)

    @property
    def _above(self) -> range:
        return range(1, len(self.stages))

    def _stop(self, states: States, first: Sequence[Action]) -> Stop | None:
        """Return why the run should end early, if it should."""
        for action in first:
            if isinstance(action, Stop) and action.end is not End.DONE:
                return action
        if reason := self.stopping.reason(states[-1]):
            return Stop(reason, End.DONE)
        for place in self._above:
            state, stage = states[place], self.stages[place]
            stop = stage.plan.stop(state, state.n_failed_in_row, stage.plan.max_tries)
            if stop and stop.end is End.FAILED:
                return Stop(f"{stage.name}: {stop.reason}", End.FAILED)
        return None

    def _decide_interleaved(
        self, states: States, first: Sequence[Action], taken: Container[int], n_tasks: int
    ) -> list[Step]:
        over = self._over(states, first)
        has_room = n_tasks <= self.schedule.plan.dispatch.n_workers
        if has_room and (due := self._due(states, over)):
            return [self._ranking(due[0], states, over)]
        steps: list[Step] = []
        now, n_given = states, 0
        while (place := self._next(now, over)) is not None:
            state, dispatch = now[place], self.stages[place].plan.dispatch
            size = dispatch.group_size(state, n := self._n_allowed(place, now, over))
            if not (room := dispatch.room(state, size, n_tasks + n_given)):
                break
            # one task: what the next one is worth is another thing
            proposed = state.next_proposals(min(size, room, n))
            steps.append((place, Simulate(proposed, Source.RANKING, len(proposed))))
            now, n_given = self._after(steps[-1], now), n_given + 1
        if over[0]:
            return steps or self._end(now, first)
        if n_given:
            first = self.schedule.decide(states[0], taken, n_tasks + n_given)
        return steps + [(0, action) for action in first]

    def _decide_batch(self, states: States, first: Sequence[Action], n_tasks: int) -> list[Step]:
        over = self._over(states, first)
        for place in self._above:
            state = states[place]
            if not state.n_handed_out:
                continue
            if more := self._batch(place, states, n_tasks):
                return more
            if state.n_in_flight:
                return []
        own = states[0]
        is_ranked = own.at_ranked and own.at_ranked.n_submitted == own.n_submitted
        if own.n_in_flight or own.is_ranking or not (over[0] or is_ranked):
            return [(0, action) for action in first]
        # between two batches, with nothing under way
        if stop := self._stop(states, first):
            return [(0, stop)]
        if due := self._due(states, over):
            return [self._ranking(due[0], states, over)]
        if (chosen := self._next(states, over)) is not None:
            return self._batch(chosen, states, n_tasks)
        return self._end(states, first) if over[0] else [(0, action) for action in first]

    def _batch(self, place: int, states: States, n_tasks: int) -> list[Step]:
        """Hand out what is left of a batch, as there is room: it is all that a ranking proposed."""
        state, dispatch = states[place], self.stages[place].plan.dispatch
        size = dispatch.group_size(state, max(state.n_proposals_left, 1))
        n = min(state.n_proposals_left, dispatch.room(state, size, n_tasks))
        return [(place, Simulate(state.next_proposals(n), Source.RANKING, size))] if n > 0 else []

    def _ranking(self, place: int, states: States, over: Sequence[bool]) -> Step:
        stage, n_below = self.stages[place], _n_values(states[place - 1])
        n = max(N_PROPOSED, 2 * stage.plan.dispatch.n_workers)
        if self._is_batch:
            n = stage.plan.batch_size
            if stage.share is None:
                n = min(n, self._n_allowed(place, states, over))
        return place, Rank(n, n_below)

    def _after(self, step: Step, states: States) -> States:
        place, action = step
        event = event_of(action, states[place], self.stages[place].name)
        return (*states[:place], apply(states[place], event), *states[place + 1 :])

    def _over(self, states: States, first: Sequence[Action]) -> tuple[bool, ...]:
        """Return of each stage whether it will have no further value."""
        over = [any(isinstance(action, Stop) for action in first)]
        for place in self._above:
            state, plan = states[place], self.stages[place].plan
            is_used_up = plan.n_left(state) <= 0 and not state.n_in_flight
            has_none = (
                over[-1]
                and not state.n_in_flight
                and not state.n_proposals_left
                and not self._has_news(place, states)
            )
            over.append(is_used_up or has_none)
        return tuple(over)

    def _most(self, place: int, states: States, over: Sequence[bool]) -> int:
        """Return how many values a stage may have by now.

        Of what is counted it keeps pace with the stage below, as that will find better ones.
        """
        plan, below = self.stages[place].plan, self.stages[place - 1].plan
        if plan.max_training_count is None or below.max_training_count is None or over[place - 1]:
            return plan.most
        n_below = states[place - 1].n_values
        return plan.max_training_count * min(n_below, below.most) // below.most

    def _n_allowed(self, place: int, states: States, over: Sequence[bool]) -> int:
        """Return how many more molecules may be handed out in a stage now."""
        state, share = states[place], self.stages[place].share
        if share is not None and self._spent_s(place, states) >= share * sum(
            self._spent_s(one, states) for one in range(len(states))
        ):
            return 0
        n = self._most(place, states, over) - state.n_values - state.n_in_flight
        return max(0, n if share is None else min(n, 1))

    def _cost_s(self, place: int, states: States) -> float:
        """Return the processor time of a simulation in a stage."""
        stage = self.stages[place]
        seconds = stage.protocol.usual_s if self._is_batch else stage.expected_s(states[place])
        return stage.protocol.cores * max(seconds, 1e-9)

    def _spent_s(self, place: int, states: States) -> float:
        """Return the processor time of a stage, what is under way included."""
        return self._cost_s(place, states) * states[place].n_submitted

    def _has_news(self, place: int, states: States) -> bool:
        """Whether another ranking of a stage can find what the last one did not."""
        state = states[place]
        if state.at_ranked is None:
            return _n_values(states[place - 1]) > 0
        is_begun = state.n_submitted > state.at_ranked.n_submitted
        return is_begun or _n_values(states[place - 1]) > state.n_ranked_on

    def _due(self, states: States, over: Sequence[bool]) -> list[int]:
        """Return the stages above the first that are to be ranked, one after the other."""
        return [place for place in self._above if self._is_due(place, states, over)]

    def _is_due(self, place: int, states: States, over: Sequence[bool]) -> bool:
        state, then = states[place], states[place].at_ranked
        is_first_ready = over[0] or states[0].at_ranked is not None
        if not (is_first_ready and self._has_news(place, states)):
            return False
        if not self._n_allowed(place, states, over):
            return False
        if self._is_batch or then is None or not state.n_proposals_left:
            return True
        n_new = _n_values(states[place - 1]) - state.n_ranked_on
        is_much = n_new >= max(MIN_NEW, state.n_ranked_on // NEW_SHARE)
        is_last = n_new > 0 and over[place - 1]
        return is_much or is_last or state.n_values > then.n_values

    def _next(self, states: States, over: Sequence[bool]) -> int | None:
        """Return the stage above the first that the next worker goes to; None: the first one."""
        ready = [
            place
            for place in self._above
            if states[place].n_proposals_left and self._n_allowed(place, states, over)
        ]
        # what has a share takes it
        for place in reversed(ready):
            if self.stages[place].share is not None:
                return place
        if not ready:
            return None
        last = states[-1]
        if last.goal is not None:
            # what a front gains is no number: each stage keeps its pace, or takes its share
            return ready[-1]
        if not last.top:
            # without a value of the last stage nothing can be said of gains
            is_top = ready[-1] == len(states) - 1
            return ready[-1] if over[0] or not (is_top and last.n_in_flight) else None
        rates = {place: self._gain(place, states) / self._cost_s(place, states) for place in ready}
        if not over[0] and self.schedule.plan.n_left(states[0]) > 0:
            rates[0] = self._gain(0, states) / self._cost_s(0, states)
        return max(rates, key=lambda place: (rates[place], place)) or None

    def _gain(self, place: int, states: States) -> float:
        """Return what the next simulation of a stage is expected to improve the best set by.

        Only a value gains, there and in the stages above.
        """
        chance = prod((one.n_values + 1) / (one.n_finished + 1) for one in states[place:])
        return chance * self._gain_of_value(place, states)

    def _gain_of_value(self, place: int, states: States) -> float:
        state, best = states[place], states[-1].top[-1]
        if not state.means:
            return 0.0
        row = min(state.n_handed_out, len(state.means) - 1)
        mean, std = state.means[row], state.stds[row]
        if place == len(states) - 1:
            return float(improvement(np.array([mean]), np.array([std]), best)[0])
        above = states[place + 1]
        rival = 0.0
        if above.n_proposals_left:
            # the one that would make room
            others = np.array(above.means[-1:]), np.array(above.stds[-1:])
            rival = float(improvement(*others, best)[0])
        return gain_of_value(mean, std, state.unresolved_std, best, rival)

    def _end(self, states: States, first: Sequence[Action]) -> list[Step]:
        """Return the end of a run whose first stage has ended, once nothing is under way."""
        if any(state.n_in_flight for state in states):
            return []
        for state, stage in zip(states[::-1], self.stages[::-1], strict=True):
            if stage.plan.n_left(state) <= 0:
                values = counted(
                    state.n_values, f"value of {stage.name} is", f"values of {stage.name} are"
                )
                return [(0, Stop(f"{values} there, as asked", End.DONE))]
        return [(0, action) for action in first if isinstance(action, Stop)]


def _n_values(state: State) -> int:
    return state.n_values + state.n_known
