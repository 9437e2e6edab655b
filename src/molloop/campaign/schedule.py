"""When what is done: a state becomes actions. Pure."""

from collections.abc import Container
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from molloop.campaign.events import End, Source
from molloop.campaign.plan import Action, Plan, Rank, Simulate, Stop
from molloop.campaign.state import State

TRIES_PER_WORKER = 3
MIN_RETRAIN_AFTER = 4
SIMULATING_PER_RANKING = 6
MAX_CYCLE_GROWTH = 4
FILLERS = 10
N_REPORTED = 5  # best predicted molecules that every ranking reports, however small the batch


class Schedule(Protocol):
    """Decides what comes next."""

    @property
    def plan(self) -> Plan:
        """Return what it shares with others."""

    def decide(self, state: State, taken: Container[int], n_tasks: int) -> list[Action]:
        """Return what to do now; nothing, where only waiting is left.

        Parameters
        ----------
        taken
            Molecules that the initial design must pass over: known, or handed out by a ranking.
        n_tasks
            Tasks of simulations that are under way.
        """


@dataclass(frozen=True)
class Batch:
    """The published workflow: simulate a batch, wait for all of it, train, rank, repeat."""

    plan: Plan

    def decide(self, state: State, taken: Container[int], n_tasks: int) -> list[Action]:
        """Return what to do now."""
        plan = self.plan
        if state.stopped or state.is_ranking:
            return []
        is_ranked = state.at_ranked and state.at_ranked.n_submitted == state.n_submitted
        if is_ranked and (reason := plan.stopping.reason(state)):
            return [Stop(reason, End.DONE)]
        n_now = self._n_of_batch(state) if state.batch else plan.n_random(state)
        size = plan.dispatch.group_size(state, n_now)
        n_now = min(n_now, plan.dispatch.room(state, size, n_tasks))
        if n_now and state.batch:
            return [Simulate(state.next_proposals(n_now), Source.RANKING, size)]
        if n_now and (drawn := plan.draw(state, n_now, size, taken)):
            return drawn
        if state.n_in_flight:
            return []
        # by whole batches: in which order a batch ends may not matter
        if stop := plan.stop(state, state.n_failed_in_drought, plan.max_tries):
            return [stop]
        if state.n_values + state.n_known == 0:
            return [Stop(_all_failed(state), End.FAILED)]
        if is_ranked and state.at_ranking_began == state.at_ranked:
            return [plan.exhausted()]
        # also where all that it proposed was handed out while it went on, by the other schedule
        return [Rank(max(plan.batch_size, N_REPORTED))]

    def _n_of_batch(self, state: State) -> int:
        """Return how many of the last ranking's molecules are still to be handed out.

        How many there are in all was settled when the ranking ended, whatever fails since.
        """
        plan, then = self.plan, state.at_ranked
        if then is None:
            return 0
        n = min(plan.batch_size, plan.most - then.n_values)
        if then.n_values == 0:
            n = min(n, plan.max_tries - max(0, then.n_submitted - state.forgiven.n_submitted))
        return max(
            0,
            min(
                n - (state.n_submitted - then.n_submitted),
                state.n_proposals_left,
                plan.n_left(state),
            ),
        )


@dataclass(frozen=True)
class Interleaved:
    """Workers never wait for the model: what it proposed last goes on while it learns.

    Attributes
    ----------
    retrain_after
        New values after which the next ranking starts, once the one before has ended. None: so many
        that simulating them takes six times as long as the last ranking did, but four at least,
        and no more than half as many as there are.
    """

    plan: Plan
    retrain_after: int | None = None

    def decide(self, state: State, taken: Container[int], n_tasks: int) -> list[Action]:
        """Return what to do now."""
        plan = self.plan
        if state.stopped:
            return []
        # on many workers, what fails at once comes back long before what does not
        n_least = max(plan.max_tries, TRIES_PER_WORKER * plan.dispatch.n_workers)
        if stop := plan.stop(state, state.n_failed_in_row, n_least):
            return [] if state.n_in_flight else [stop]
        actions: list[Action] = [Rank(self._n_ranked(state))] if self._is_due(state) else []
        n_left = plan.n_left(state)
        size = plan.dispatch.group_size(state, n_left)
        n_now = min(n_left, plan.dispatch.room(state, size, n_tasks))
        if n_now <= 0:
            return actions
        if proposed := state.next_proposals(n_now):
            actions.append(Simulate(proposed, Source.RANKING, size))
        # where proposals end, random molecules keep workers busy, but none waits for a worker
        n_idle = (plan.dispatch.n_workers - n_tasks) * size - len(proposed)
        if state.n_in_flight or state.is_ranking or actions:
            n_idle = min(n_idle, self._n_fillers(state))
        n_random = min(n_now - len(proposed), max(plan.n_random(state), n_idle))
        actions += plan.draw(state, n_random, size, taken, proposed) if n_random > 0 else []
        if actions or state.n_in_flight or state.is_ranking:
            return actions
        if state.n_values + state.n_known == 0:
            return [Stop(_all_failed(state), End.FAILED)]
        return [plan.exhausted()]

    def _is_due(self, state: State) -> bool:
        plan, then = self.plan, state.at_ranking_began
        n_values = state.n_values + state.n_known
        if state.is_ranking or plan.n_left(state) <= 0:
            return False
        if then is None:
            return n_values >= plan.initial_training_count
        n_since = state.n_values - then.n_values
        is_used_up = not state.n_proposals_left and state.n_in_flight == 0
        return n_since >= (1 if is_used_up else self._n_new(state))

    def _n_fillers(self, state: State) -> int:
        """Return how many more random molecules may keep workers busy.

        Beyond those of the first model a tenth of the budget, or without a count of what was handed
        out: they teach little, and where rankings take long beside simulations, workers wait.
        """
        plan = self.plan
        n_initial = max(0, plan.initial_training_count - state.n_known)
        budget = plan.max_training_count or state.n_submitted
        return max(0, n_initial + budget // FILLERS - state.n_random)

    def _n_new(self, state: State) -> int:
        if self.retrain_after is not None:
            return self.retrain_after
        n = ceil(SIMULATING_PER_RANKING * state.ranking_seconds / max(state.mean_s, 1e-9))
        return max(MIN_RETRAIN_AFTER, min(n, (state.n_values + state.n_known) // 2))

    def _n_ranked(self, state: State) -> int:
        """Return how many molecules the next ranking chooses: enough until the one after it."""
        n_least = self._n_new(state) + 2 * self.plan.dispatch.n_workers
        n_last = state.n_submitted - state.at_ranked.n_submitted if state.at_ranked else 0
        # bounded: more proposals take longer to choose, and more would be needed meanwhile
        n_cycle = max(n_least, min(n_last, MAX_CYCLE_GROWTH * n_least))
        return max(N_REPORTED, min(2 * n_cycle, self.plan.n_left(state)))


def _all_failed(state: State) -> str:
    n = state.n_failed
    return "the only simulation failed" if n == 1 else f"all {n:,} simulations failed"
