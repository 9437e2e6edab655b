"""What can be done next, and what all schedules share of deciding it. Pure."""

from collections.abc import Container
from dataclasses import dataclass

from molloop.campaign.design import InitialDesign
from molloop.campaign.dispatch import Dispatch
from molloop.campaign.events import End, Event, RankingBegan, Source, Stopped, Submitted
from molloop.campaign.state import State
from molloop.texts import counted

MIN_TRIES = 24
TRIES_PER_INITIAL = 3


@dataclass(frozen=True, slots=True)
class Simulate:
    """Hand out molecules in tasks of `group_size`; `n_drawn` places of the design are used."""

    molecule_ids: tuple[int, ...]
    source: Source
    group_size: int = 1
    n_drawn: int = 0


@dataclass(frozen=True, slots=True)
class Rank:
    """Train on all values, rank the library, return the best n that were not tried.

    Above the first stage the molecules are ranked of which `n_below` values of the stage below are
    there; None: it is the first one.
    """

    n: int
    n_below: int | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """End the campaign."""

    reason: str
    end: End


Action = Simulate | Rank | Stop


def event_of(action: Action, state: State, stage: str) -> Event:
    """Return what happens by an action of a stage."""
    match action:
        case Simulate(molecule_ids, source, _, n_drawn):
            # random molecules belong to no ranking; what is ranked now has proposed nothing yet
            batch = state.batch - state.is_ranking if source is Source.RANKING else 0
            return Submitted(molecule_ids, source, batch, n_drawn, stage)
        case Rank():
            n = state.n_values + state.n_known if action.n_below is None else action.n_below
            return RankingBegan(state.batch + 1, n, stage)
        case Stop(reason, end):
            return Stopped(reason, end)


@dataclass(frozen=True, slots=True)
class Stopping:
    """When a campaign ends before its budget is used up.

    Attributes
    ----------
    top_k, patience
        When so many simulations in a row have brought none of the best `top_k` values.
    min_gain
        When the last ranking expected less than this above the best value.
    has_front
        Whether there are several objectives: then patience looks at the Pareto front.
    """

    top_k: int = 10
    patience: int | None = None
    min_gain: float | None = None
    has_front: bool = False

    def reason(self, state: State) -> str:
        """Return why it ends, or nothing."""
        if self.patience is not None and state.n_without_gain >= self.patience:
            tried = counted(state.n_without_gain, "simulation")
            best = f"none of the best {self.top_k}"
            return f"{tried} brought {'nothing to the Pareto front' if self.has_front else best}"
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
        Simulated values after which it ends; None where time alone ends it.
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
    max_training_count: int | None
    batch_size: int
    max_failure_share: float
    stopping: Stopping = Stopping()

    def exhausted(self) -> Stop:
        """Return the end of a campaign that has tried every molecule."""
        which = " that meets the conditions" if self.design.meant is not None else ""
        return Stop(f"every molecule of the library{which} has been tried", End.DONE)

    @property
    def max_tries(self) -> int:
        """Simulations that may fail for one value, or in a row."""
        return max(MIN_TRIES, TRIES_PER_INITIAL * self.initial_training_count)

    @property
    def most(self) -> int:
        """Values that there may be; without a count, more than the library can give."""
        return self.max_training_count or self.design.n_molecules + 1

    def n_left(self, state: State) -> int:
        """Return how many more molecules may be handed out."""
        return self.most - state.n_values - state.n_in_flight

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
        if state.n_values >= self.most:
            return Stop(
                f"{counted(state.n_values, 'value is', 'values are')} there, as asked", End.DONE
            )
        if reason := self.stopping.reason(state):
            return Stop(reason, End.DONE)
        if n_failed_in_row >= n_least:
            which = counted(n_failed_in_row, "simulation failed", "simulations all failed")
            return Stop(f"the last {which}", End.FAILED)
        forgiven = dict(state.forgiven.failures)
        n_finished = state.n_finished - state.forgiven.n_finished
        for kind, n_all in state.failures:
            n = n_all - forgiven.get(kind, 0)
            if n > max(n_least, self.max_failure_share * n_finished):
                reason = (
                    f"{n:,} of {counted(n_finished, 'simulation')} failed in the same way, {kind}"
                )
                return Stop(reason, End.FAILED)
        return None
