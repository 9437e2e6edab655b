"""The published exercise: the settings that find the best molecules in the shortest time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np

from molloop.library.shards import Progress
from molloop.replay.campaign import Case, Scenario
from molloop.replay.compare import replay_all
from molloop.replay.measures import Curves, Truth
from molloop.replay.table import Table

OBJECTIVES = ("best", "recall")
FRONT_OBJECTIVES = ("hypervolume", "recall")  # where several quantities are searched for
# seeds a configuration in each round, and the share of the last round's that it is played with
ROUNDS = ((1, 1.0), (3, 0.4), (10, 0.5))
N_UNSEEN = 10
NEARLY = 0.01  # of all that there is to gain: within it, the shorter time wins

C = TypeVar("C")  # a configuration: who searches among them knows what it is


class Space(Protocol[C]):
    """The configurations that a search tries; those that are equal are the same one."""

    @property
    def start(self) -> C:
        """Where the search begins; its own budget is the largest."""

    def draw(self, rng: np.random.Generator) -> C:
        """Draw one at random, of the same budget."""

    def with_budget(self, one: C, n: int) -> C:
        """Return one that ends after n simulations at most."""

    def case(self, one: C, seed: int) -> Case:
        """Return what is played of it."""


@dataclass(frozen=True, eq=False)
class Trial(Generic[C]):
    """A configuration, and what it finds.

    Attributes
    ----------
    settings
        The configuration.
    value
        Of the objective at the end, the mean over seeds.
    time_s
        After which that was reached, the mean over seeds.
    n_simulations
        After which it was reached with every seed.
    """

    settings: C
    value: float
    time_s: float
    n_simulations: int


@dataclass(frozen=True, eq=False)
class Tuned(Generic[C]):
    """What a search has found.

    Attributes
    ----------
    trials
        Of the last round.
    front
        Of those, each that no other beats in both value and time, the fastest first.
    best
        The fastest of those that find nearly all that any does.
    unseen
        The best, and the configuration that the search began with, with seeds that were not used
        in the search.
    remarks
        On the table, in words.
    """

    trials: tuple[Trial[C], ...]
    front: tuple[Trial[C], ...]
    best: Trial[C]
    unseen: tuple[Trial[C], Trial[C]]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Search(Generic[C]):
    """A search for the largest value, or recall, in the shortest time.

    Random configurations, of which the better part goes on to the next round, with more seeds:
    successive halving, Jamieson and Talwalkar, AISTATS 2016, arXiv:1502.07943. A campaign passes
    all smaller budgets on its way, so the `max_training_count` that suffices is read off.

    Attributes
    ----------
    objective
        ``best``, the best value, or ``recall``; of several objectives ``hypervolume`` or recall.
    n_trials
        Configurations of the first round.
    """

    space: Space[C]
    table: Table
    truth: Truth
    scenario: Scenario = field(default_factory=Scenario)
    objective: str = "best"
    n_trials: int = 60
    seed: int = 0
    n_processes: int = 1

    def run(self, progress: Progress = lambda _what, _fraction: None) -> Tuned[C]:
        """Run it."""
        rng = np.random.default_rng([self.seed, 2])
        n_seeds = ROUNDS[-1][0]
        seeds = rng.choice(2**31, size=n_seeds + N_UNSEEN, replace=False).tolist()
        start = self.space.start
        configurations = [start, *(self.space.draw(rng) for _ in range(self.n_trials - 1))]
        trials: list[Trial[C]] = []
        for number, (n, share) in enumerate(ROUNDS, start=1):
            if trials:
                kept = self.ordered(trials)[: max(2, round(share * len(trials)))]
                # where it begins is never lost by chance
                configurations = list(dict.fromkeys([start, *(one.settings for one in kept)]))
            what = f"trying configurations (round {number} of {len(ROUNDS)})"
            trials = self._play(configurations, seeds[:n], what, progress)
        best = self.ordered(trials)[0]
        chosen = self.space.with_budget(best.settings, best.n_simulations)
        unseen = self._play([chosen, start], seeds[n_seeds:], "checking on unseen seeds", progress)
        return Tuned(tuple(trials), tuple(pareto(trials, self._sign)), best, (unseen[0], unseen[1]))

    def _play(
        self, configurations: Sequence[C], seeds: Sequence[int], what: str, report: Progress
    ) -> list[Trial[C]]:
        """Replay each configuration with each seed."""
        jobs = [self.space.case(one, seed) for one in configurations for seed in seeds]
        curves: list[Curves] = []
        report(what, 0.0)
        for one in replay_all(jobs, self.table, self.truth, self.scenario, self.n_processes):
            curves.append(one)
            report(what, len(curves) / len(jobs))
        n = len(seeds)
        return [
            judge(one, curves[n * place : n * (place + 1)], self.objective, self._worst)
            for place, one in enumerate(configurations)
        ]

    @property
    def _worst(self) -> float:
        return self.truth.worst if self.objective == "best" else 0.0

    @property
    def _sign(self) -> int:
        return self.truth.sign if self.objective == "best" else 1

    def ordered(self, trials: Sequence[Trial[C]]) -> list[Trial[C]]:
        """Return the best first: those that find nearly all by their time, then others by value."""
        truth, sign, gain = self.truth, self._sign, 1.0
        if self.objective == "best":
            gain = sign * (truth.best - float(np.nanmedian(truth.values)))
        least = max(sign * trial.value for trial in trials) - NEARLY * gain
        near = [trial for trial in trials if sign * trial.value >= least]
        others = [trial for trial in trials if sign * trial.value < least]
        by_value = sorted(others, key=lambda trial: (-sign * trial.value, trial.time_s))
        return [*sorted(near, key=lambda trial: trial.time_s), *by_value]


def judge(settings: C, curves: Sequence[Curves], objective: str, worst: float) -> Trial[C]:
    """Return what a configuration finds, from its replays.

    Where it finds nothing or fails, that is worth the worst value.
    """
    values, times_s, counts = [], [], []
    for one in curves:
        column = np.nan_to_num(getattr(one, objective), nan=worst)
        if one.failure:
            column[:] = worst
        place = int(np.argmax(column == column[-1]))  # where the last value was first reached
        values.append(float(column[-1]))
        times_s.append(float(one.times_s[place]))
        counts.append(place + 1)
    return Trial(settings, float(np.mean(values)), float(np.mean(times_s)), max(counts))


def pareto(trials: Sequence[Trial[C]], sign: int) -> list[Trial[C]]:
    """Return those that no other is better than in both value and time, the fastest first."""
    front: list[Trial[C]] = []
    for trial in sorted(trials, key=lambda one: (one.time_s, -sign * one.value)):
        if not front or sign * trial.value > sign * front[-1].value:
            front.append(trial)
    return front
