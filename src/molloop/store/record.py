"""The one projection of a run: what its events and outcomes come to, folded as they come.

Screen, page, report, tables, exports, status and Python read it; none computes its own best.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, MutableSequence, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from math import inf, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.engine import Task, Work
from molloop.campaign.events import Began, Event, Ranked, Resumed, Source, Stopped, Submitted
from molloop.campaign.jobs import Job, Simulated
from molloop.goal import Goal, Objective
from molloop.simulate.outcome import Failure
from molloop.store.best import Best, Entry, excluded_words, looked_at
from molloop.store.expected import Errors
from molloop.store.messages import Messages
from molloop.store.stages import Tallies
from molloop.store.tasks import Tasks

N_BEST, N_RECENT, N_LAST = 10, 12, 50


@dataclass
class Record:
    """What a run has come to, as far as it was taken in.

    Values, failures and predictions are those of one stage; what was handed out and has ended is
    counted of all. What names no stage, as in a run of schema 3, is of this one.

    Attributes
    ----------
    objective, stage
        Whose values these are.
    n_submitted, n_ended
        Jobs that were handed out, and those that have an outcome.
    n_kept
        How many of the best outcomes are kept.
    remarks
        On the library, as the last process has found it.
    time_s
        Of the last event, pauses left out.
    stopped
        How it ended, if it has.
    resumed_s
        When another process went on with it.
    times_s, values, proposals
        Of each value, in the order in which they were known.
    predicted
        Job -> mean and standard deviation, of what the last ranking chose, best first.
    pairs
        Predicted mean and standard deviation, and simulated value, of what rankings chose, one
        after the other, in the order in which the values were known.
    paired, errors
        Their proposals; the same in sums.
    recent
        The last outcomes, the last one first.
    tasks
        What workers did, simulations among it.
    failures, messages
        How many by kind, and some of what they said.
    are_flagged
        Of each value, whether a flag casts doubt on it.
    n_broken, n_left_out
        Values of molecules that break a constraint of the goal, or lack a value of it; those of the
        others that do not meet the conditions.
    n_beyond
        Values beyond the threshold, of those that may be among the best.
    of_stages
        What each stage has come to, by its name.
    goal
        What is searched for, where it is more than the objective.
    left_out
        Ids of molecules that do not meet the conditions: their values are none of the best.
    told_left_out
        The same as it was told last. Where it differs, all is to be taken in again: see `anew`.
    """

    objective: Objective
    stage: str
    n_kept: int = N_BEST
    n_molecules: int = 0
    n_known: int = 0
    remarks: tuple[str, ...] = ()
    time_s: float = 0.0
    n_submitted: int = 0
    n_ended: int = 0
    n_rankings: int = 0
    stopped: Stopped | None = None
    resumed_s: list[float] = field(default_factory=list)
    times_s: MutableSequence[float] = field(default_factory=lambda: array("d"))
    values: MutableSequence[float] = field(default_factory=lambda: array("d"))
    proposals: MutableSequence[int] = field(default_factory=lambda: array("q"))
    are_flagged: MutableSequence[int] = field(default_factory=lambda: array("b"))
    n_broken: int = 0
    n_left_out: int = 0
    predicted: dict[Job, tuple[float, float]] = field(default_factory=dict)
    pairs: MutableSequence[float] = field(default_factory=lambda: array("d"))
    paired: MutableSequence[int] = field(default_factory=lambda: array("q"))
    errors: Errors = field(default_factory=Errors)
    recent: list[Simulated] = field(default_factory=list)
    tasks: Tasks = field(default_factory=Tasks)
    failures: Counter[str] = field(default_factory=Counter)
    messages: Messages = field(default_factory=Messages)
    n_beyond: int = 0
    of_stages: Tallies = field(default_factory=Tallies)
    goal: Goal | None = None
    left_out: frozenset[int] = frozenset()
    told_left_out: frozenset[int] = frozenset()
    _flat_points: MutableSequence[float] = field(default_factory=lambda: array("d"))
    _best: Best | None = None  # until the first value
    _expected: dict[Job, tuple[float, float]] = field(default_factory=dict)  # of what is under way

    @property
    def n_values(self) -> int:
        """Values that are there."""
        return len(self.values)

    @property
    def n_failed(self) -> int:
        """Simulations that gave none."""
        return self.failures.total()

    @property
    def n_open(self) -> int:
        """Jobs that were handed out and have no outcome."""
        return max(0, self.n_submitted - self.n_ended)

    @property
    def n_excluded(self) -> int:
        """Values that are never among the best, as a flag casts doubt on them."""
        return 0 if self.objective.keeps_flagged else sum(self.are_flagged)

    @property
    def excluded(self) -> str:
        """What to say of values that are never among the best; empty where there are none."""
        return excluded_words(self.n_values, self.n_excluded, self.n_broken, self.n_left_out)

    def best(self, n: int = N_BEST) -> list[Simulated]:
        """Return the best outcomes, the best first; of equal ones, the first proposed.

        Of several objectives those that no other beats, by the first objective.
        """
        return [item for *_, item in self.front()[:n]]

    def front(self) -> list[Entry]:
        """Return all that are kept as the best, the best first."""
        with_flagged = self.objective.keeps_flagged
        return [] if self._best is None else self._best.entries(with_flagged=with_flagged)

    def found(self, item: Simulated) -> float | None:
        """Return an outcome's value of the objective in the stage; None where it has none."""
        return item.value(self.objective.quantity.name, self.stage)

    def value(self, item: Simulated) -> float:
        """Return the value of one of the best."""
        value = self.found(item)
        assert value is not None  # only what has one is among them
        return value

    def best_so_far(self, order: Sequence[int] | None = None) -> NDArray[np.float64]:
        """Return the best of the first value, of the first two, ..., shape (n,).

        NaN before the first that may be among the best.

        Parameters
        ----------
        order
            Places of the values in some order; None: that in which they were known.
        """
        values = self.points()[:, 0]
        best = np.fmax.accumulate(values if order is None else values[order])
        return np.asarray(self.objective.sign * best, dtype=np.float64)

    def eligible(self) -> NDArray[np.float64]:
        """Return the values, shape (n,), NaN in place of those that are never among the best."""
        return np.asarray(self.objective.sign * self.points()[:, 0], dtype=np.float64)

    def points(self) -> NDArray[np.float64]:
        """Return the objectives of each value, signed, shape (n, d); NaN as of `eligible`."""
        points = np.array(self._flat_points, dtype=np.float64).reshape(-1, self._n_objectives)
        if self.n_excluded:
            points[np.array(self.are_flagged, dtype=np.bool_)] = np.nan
        return points

    @property
    def _n_objectives(self) -> int:
        return 1 if self.goal is None else len(self.goal.objectives)

    def n_beyond_of_last(self, n: float = inf) -> int:
        """Return how many of the last n values are beyond the threshold."""
        first = int(max(0, self.n_values - n)) if n < inf else 0
        return sum(map(self.objective.is_beyond_threshold, self.eligible()[first:].tolist()))

    def take(
        self,
        events: Iterable[tuple[float, Event]],
        simulated: Iterable[Simulated] = (),
        tasks: Iterable[Task] = (),
    ) -> None:
        """Take in what was stored next."""
        entries: list[tuple[float, int, Any]] = [
            *((time_s, 0, event) for time_s, event in events),
            *((item.time_s, 1, item) for item in simulated),
        ]
        # a ranking is known before what it chose has ended
        for time_s, is_outcome, one in sorted(entries, key=lambda entry: entry[:2]):
            if is_outcome:
                self.take_outcome(one)
            else:
                self.take_event(time_s, one)
        for task in tasks:
            self.tasks.append(task)

    def take_event(self, time_s: float, event: Event) -> None:
        """Take in an event; those of outcomes are taken in with them."""
        self.time_s = max(self.time_s, time_s)
        match event:
            case Began(n_molecules, n_known, remarks):
                self.n_molecules, self.n_known, self.remarks = n_molecules, n_known, remarks
            case Resumed(remarks=remarks, left_out=left_out):
                self.remarks, self.stopped, self.told_left_out = remarks, None, frozenset(left_out)
                self.resumed_s.append(time_s)
            case Submitted(molecule_ids, source):
                self.n_submitted += len(molecule_ids)
                if source is Source.RANKING:
                    known, stage = self.predicted, event.stage or self.stage
                    jobs = [Job(one, stage) for one in molecule_ids]
                    self._expected |= {job: known[job] for job in jobs if job in known}
                    self.of_stages[stage].hand_out(molecule_ids)
            case Ranked(_, molecule_ids, means, stds):
                self.n_rankings += 1
                if event.stage not in ("", self.stage):
                    self.of_stages[event.stage].propose(event)
                    return
                jobs = [Job(one, self.stage) for one in molecule_ids]
                # without a model there are none
                self.predicted = dict(zip(jobs, zip(means, stds, strict=True), strict=False))
            case Stopped():
                self.stopped = event

    def take_outcome(self, item: Simulated) -> None:
        """Take in an outcome."""
        self.time_s = max(self.time_s, item.time_s)
        self.n_ended += 1
        self.recent = [item, *self.recent[: N_RECENT - 1]]
        if item.worker:
            self.tasks.append(Task(Work.SIMULATE, item.worker, item.began_s, item.ended_s))
        expected = self._expected.pop(item.job, None)
        if isinstance(item.outcome, Failure) and item.stage == self.stage:
            self.failures[item.outcome.kind] += 1
            self.messages.take(item.outcome)
        self.of_stages.take(item, item.value(self.objective.quantity.name), self.stage)
        value = self.found(item)
        if value is None:
            return
        self.times_s.append(item.time_s)
        self.values.append(value)
        self.proposals.append(item.proposal)
        is_flagged, point = looked_at(item, value, self.objective, self.goal)
        self.are_flagged.append(is_flagged)
        self.n_broken += not point
        if point and item.molecule_id in self.left_out:
            point = ()
            self.n_left_out += 1
        if point and (self.objective.keeps_flagged or not is_flagged):
            self.n_beyond += self.objective.is_beyond_threshold(value)
        if expected is not None:
            self.pairs.extend((*expected, value))
            self.paired.append(item.proposal)
            self.errors.add(*expected, value)
        self._flat_points.extend(point or [nan] * self._n_objectives)
        if point:
            self._best = self._best or Best(self.n_kept)
            self._best.add(point, item, is_flagged=is_flagged)

    def search_for(self, objective: Objective) -> None:
        """Take another threshold, or what becomes of flagged values, as a resumed run may."""
        self.objective = objective
        self.n_beyond = self.n_beyond_of_last()

    def anew(self) -> "Record":
        """Return one that has taken in nothing, by the conditions that are in force now."""
        stated = self.objective, self.stage, self.n_kept
        return Record(*stated, goal=self.goal, left_out=self.told_left_out)

    def __copy__(self) -> "Record":
        """Return one that later outcomes do not change."""
        growing = (list, dict, array, Best, Errors, Tasks)
        own: dict[str, Any] = {
            name: copy(one) for name, one in vars(self).items() if isinstance(one, growing)
        }
        return replace(self, **own)
