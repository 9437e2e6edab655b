"""Rank a library for several objectives, or within constraints: a model a quantity.

The steps of :mod:`molloop.search.rank`, where there is more than one objective alone.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from molloop.goal import Goal
from molloop.library.features import for_models
from molloop.library.shard import Shard, ShardRef
from molloop.search.aim import Aim, holding
from molloop.search.beliefs import Beliefs
from molloop.search.candidates import CHUNK, Candidates, best_of_draws, table_of
from molloop.search.chain import Chain
from molloop.search.chance import Chance
from molloop.search.difference import Difference
from molloop.search.diversity import apart_of, fingerprints_of
from molloop.search.policy import Policy, as_learnt, best_as_learnt, fitted
from molloop.search.training import Training
from molloop.surrogate.model import Features, Floats, Surrogate, load, save
from molloop.surrogate.registry import model_class

if TYPE_CHECKING:
    from molloop.search.rank import RankTask


def fit(task: "RankTask") -> Path:
    """Fit and save a model of each quantity, and the chance of a value where some have failed.

    In a run of several stages also the difference of each from one to the next.
    """
    goal, training = _goal(task), Training.read(task.training)
    rng = np.random.default_rng(task.seed)
    features, values = training.features[training.order], training.values[training.order]
    sought = goal.sought
    for place, path in _model_paths(task).items():
        are_sought = place in sought
        save(_fitted(task.policy, features, values[:, place], rng, are_sought=are_sought), path)
    for number, pairs in enumerate(training.pairs):
        Difference.fit(pairs, rng).write(task.difference(number))
    for number, tried in enumerate(_tried(task, features, values, training)):
        Chance.fit(*tried, rng).write(task.chance(number))
    return _model_paths(task)[goal.place(goal.objective.quantity)]


def _tried(
    task: "RankTask", features: Features, values: Floats, training: Training
) -> list[tuple[Features, Features]]:
    """Return the features of what went well and of what did not, where that teaches something.

    First the molecules that failed; then those with a value of the first quantity alone; then
    those that failed, or lack a quantity, in the stages above.
    """
    if not task.policy.learns_failures:
        return []
    lacks = np.isnan(values[:, list(_model_paths(task))]).any(axis=1)
    tried = [
        (features, training.failed),
        (features[~lacks], features[lacks]),
        *(one.tried for one in training.pairs if one.place == 0),
    ]
    return [one for one in tried if Chance.can_learn(one[1])]


def _fitted(
    policy: Policy,
    features: Features,
    values: Floats,
    rng: np.random.Generator,
    *,
    are_sought: bool,
) -> Surrogate:
    """Return a model of the values that are there; without any, all molecules are alike."""
    has_value = ~np.isnan(values)
    if not has_value.any():
        return fitted(policy, features, np.zeros(len(values)), rng)
    return fitted(policy, features[has_value], values[has_value], rng, are_sought=are_sought)


def scan(task: "RankTask", shard: ShardRef, n: int) -> Path:
    """Write the best n molecules of a shard for each draw that have not been tried."""
    goal, (beliefs, training) = _goal(task), learnt(task)
    opened = Shard(shard)
    kept, known = opened.features(task.policy.features), known_of(goal, opened)
    is_open = holding(goal, known.T, only_known=True)
    if opened.meant is not None:
        is_open &= opened.meant
    highs, stds = np.zeros(known.shape), np.zeros(known.shape)
    log_chance, about = np.zeros(shard.n_molecules), np.zeros(shard.n_molecules)
    for start in range(0, shard.n_molecules, CHUNK):
        rows: Any = slice(start, start + CHUNK)  # not copied
        if not (part := is_open[rows]).all():
            rows = start + np.flatnonzero(part)
        if part.any():
            features = for_models(kept[rows], training.scaling)
            found = beliefs.screen(features, known[:, rows])
            highs[:, rows], stds[:, rows], log_chance[rows], about[rows] = found
    tried = training.tried - shard.first_id
    is_open[tried[(tried >= 0) & (tried < shard.n_molecules)]] = False

    def exact(rows: NDArray[np.intp]) -> Candidates:
        features = for_models(kept[rows], training.scaling)
        means, deviations, chance = beliefs.predict(features, known[:, rows])
        return table_of(
            id=shard.first_id + rows,
            mean=means.T,
            std=deviations.T,
            log_chance=chance,
            features=features,
            **fingerprints_of(task.policy, opened, rows),
        )

    chosen = best_of_draws(
        is_open,
        beliefs.aim.n_draws,
        n,
        lambda draw: beliefs.score(draw, highs, stds, log_chance),
        lambda draw: beliefs.score(draw, highs, stds, about),
        lambda draw, some: _scores(beliefs, draw, some),
        exact,
    )
    path = task.folder / f"best-{n}-of-{shard.first_id}.npy"
    np.save(path, chosen)
    return path


def merge(task: "RankTask", n: int, *paths: Path) -> tuple[Candidates, bool]:
    """Choose from the best n molecules of all shards, one by one, each by a draw of its own.

    What was chosen before, and what is pending, is believed to turn out as predicted; only the
    deviations of objectives shrink by that, and the probability of a constraint stays what it was.
    So being chosen from later only lowers a score, and what the scans left out can be forgotten as
    long as every chosen molecule still ranks before, or is, the last of the best n of its draw.

    Returns
    -------
    The chosen ones, and whether they are those of the whole library.
    """
    beliefs, training = learnt(task)
    found = np.concatenate([np.load(path, allow_pickle=False) for path in paths])
    if len(found) == 0:
        return found, True
    apart = apart_of(task.policy, found, training)
    choice = beliefs.choose(found, training.pending, task.n, apart)
    chosen = found[choice.rows]
    if len(found) < n:  # all that there are
        return chosen, True
    if len(chosen) < task.n:  # the same ones are the best of several draws, or too much alike
        return chosen, False
    for draw in range(beliefs.aim.n_draws):
        scores = _scores(beliefs, draw, found)
        row = np.lexsort((found["id"], -scores))[n - 1]
        last = scores[row], -found["id"][row]
        picks = slice(draw, None, beliefs.aim.n_draws)
        own = zip(choice.scores[picks], -chosen["id"][picks], strict=True)
        if any(pair < last for pair in own):
            return chosen, False
    return chosen, True


def _scores(beliefs: Beliefs, draw: int, some: Candidates) -> Floats:
    return beliefs.score(draw, some["mean"].T, some["std"].T, some["log_chance"])


def known_of(goal: Goal, shard: Shard) -> Floats:
    """Return the values that a library knows, signed, shape (q, n); 0 of the others."""
    found = np.zeros((len(goal.quantities), shard.ref.n_molecules))
    for place, one in enumerate(goal.quantities):
        if one.descriptor:
            found[place] = goal.signs[place] * shard.known(one.descriptor)
    return found


def _goal(task: "RankTask") -> Goal:
    assert task.goal is not None
    return task.goal


def _model_paths(task: "RankTask") -> dict[int, Path]:
    """Return the files of the models, by their columns."""
    quantities = enumerate(_goal(task).quantities)
    return {
        place: task.folder / f"model-{place}.npz" for place, one in quantities if not one.descriptor
    }


@lru_cache(maxsize=1)
def learnt(task: "RankTask") -> tuple[Beliefs, Training]:
    """Read what a ranking goes by, once for all its tasks that this process runs."""
    training = Training.read(task.training)
    kind = model_class(task.policy.model)
    models = {
        place: _chained(task, training, place, load(kind, path))
        for place, path in _model_paths(task).items()
    }
    tried = _tried(task, training.features, training.values, training)
    chances = tuple(Chance.read(task.chance(place)) for place in range(len(tried)))
    rng = np.random.default_rng([*task.seed, task.n_draws])
    known = _known_as_learnt(task, training, models)
    aim = Aim.of(_goal(task), task.policy.acquisition, *known, task.n_draws, rng)
    return Beliefs(aim, models, chances), training


def _chained(
    task: "RankTask", training: Training, place: int, model: Surrogate
) -> Surrogate | Chain:
    """Return what is believed of the last value of a quantity, by its model for the first stage."""
    numbers = [k for k, one in enumerate(training.pairs) if one.place == place]
    return (
        Chain(model, [Difference.read(task.difference(k)) for k in numbers]) if numbers else model
    )


def _known_as_learnt(
    task: "RankTask", training: Training, models: Mapping[int, Surrogate | Chain]
) -> tuple[Floats, float]:
    """Return values and the best first one that counts, as the models have learnt them.

    In a run of several stages what the values of the first one come to in the last one.
    """
    values, best = training.values.copy(), training.best
    sought = _goal(task).sought
    for place, model in models.items():
        has_value = ~np.isnan(values[:, place])
        column = values[has_value, place]
        if not len(column):
            continue
        if place in sought:
            if place == 0 and not training.pairs and not isnan(best):
                best = best_as_learnt(task.policy, column, best)
            column = as_learnt(task.policy, column)
        values[has_value, place] = model.usual(column) if isinstance(model, Chain) else column
    return values, float(np.nanmin(values[:, 0])) if isnan(best) else best
