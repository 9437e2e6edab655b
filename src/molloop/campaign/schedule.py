"""When what is done: a state becomes actions. Pure."""

from collections.abc import Container
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from molloop.campaign.design import InitialDesign
from molloop.campaign.dispatch import Dispatch
from molloop.campaign.events import End, Source
from molloop.campaign.state import State

MIN_TRIES = 24
TRIES_PER_INITIAL = 3
TRIES_PER_WORKER = 3
MIN_RETRAIN_AFTER = 4
SIMULATING_PER_RANKING = 6
MAX_CYCLE_GROWTH = 4
FILLERS = 10
N_REPORTED = 5  # best predicted molecules that every ranking reports, however small the batch


@dataclass(frozen=True, slots=True)
class Simulate:
    """Hand out molecules in tasks of `group_size`; `n_drawn` places of the design are used."""

    molecule_ids: tuple[int, ...]
    source: Source
    group_size: int = 1
    n_drawn: int = 0


@dataclass(frozen=True, slots=True)
class Rank:
    """Train on all values, rank the library, return the best n that were not tried."""

    n: int


@dataclass(frozen=True, slots=True)
class Stop:
    """End the campaign."""

    reason: str
    end: End


Action = Simulate | Rank | Stop


class Schedule(Protocol):
    """Decides what comes next."""

    @property
    def plan(self) -> "Plan":
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


@dataclass(frozen=True, slots=True)
class Stopping:
    """When a campaign ends before its budget is used up.

    Attributes
    ----------
    top_k, patience
        When so many simulations in a row have brought none of the best `top_k` values.
    min_gain
        When the last ranking expected less than this above the best value.
    """

    top_k: int = 10
    patience: int | None = None
    min_gain: float | None = None

    def reason(self, state: State) -> str:
        """Return why it ends, or nothing."""
        if self.patience is not None and state.n_without_gain >= self.patience:
            return f"{state.n_without_gain} simulations brought none of the best {self.top_k}"
        if self.min_gain is not None and state.expected_gain < self.min_gain:
            return (
                f"the model expects {state.expected_gain:.2g} above the best value at most, "
                f"less than {self.min_gain:g}"
            )
        return ""


@dataclass(frozen=True)
class Plan:
    """What all schedules share.

    Attributes
    ----------
    design
        The random molecules that come first, and replace those that fail.
    dispatch
        Sizes tasks.
    initial_training_count
        Values that the first model is trained on; values known beforehand count. It is trained on
        fewer where the library ends, or where three times as many simulations fail for each value.
    max_training_count
        Simulated values after which it ends.
    batch_size
        Molecules of a batch.
    max_failure_share
        Of simulations that failed in one way, after which it ends; 24 may fail at least.
    stopping
        What else ends it.
    """

    design: InitialDesign
    dispatch: Dispatch
    initial_training_count: int
    max_training_count: int
    batch_size: int
    max_failure_share: float
    stopping: Stopping = Stopping()

    @property
    def max_tries(self) -> int:
        """Simulations that may fail for one value, or in a row."""
        return max(MIN_TRIES, TRIES_PER_INITIAL * self.initial_training_count)

    def n_left(self, state: State) -> int:
        """Return how many more molecules may be handed out."""
        return self.max_training_count - state.n_values - state.n_in_flight

    def n_random(self, state: State) -> int:
        """Return how many random molecules the first model still needs."""
        n_wanted = max(0, self.initial_training_count - state.n_known)
        n_missing = n_wanted - state.n_values - state.n_in_flight
        n_submitted = state.n_submitted - state.forgiven.n_submitted
        n_allowed = self.max_tries * (state.n_values + 1) - n_submitted
        return max(0, min(n_missing, n_allowed))

    def draw(self, state: State, n: int, size: int, *taken: Container[int]) -> list[Action]:
        """Return the next n random molecules; nothing where there is none."""
        ids, n_drawn = self.design.take(state.n_drawn, n, *taken)
        return [Simulate(ids, Source.INITIAL, size, n_drawn)] if ids else []

    def stop(self, state: State, n_failed_in_row: int, n_least: int) -> Stop | None:
        """Return why the campaign should end, if it should; fewer failures end none."""
        if state.n_values >= self.max_training_count:
            return Stop(f"{state.n_values} values are there, as asked", End.DONE)
        if reason := self.stopping.reason(state):
            return Stop(reason, End.DONE)
        if n_failed_in_row >= n_least:
            reason = f"the last {n_failed_in_row} simulations all failed"
            return Stop(reason, End.FAILED)
        forgiven = dict(state.forgiven.failures)
        n_finished = state.n_finished - state.forgiven.n_finished
        for kind, n_all in state.failures:
            n = n_all - forgiven.get(kind, 0)
            if n > max(n_least, self.max_failure_share * n_finished):
                reason = f"{n} of {n_finished} simulations failed in the same way, {kind}"
                return Stop(reason, End.FAILED)
        return None


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
            return [Stop(f"all {state.n_failed} simulations failed", End.FAILED)]
        if is_ranked and state.at_ranking_began == state.at_ranked:
            return [Stop("every molecule of the library has been tried", End.DONE)]
        # also where all that it proposed was handed out while it went on, by the other schedule
        return [Rank(max(plan.batch_size, N_REPORTED))]

    def _n_of_batch(self, state: State) -> int:
        """Return how many of the last ranking's molecules are still to be handed out.

        How many there are in all was settled when the ranking ended, whatever fails since.
        """
        plan, then = self.plan, state.at_ranked
        if then is None:
            return 0
        n = min(plan.batch_size, plan.max_training_count - then.n_values)
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
            return [Stop(f"all {state.n_failed} simulations failed", End.FAILED)]
        return [Stop("every molecule of the library has been tried", End.DONE)]

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

        Beyond those of the first model a tenth of the budget: they teach little, and where rankings
        take long beside simulations, workers wait.
        """
        plan = self.plan
        n_initial = max(0, plan.initial_training_count - state.n_known)
        return max(0, n_initial + plan.max_training_count // FILLERS - state.n_random)

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
