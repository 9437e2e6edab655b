"""The published exercise: the settings that find the best molecules in the shortest time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from molloop.config.load import override
from molloop.config.settings import Settings
from molloop.library.shards import Progress
from molloop.replay.campaign import Scenario
from molloop.replay.compare import replay_all
from molloop.replay.measures import Curves, Truth
from molloop.replay.table import Table
from molloop.surrogate.registry import MODELS, RANDOM

OBJECTIVES = ("best", "recall")
# models that are tried with another acquisition than their own, too
VARIANTS = ("gp-ei", "gp-greedy", "ridge-ucb")
POLICY_NAMES = tuple(
    one
    for name in MODELS.own
    if name != RANDOM
    for one in (name, *(other for other in VARIANTS if other.startswith(f"{name}-")))
)
MOST = 64  # of initial molecules, of a batch, of new values before a training
# seeds a configuration in each round, and the share of the last round's that it is played with
ROUNDS = ((1, 1.0), (3, 0.4), (10, 0.5))
N_UNSEEN = 10
NEARLY = 0.01  # of all that there is to gain: within it, the shorter time wins


@dataclass(frozen=True, eq=False)
class Trial:
    """A configuration, and what it finds.

    Attributes
    ----------
    value
        Of the objective at the end, the mean over seeds.
    time_s
        After which that was reached, the mean over seeds.
    n_simulations
        After which it was reached with every seed.
    """

    settings: Settings
    value: float
    time_s: float
    n_simulations: int


@dataclass(frozen=True, eq=False)
class Tuned:
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
    """

    trials: tuple[Trial, ...]
    front: tuple[Trial, ...]
    best: Trial
    unseen: tuple[Trial, Trial]


@dataclass(frozen=True, eq=False)
class Search:
    """A search for the largest value, or recall, in the shortest time.

    Random configurations, of which the better part goes on to the next round, with more seeds:
    successive halving, Jamieson and Talwalkar, AISTATS 2016, arXiv:1502.07943. A campaign passes
    all smaller budgets on its way, so the `max_training_count` that suffices is read off.

    Attributes
    ----------
    settings
        Where it begins; its own `max_training_count` is the largest budget.
    objective
        ``best``, the largest value, or ``recall``.
    top_k
        Molecules that recall looks at.
    n_trials
        Configurations of the first round.
    """

    settings: Settings
    table: Table
    scenario: Scenario = field(default_factory=Scenario)
    objective: str = "best"
    top_k: int = 100
    n_trials: int = 60
    seed: int = 0
    n_processes: int = 1

    def run(self, progress: Progress = lambda _what, _fraction: None) -> Tuned:
        """Run it."""
        rng = np.random.default_rng([self.seed, 2])
        n_seeds = ROUNDS[-1][0]
        seeds = rng.choice(2**31, size=n_seeds + N_UNSEEN, replace=False).tolist()
        configurations = [self.settings]
        configurations += [draw(self.settings, rng) for _ in range(self.n_trials - 1)]
        trials: list[Trial] = []
        for number, (n, share) in enumerate(ROUNDS, start=1):
            if trials:
                kept = self.ordered(trials)[: max(2, round(share * len(trials)))]
                # where it begins is never lost by chance
                again = [self.settings, *(trial.settings for trial in kept)]
                configurations = list(dict.fromkeys(again))
            what = f"trying configurations (round {number} of {len(ROUNDS)})"
            trials = self._play(configurations, seeds[:n], what, progress)
        best = self.ordered(trials)[0]
        chosen = _with_budget(best.settings, best.n_simulations)
        unseen = self._play(
            [chosen, self.settings], seeds[n_seeds:], "checking on unseen seeds", progress
        )
        return Tuned(tuple(trials), tuple(pareto(trials, self._sign)), best, (unseen[0], unseen[1]))

    def _play(
        self, configurations: Sequence[Settings], seeds: Sequence[int], what: str, report: Progress
    ) -> list[Trial]:
        """Replay each configuration with each seed."""
        jobs = [override(one, {"campaign.seed": key}) for one in configurations for key in seeds]
        curves: list[Curves] = []
        report(what, 0.0)
        for one in replay_all(jobs, self.table, self._truth(), self.scenario, self.n_processes):
            curves.append(one)
            report(what, len(curves) / len(jobs))
        n = len(seeds)
        return [
            judge(one, curves[n * place : n * (place + 1)], self.objective, self._worst)
            for place, one in enumerate(configurations)
        ]

    def _truth(self) -> Truth:
        return Truth.of(self.table.values, self.settings.target().sign, self.top_k)

    @property
    def _worst(self) -> float:
        return self._truth().worst if self.objective == "best" else 0.0

    @property
    def _sign(self) -> int:
        return self.settings.target().sign if self.objective == "best" else 1

    def ordered(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return the best first: those that find nearly all by their time, then others by value."""
        truth, sign, gain = self._truth(), self._sign, 1.0
        if self.objective == "best":
            gain = sign * (truth.best - float(np.nanmedian(truth.values)))
        least = max(sign * trial.value for trial in trials) - NEARLY * gain
        near = [trial for trial in trials if sign * trial.value >= least]
        others = [trial for trial in trials if sign * trial.value < least]
        by_value = sorted(others, key=lambda trial: (-sign * trial.value, trial.time_s))
        return [*sorted(near, key=lambda trial: trial.time_s), *by_value]


def judge(settings: Settings, curves: Sequence[Curves], objective: str, worst: float) -> Trial:
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


def pareto(trials: Sequence[Trial], sign: int) -> list[Trial]:
    """Return those that no other is better than in both value and time, the fastest first."""
    front: list[Trial] = []
    for trial in sorted(trials, key=lambda one: (one.time_s, -sign * one.value)):
        if not front or sign * trial.value > sign * front[-1].value:
            front.append(trial)
    return front


def draw(settings: Settings, rng: np.random.Generator) -> Settings:
    """Draw a configuration at random, of the same budget."""
    n = settings.campaign.max_training_count
    schedule = str(rng.choice(["batch", "interleaved"]))
    changes: dict[str, Any] = {
        "search.policy": str(rng.choice(POLICY_NAMES)),
        "campaign.schedule": schedule,
        "campaign.initial_training_count": min(n - 1, _log_uniform(rng, 2, MOST)),
    }
    if schedule == "batch":
        changes["campaign.batch_size"] = _log_uniform(rng, 1, MOST)
    else:
        changes["campaign.retrain_after"] = _log_uniform(rng, 1, MOST)
    return override(settings, changes)


def _log_uniform(rng: np.random.Generator, least: int, most: int) -> int:
    return round(float(np.exp(rng.uniform(np.log(least), np.log(most)))))


def _with_budget(settings: Settings, n: int) -> Settings:
    # failures were simulations too, but are no values
    n = min(n, settings.campaign.max_training_count)
    least = settings.campaign.initial_training_count + 1
    return override(settings, {"campaign.max_training_count": max(least, n)})
