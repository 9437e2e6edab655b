"""A configuration becomes what replays play: cases, baselines, and the space of a search."""

from dataclasses import dataclass
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from molloop.assembly.reading import training_reading
from molloop.assembly.schedule import make_course
from molloop.config.load import override
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.library.selection import Selection
from molloop.replay.campaign import Case, Scenario
from molloop.replay.table import Table
from molloop.search.policy import policy_named
from molloop.surrogate.registry import MODELS, RANDOM

BASELINES = ("random", "train-once", "published")
# models that a search tries with another acquisition than their own, too
VARIANTS = ("gp-ei", "gp-greedy", "ridge-ucb")
POLICY_NAMES = tuple(
    one
    for name in MODELS.own
    if name != RANDOM
    for one in (name, *(other for other in VARIANTS if other.startswith(f"{name}-")))
)
SPREAD = 4  # so many times as many values of a stage above, or as few, a search tries
MOST = 64  # of initial molecules, of a batch, of new values before a training


def case_of(settings: Settings, table: Table, scenario: Scenario, seed: int) -> Case:
    """Return what is played of a configuration with a seed, which takes the place of its own."""
    settings = override(settings, {"campaign.seed": seed})
    training_data = settings.campaign.training_data
    course = make_course(
        settings,
        table.selection or Selection.of_all(table.library),
        scenario.n_workers,
        settings.protocols(),
    )
    return Case(
        course.schedule,
        settings.policy(),
        settings.objective(),
        seed,
        Path(training_data) if training_data else None,
        settings.campaign.grace_s,
        settings.stopping.time_limit_s or inf,
        settings.campaign.training_column,
        settings.campaign.training_level,
        training_reading(settings),
        settings.protocols() if settings.stages else (),
        course.above,
        course.stopping,
        settings.goal().wider,
    )


def budget(settings: Settings) -> int:
    """Return how many values a configuration that is compared with others asks for.

    Raises
    ------
    InputError
        It has a time limit and no count.
    """
    n = settings.campaign.max_training_count
    if n is None:
        expected = "a count, which all that is compared share"
        raise InputError(
            "campaign.max_training_count", n, expected, "Give one beside stopping.time_limit_s."
        )
    return n


def baselines(settings: Settings) -> dict[str, Settings]:
    """Return what every policy is compared with.

    ``random`` molecules; ``train-once``: half of the budget random, the model trained on it once,
    the other half what it finds best; ``published``: the tutorial's model, in batches.
    """
    n = budget(settings)
    # all play to the end of the budget, and as they are published
    unset = ("stopping.patience", "stopping.min_gain", "search.diversity")
    settings = override(settings, dict.fromkeys(unset))
    once: dict[str, Any] = {
        "campaign.schedule": "batch",
        "campaign.initial_training_count": n // 2,
        "campaign.batch_size": n - n // 2,
    }
    published = {
        "search.policy": "published",
        "search.features": None,
        "campaign.schedule": "batch",
    }
    changes: tuple[dict[str, Any], ...] = ({"search.policy": "random"}, once, published)
    return {
        name: override(settings, change) for name, change in zip(BASELINES, changes, strict=True)
    }


@dataclass(frozen=True)
class SettingsSpace:
    """The configurations that a search tries.

    Attributes
    ----------
    start
        Where it begins; its own `max_training_count` is the largest budget.
    """

    start: Settings
    table: Table
    scenario: Scenario

    def draw(self, rng: np.random.Generator) -> Settings:
        """Draw one at random, of the same budget."""
        n = budget(self.start)
        schedule = str(rng.choice(["batch", "interleaved"]))
        changes: dict[str, Any] = {
            "search.policy": str(rng.choice(self._policy_names())),
            "campaign.schedule": schedule,
            "campaign.initial_training_count": min(n - 1, _log_uniform(rng, 2, MOST)),
        }
        if schedule == "batch":
            changes["campaign.batch_size"] = _log_uniform(rng, 1, MOST)
        else:
            changes["campaign.retrain_after"] = _log_uniform(rng, 1, MOST)
        if self.start.stages:
            changes["stages"] = self._stages(rng)
        return override(self.start, changes)

    def _stages(self, rng: np.random.Generator) -> list[dict[str, Any]]:
        """Draw the counts of the stages above the first, or their shares where those are given."""
        drawn: list[dict[str, Any]] = []
        below = budget(self.start)
        for stage, count in zip(self.start.stages, self.start.max_counts(), strict=True):
            own = stage.model_dump(exclude_unset=True)
            if drawn and stage.share is not None:
                own["share"] = round(stage.share * float(rng.uniform(1 / SPREAD, 1)), 3)
            elif drawn:
                most = min(below, SPREAD * (count or below))
                below = own["max_count"] = _log_uniform(rng, max(1, most // SPREAD**2), most)
            drawn.append(own)
        return drawn

    def _policy_names(self) -> tuple[str, ...]:
        names = _policy_names(self.start.search.features)
        if self.start.goal().has_front:
            return tuple(one for one in names if not one.endswith("-ei"))
        return names

    def with_budget(self, one: Settings, n: int) -> Settings:
        """Return one that ends after n simulations at most; a ladder stays as it is."""
        if one.stages:  # which of its stages' simulations were needed is not known
            return one
        # failures were simulations too, but are no values
        n = min(n, budget(one))
        least = one.campaign.initial_training_count + 1
        return override(one, {"campaign.max_training_count": max(least, n)})

    def case(self, one: Settings, seed: int) -> Case:
        """Return what is played of it."""
        return case_of(one, self.table, self.scenario, seed)


@cache
def _policy_names(features: str | None) -> tuple[str, ...]:
    """Return the policies that a search tries: those whose models can learn from some features."""

    def learns(name: str) -> bool:
        try:
            policy_named(name, features)
        except InputError:
            return False
        return True

    return tuple(filter(learns, POLICY_NAMES))


def describe(settings: Settings) -> str:
    """Return the settings that a search varies, in a line."""
    campaign = settings.campaign
    pace = (
        f"batches of {campaign.batch_size}"
        if campaign.schedule == "batch"
        else f"retrained after {campaign.retrain_after or 'as many as pay'}"
    )
    told = f"{settings.search.policy}, {campaign.initial_training_count} initial, {pace}, "
    if not settings.stages:
        return f"{told}{campaign.max_training_count} in all"
    counts = [
        f"{stage.share:.0%}" if stage.share is not None else f"{count}"
        for stage, count in zip(settings.stages, settings.max_counts(), strict=True)
    ]
    return f"{told}{' then '.join(counts)} of the stages"


def _log_uniform(rng: np.random.Generator, least: int, most: int) -> int:
    return round(float(np.exp(rng.uniform(np.log(least), np.log(most)))))
