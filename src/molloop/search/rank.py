"""Rank a library: fit a model, scan shard by shard, merge the best of each, choose a batch.

Functions that pass files and small values, so that each can be a task on another node. The result
does not depend on the number of shards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molloop.goal import Goal
from molloop.library.features import for_models
from molloop.library.shard import Shard, ShardRef
from molloop.search import goals
from molloop.search.acquisition import ACQUISITIONS, Circumstances, failure_value
from molloop.search.aim import n_weighings
from molloop.search.batch import choose
from molloop.search.candidates import CHUNK, Candidates, best, best_by_bound, table_of
from molloop.search.chain import Chain
from molloop.search.chance import Chance, chances_of
from molloop.search.difference import Difference
from molloop.search.diversity import apart_of, fingerprints_of
from molloop.search.policy import Policy, as_learnt, best_as_learnt, fitted
from molloop.search.training import Training
from molloop.surrogate.model import Features, Floats, Surrogate, load, save
from molloop.surrogate.registry import model_class

CANDIDATES_PER_PICK = 64
MAX_CANDIDATES = 4096  # but for so many picks that it would be fewer than MIN_PER_PICK each
MIN_PER_PICK = 4
WIDER = 8  # a scan that did not suffice is made again for so many times the candidates


@dataclass(frozen=True, slots=True)
class RankTask:
    """What the tasks of a ranking share.

    Attributes
    ----------
    folder
        That all workers see, of this ranking alone; training data, model and candidates pass
        through it.
    n
        Molecules to choose.
    seed
        Of whatever the model draws.
    goal
        Where it is more than one objective: see ``molloop.search.goals``.
    """

    folder: Path
    policy: Policy
    n: int
    seed: tuple[int, int]
    goal: Goal | None = None

    @property
    def training(self) -> Path:
        """File of the training data."""
        return self.folder / "training.npz"

    def difference(self, place: int) -> Path:
        """File of what is learnt of the difference from a stage to the next."""
        return self.folder / f"difference-{place}.npz"

    @property
    def n_draws(self) -> int:
        """How many weighings of several objectives there are, by which picks take turns."""
        return 1 if self.goal is None else n_weighings(self.goal, self.n)

    @property
    def n_candidates(self) -> int:
        """How many a shard returns at first, for each weighing."""
        n = -(-self.n // self.n_draws)
        # a draw's picks are also chosen in the light of those of the other draws
        wanted = CANDIDATES_PER_PICK * n * (1 if self.n_draws == 1 else 2)
        return max(min(wanted, MAX_CANDIDATES // self.n_draws), MIN_PER_PICK * n)

    def chance(self, place: int) -> Path:
        """File of what failures teach, of those that teach something."""
        return self.folder / f"chance-{place}.npz"

    def n_chances(self, training: Training) -> int:
        """In how many stages something has failed from which it learns."""
        failed = [training.failed, *(one.tried[1] for one in training.pairs)]
        return sum(map(Chance.can_learn, failed)) if self.policy.learns_failures else 0


@dataclass(frozen=True, eq=False)
class Learnt:
    """What a ranking goes by; there are no `chances` where it has learnt from no failure."""

    task: RankTask
    training: Training
    model: Surrogate | Chain
    chances: Sequence[Chance]

    def circumstances(self, ids: NDArray[np.int64], features: Features) -> Circumstances:
        """Return what an acquisition may look at for molecules, shapes (n,) and (n, width)."""
        given = Circumstances(ids, self._best, self.task.seed)
        if not self.chances:
            return given
        chance = np.prod([one.of(features) for one in self.chances], axis=0)
        return replace(given, chance=chance, if_failed=self._if_failed)

    @cached_property
    def _best(self) -> float:
        """The best value that counts, as predictions have it."""
        if isinstance(self.model, Chain):
            return self.training.best  # of the last stage, whose values are taken as they are
        return best_as_learnt(self.task.policy, self.training.values, self.training.best)

    @cached_property
    def _if_failed(self) -> float:
        """What a failure counts as, as predictions have it."""
        values = self.training.values[self.training.order]
        low = failure_value(as_learnt(self.task.policy, values))
        return self.model.usual(low) if isinstance(self.model, Chain) else low


@dataclass(frozen=True, eq=False)
class Merged:
    """The chosen molecules, best first, and whether they are those of the whole library.

    Attributes
    ----------
    ids, means, stds
        Of each, shape (n,); the standard deviation is the one before any other was chosen. For
        several objectives or constraints, of each quantity, shape (n, q).
    is_exact
        False where a molecule that no scan returned might have been chosen instead.
    unresolved_std
        In a run of several stages, mean of the deviation that is left once the value of the first
        one is known.
    """

    ids: NDArray[np.int64]
    means: Floats
    stds: Floats
    is_exact: bool
    unresolved_std: float = 0.0


def fit(task: RankTask) -> Path:
    """Fit the model, and the chance of a value where something has failed, and save them."""
    if task.goal is not None:
        return goals.fit(task)
    training = Training.read(task.training)
    rng = np.random.default_rng(task.seed)
    features, values = training.features[training.order], training.values[training.order]
    training = replace(training, features=features)  # so that they are not there twice
    model = fitted(task.policy, features, values, rng)
    path = task.folder / "model.npz"
    save(model, path)
    for place, pairs in enumerate(training.pairs):
        Difference.fit(pairs, rng).write(task.difference(place))
    if task.policy.learns_failures:
        tried = [
            (features, training.failed),
            *(one.tried for one in training.pairs),
        ]
        for place, chance in enumerate(chances_of(tried, rng)):
            chance.write(task.chance(place))
    return path


def scan(task: RankTask, shard: ShardRef, n: int, model_path: Path) -> Path:
    """Write the best n molecules of a shard that have not been tried; return the file.

    Of a selection, those that it means: what they are worth does not depend on the others.
    """
    if task.goal is not None:
        return goals.scan(task, shard, n)
    learnt = _load(task, model_path)
    model, training = learnt.model, learnt.training
    opened = Shard(shard)
    kept = opened.features(task.policy.features)

    def features(rows: Any) -> Features:
        return for_models(kept[rows], training.scaling)

    acquisition = ACQUISITIONS[task.policy.acquisition]
    bound = np.full(shard.n_molecules, -np.inf)
    for start in range(0, shard.n_molecules, CHUNK):
        part = np.arange(start, min(start + CHUNK, shard.n_molecules))
        rows: Any = slice(start, start + CHUNK)  # not copied
        if opened.meant is not None:
            rows = part = part[opened.meant[part]]
        if len(part):
            columns = features(rows)
            given = learnt.circumstances(shard.first_id + part, columns)
            bound[part] = acquisition(*model.screen(columns), given)
    tried = training.tried - shard.first_id
    bound[tried[(tried >= 0) & (tried < shard.n_molecules)]] = -np.inf

    def exact(rows: NDArray[np.intp]) -> Candidates:
        columns = features(rows)
        mean, std = model.predict(columns)
        ids = shard.first_id + rows
        score = acquisition(mean, std, learnt.circumstances(ids, columns))
        others = fingerprints_of(task.policy, opened, rows)
        return table_of(id=ids, mean=mean, std=std, score=score, features=columns, **others)

    path = task.folder / f"best-{n}-of-{shard.first_id}.npy"
    np.save(path, best_by_bound(bound, n, exact))
    return path


def merge(task: RankTask, n: int, model_path: Path, *paths: Path) -> Merged:
    """Choose from the best n molecules of all shards.

    Being chosen from later only lowers a score. So what the scans left out can be forgotten as
    long as every chosen molecule still ranks before, or is, the last of the best n. The same holds
    where some are too near to what was chosen: they cannot be chosen any more.
    """
    if task.goal is not None:
        some, is_exact = goals.merge(task, n, *paths)
        return Merged(some["id"], some["mean"], some["std"], is_exact)
    parts = (np.load(path, allow_pickle=False) for path in paths)
    found = next(parts)
    is_all = len(found) < n
    for part in parts:
        is_all = is_all and len(found) + len(part) < n
        found = best(np.concatenate([found, part]), n)
    if len(found) == 0:
        nothing = np.empty(0)
        return Merged(nothing.astype(np.int64), nothing, nothing, is_exact=True)
    learnt = _load(task, model_path)
    n_found, pending = len(found), learnt.training.pending
    features = np.concatenate([found["features"], pending])
    joint = learnt.model.joint(features)
    # what the scans said of a candidate holds to the last bit
    joint.mean[:n_found], joint.variance[:n_found] = found["mean"], found["std"] ** 2
    ids = np.concatenate([found["id"], np.full(len(pending), -1)])
    choice = choose(
        joint,
        learnt.circumstances(ids, features),
        ACQUISITIONS[task.policy.acquisition],
        task.n,
        pending=range(n_found, len(ids)),
        apart=apart_of(task.policy, found, learnt.training),
    )
    chosen = found[choice.rows]
    last = (found["score"][-1], -found["id"][-1])
    is_exact = is_all or (
        len(chosen) == task.n
        and all(
            (score, -molecule_id) >= last
            for score, molecule_id in zip(choice.scores, chosen["id"], strict=True)
        )
    )
    left = 0.0
    if isinstance(learnt.model, Chain) and len(chosen):
        left = float(learnt.model.unresolved(chosen["features"]).mean())
    return Merged(chosen["id"], chosen["mean"], chosen["std"], is_exact, left)


def rank(task: RankTask, shards: Sequence[ShardRef]) -> Merged:
    """Rank a library in this process."""
    model = fit(task)
    n = task.n_candidates
    while True:
        merged = merge(task, n, model, *(scan(task, shard, n, model) for shard in shards))
        if merged.is_exact:
            return merged
        n *= WIDER


@lru_cache(maxsize=1)
def _load(task: RankTask, model_path: Path) -> Learnt:
    """Read the files once for all tasks of a ranking that this process runs."""
    training = Training.read(task.training)
    model: Surrogate | Chain = (first := load(model_class(task.policy.model), model_path))
    if training.pairs:
        places = range(len(training.pairs))
        model = Chain(first, [Difference.read(task.difference(place)) for place in places])
    chances = [Chance.read(task.chance(place)) for place in range(task.n_chances(training))]
    return Learnt(task, training, model, chances)
