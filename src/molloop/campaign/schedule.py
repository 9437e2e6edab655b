"""When what is done: a state becomes actions. Pure."""

from dataclasses import dataclass
from typing import Protocol

from molloop.campaign.design import InitialDesign
from molloop.campaign.state import Source, State

TRIES_PER_INITIAL = 3
N_REPORTED = 5  # best predicted molecules that every ranking reports, however small the batch


@dataclass(frozen=True, slots=True)
class Simulate:
    """Hand out these molecules."""

    molecule_ids: tuple[int, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Rank:
    """Train on all values, rank the library, return the best n that were not tried."""

    n: int


@dataclass(frozen=True, slots=True)
class Stop:
    """End the campaign."""

    reason: str
    ok: bool


Action = Simulate | Rank | Stop


class Schedule(Protocol):
    """Decides what comes next."""

    def decide(self, state: State) -> list[Action]:
        """Return what to do now; nothing, where only waiting is left."""


@dataclass(frozen=True)
class Batch:
    """The published workflow: simulate a batch, wait for all of it, train, rank, repeat.

    Attributes
    ----------
    design
        The random molecules that come first, and replace those that fail.
    initial_training_count
        Values that the first model is trained on; values known beforehand count. It is trained on
        fewer where the library ends, or where three times as many simulations fail for each value.
    max_training_count
        Simulated values after which it ends.
    batch_size
        Molecules of a batch.
    """

    design: InitialDesign
    initial_training_count: int
    max_training_count: int
    batch_size: int

    def decide(self, state: State) -> list[Action]:
        """Return what to do now."""
        if state.stopped or state.is_ranking:
            return []
        if state.batch == 0 and (initial := self._fill_initial(state)):
            return [initial]
        if state.in_flight:
            return []
        n_left = self.max_training_count - state.n_values
        if n_left <= 0:
            return [Stop(f"{state.n_values} values are there, as asked", ok=True)]
        if self._gives_up(state):
            return [Stop(f"the last {state.n_failed_in_drought} simulations all failed", ok=False)]
        if state.proposals is None:
            return [Rank(max(self.batch_size, N_REPORTED))]
        if not state.proposals:
            return [Stop("every molecule of the library has been tried", ok=True)]
        n_next = min(self.batch_size, n_left)
        if state.n_values == 0:
            n_next = min(n_next, self._max_tries_without_value - state.n_failed_in_drought)
        return [Simulate(state.proposals[:n_next], Source.RANKING)]

    @property
    def _max_tries_without_value(self) -> int:
        return TRIES_PER_INITIAL * self.initial_training_count

    def _fill_initial(self, state: State) -> Simulate | None:
        """Keep as many under way as values are missing, within the tries that are allowed."""
        n_wanted = max(0, self.initial_training_count - state.n_known)
        n_missing = n_wanted - state.n_values - len(state.in_flight)
        n_allowed = self._max_tries_without_value * (state.n_values + 1) - state.n_drawn
        ids = self.design.take(state.n_drawn, max(0, min(n_missing, n_allowed)))
        return Simulate(ids, Source.INITIAL) if ids else None

    def _gives_up(self, state: State) -> bool:
        has_nothing_to_learn_from = state.n_values + state.n_known == 0
        is_drought = state.n_failed_in_drought >= self._max_tries_without_value
        return has_nothing_to_learn_from or is_drought
