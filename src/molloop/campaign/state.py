"""The state that a campaign's events add up to. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import groupby
from math import inf
from typing import NamedTuple

from molloop.campaign.best import expected_gain, kept, point_of
from molloop.campaign.counts import Counts, Forgiven
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
from molloop.goal import Goal, Objective
from molloop.pareto import Point, with_point


class State(NamedTuple):
    """What a schedule needs to know of one stage. It does not grow with the campaign.

    A tuple: each event makes another one, which takes a frozen dataclass of this size much longer.

    Attributes
    ----------
    sign
        1 where large values are good, -1 where small ones are.
    keeps_flagged
        Whether a value that a flag casts doubt on may be among the best.
    top_k
        How many of the best values it keeps.
    n_known
        Values that were there beforehand.
    n_drawn, n_random
        Places of the initial design that were used, and molecules that were handed out from it.
    n_submitted, n_values
        Simulations that were handed out, and that ended with a value.
    failures
        How many ended without one, by kind.
    seconds
        Time that all of them took, on their workers.
    batch
        The last ranking's number; 0 before the first.
    is_ranking
        A ranking is under way.
    ranking_seconds
        Time that the last one took, on all workers together.
    n_ranked_on
        Values that the last ranking was told of when it began.
    proposals, n_handed_out
        Of the last ranking, best first, and how many of them were handed out.
    means, stds
        What it predicted of each, times `sign`; nothing where it went by no model.
    unresolved_std
        Of these deviations, what will be left once the value of this stage is known.
    at_ranking_began, at_ranked
        Counts when the last ranking began, and when a result last came; None before, the first one
        also where the ranking was lost.
    n_failed_in_row
        Simulations that have failed since the last one that did not.
    n_failed_before_drought
        Failures when a ranking last followed another with a value between them.
    top
        The best values, known ones included, times `sign`; the largest first.
    n_without_gain
        Simulations since one last entered `top`, of those that ended after the first ranking.
    expected_gain
        By which the molecule of which the last ranking expected most is expected to exceed the best
        value.
    forgiven
        What had failed when the campaign last went on after it had ended by failures.
    stopped
        How it ended.
    goal
        What is searched for, where it is more than one objective.
    front
        Of several objectives, the values that no other beats, times their signs; `top` is empty.
    left_out
        Ids of molecules that do not meet the conditions: their values are none of the best.
    """

    sign: int = 1
    keeps_flagged: bool = False
    top_k: int = 10
    n_known: int = 0
    n_drawn: int = 0
    n_random: int = 0
    n_submitted: int = 0
    n_values: int = 0
    failures: tuple[tuple[str, int], ...] = ()
    seconds: float = 0.0
    batch: int = 0
    is_ranking: bool = False
    ranking_seconds: float = 0.0
    n_ranked_on: int = 0
    proposals: tuple[int, ...] = ()
    means: tuple[float, ...] = ()
    stds: tuple[float, ...] = ()
    unresolved_std: float = 0.0
    n_handed_out: int = 0
    at_ranking_began: Counts | None = None
    at_ranked: Counts | None = None
    n_failed_in_row: int = 0
    n_failed_before_drought: int = 0
    top: tuple[float, ...] = ()
    n_without_gain: int = 0
    expected_gain: float = inf
    forgiven: Forgiven = Forgiven()
    stopped: Stopped | None = None
    goal: Goal | None = None
    front: tuple[Point, ...] = ()
    left_out: frozenset[int] = frozenset()

    @classmethod
    def at_first(
        cls, objective: Objective, top_k: int, known: Iterable[Point], goal: Goal | None = None
    ) -> "State":
        """Return the state before the first event, with what may be the best of known values."""
        first = cls(objective.sign, objective.keeps_flagged, top_k, goal=goal)
        if goal is not None and goal.has_front:
            return first._replace(front=reduce(with_point, known, ()))
        best = sorted((value for (value,) in known), reverse=True)[:top_k]
        return first._replace(top=tuple(best))

    @property
    def n_failed(self) -> int:
        """Simulations that ended without a value."""
        return sum(n for _, n in self.failures)

    @property
    def n_finished(self) -> int:
        """Simulations that ended."""
        return self.n_values + self.n_failed

    @property
    def n_in_flight(self) -> int:
        """Simulations under way."""
        return self.n_submitted - self.n_finished

    @property
    def n_proposals_left(self) -> int:
        """Proposals that were not handed out."""
        return max(0, len(self.proposals) - self.n_handed_out)

    def next_proposals(self, n: int) -> tuple[int, ...]:
        """Return the best n proposals that were not handed out, or all where there are fewer."""
        return self.proposals[self.n_handed_out : self.n_handed_out + n]

    @property
    def mean_s(self) -> float:
        """Time that a simulation took on average; 0 before the first has ended."""
        return self.seconds / max(1, self.n_finished)

    @property
    def n_failed_in_drought(self) -> int:
        """Failures of the last batches in a row that gave no value at all."""
        n_values = self.at_ranked.n_values if self.at_ranked else 0
        return 0 if self.n_values > n_values else self.n_failed - self.n_failed_before_drought


def apply(state: State, event: Event) -> State:
    """Return the state after an event."""
    match event:
        case Began(n_known=n_known):
            return state._replace(n_known=n_known)
        case Resumed(ranks_anew=ranks_anew):
            return _resume(_without_proposals(state) if ranks_anew else state)
        case Submitted(molecule_ids, source, _, n_drawn):
            is_proposed = source is Source.RANKING
            return state._replace(
                n_submitted=state.n_submitted + len(molecule_ids),
                n_drawn=state.n_drawn + n_drawn,
                n_random=state.n_random + (0 if is_proposed else len(molecule_ids)),
                n_handed_out=state.n_handed_out + (len(molecule_ids) if is_proposed else 0),
            )
        case Finished():
            return _finish(state, [event])
        case Lost():
            return state
        case RankingBegan(batch, n):
            return state._replace(
                is_ranking=True, batch=batch, n_ranked_on=n, at_ranking_began=_counts(state)
            )
        case Ranked():
            return _rank(state, event)
        case Stopped():
            return state._replace(stopped=event)


def add_up(events: Iterable[Event], start: State) -> State:
    """Return the state that some events add up to, from another one on."""
    state = start
    # one copy of the state for all that a group has simulated
    for _, run in groupby(events, type):
        alike = list(run)
        finished = [event for event in alike if isinstance(event, Finished)]
        state = _finish(state, finished) if finished else reduce(apply, alike, state)
    return state


def _counts(state: State) -> Counts:
    return Counts(state.n_submitted, state.n_values)


def _finish(state: State, events: Sequence[Finished]) -> State:
    seconds, n_without_gain = state.seconds, state.n_without_gain
    top, front = state.top, state.front
    n_values, n_failed_in_row = state.n_values, state.n_failed_in_row
    failures = state.failures
    if failed := [event.failure for event in events if event.failure]:
        failures = tuple(sorted((Counter(dict(failures)) + Counter(failed)).items()))
    for event in events:
        seconds += event.seconds
        n_without_gain += state.at_ranked is not None
        if event.failure:
            n_failed_in_row += 1
            continue
        n_values += 1
        n_failed_in_row = 0
        before = top, front
        is_left_out = event.molecule_id in state.left_out
        is_doubtful = event.is_flagged and not state.keeps_flagged
        if event.value is not None and not (is_left_out or is_doubtful):
            point = point_of(state.goal, state.sign, event.value, event.values)
            if len(point) == 1:
                top = kept(point[0], top, state.top_k)
            elif point:
                front = with_point(front, point)
        n_without_gain = n_without_gain if top is before[0] and front is before[1] else 0
    return state._replace(
        seconds=seconds,
        n_without_gain=n_without_gain,
        n_values=n_values,
        failures=failures,
        n_failed_in_row=n_failed_in_row,
        top=top,
        front=front,
    )


def _rank(state: State, event: Ranked) -> State:
    n_values = state.at_ranked.n_values if state.at_ranked else 0
    is_drought = state.n_values == n_values
    return state._replace(
        is_ranking=False,
        ranking_seconds=event.seconds,
        proposals=event.molecule_ids,
        means=tuple(state.sign * mean for mean in event.means),
        stds=event.stds,
        unresolved_std=event.unresolved_std,
        n_handed_out=0,
        expected_gain=expected_gain(
            state.top, state.sign, event.molecule_ids, event.means, event.stds
        ),
        at_ranked=_counts(state),
        n_failed_before_drought=state.n_failed_before_drought if is_drought else state.n_failed,
    )


def _without_proposals(state: State) -> State:
    """Return a state whose last ranking is as good as lost, but for what was handed out of it.

    Nor has it waited for a gain yet: other values count.
    """
    handed_out = state.proposals[: state.n_handed_out]
    return state._replace(
        proposals=handed_out,
        n_ranked_on=0,
        at_ranking_began=None,
        expected_gain=inf,
        n_without_gain=0,
    )


def _resume(state: State) -> State:
    if state.stopped and state.stopped.end is End.FAILED:
        state = state._replace(
            n_failed_in_row=0,
            n_failed_before_drought=state.n_failed,
            forgiven=Forgiven(state.n_submitted, state.n_finished, state.failures),
        )
    state = state._replace(stopped=None)
    if not state.is_ranking:
        return state
    return state._replace(
        is_ranking=False, batch=state.batch - 1, n_ranked_on=0, at_ranking_began=None
    )
