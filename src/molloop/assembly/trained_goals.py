"""The models of a run with several objectives or constraints, trained on all that it has found."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from molloop.assembly.trained import learnt_levels, n_rankings, no_value, stages_known
from molloop.campaign.ledger import Ledger
from molloop.campaign.promotions import Promotions
from molloop.campaign.rankings import Rankings
from molloop.campaign.warm_start import stored_warm_start
from molloop.config.settings import Settings
from molloop.goal import Goal
from molloop.library.features import Scaling
from molloop.library.selection import Selection
from molloop.library.shard import ShardRef
from molloop.library.shards import Library
from molloop.search import goals
from molloop.search.beliefs import Beliefs
from molloop.search.chain import Certain, chained
from molloop.search.predict_goals import PredictedGoal, best_of_goal, predicted_goal
from molloop.search.rank import RankTask
from molloop.store.reader import Reader
from molloop.surrogate.model import Floats

CHANCE = "chance_of_constraints"


@dataclass(frozen=True, eq=False)
class TrainedGoal:
    """Models, what they learn from, and what they were trained on.

    Attributes
    ----------
    kind
        Of their features.
    values
        Molecule id -> values of the goal's quantities, of several stages in the last one; None
        where there is none.
    levels
        Molecule id -> level, of values known beforehand that have another than the run's.
    learnt_levels
        Of the values that they learn from; the run's own as an empty text, the first.
    n_values
        Molecules that they were trained on; of several stages, in the first one.
    expected
        Molecule id -> means and standard deviations of the last values, times the signs, and the
        chance that all constraints hold, by the highest values below, of what has any.
    """

    beliefs: Beliefs
    kind: str
    values: Mapping[int, Sequence[float | None]]
    levels: Mapping[int, str]
    learnt_levels: Sequence[str]
    n_values: int
    expected: Mapping[int, tuple[Floats, Floats, float]]

    @property
    def columns(self) -> list[str]:
        """Names of what is said of a molecule in numbers."""
        found = []
        for one in self._goal.quantities:
            mean = f"predicted_{one.column}"
            found += [one.column] if one.descriptor else [mean, f"{mean}_std", one.column]
        return [*found, CHANCE] if self.beliefs.aim.bounds else found

    @property
    def _goal(self) -> Goal:
        return self.beliefs.goal

    def parts(self, shards: Sequence[ShardRef], scaling: Scaling) -> Iterator[PredictedGoal]:
        """Predict every molecule that may be chosen, a part at a time."""
        parts = predicted_goal(self.beliefs, self.kind, shards, scaling)
        return map(self._by_values_below, parts)

    def _by_values_below(self, part: PredictedGoal) -> PredictedGoal:
        """Return predictions in which the values of stages below stand for the models'."""
        means, stds, chance = part.means.copy(), part.stds.copy(), part.chance.copy()
        for row in np.flatnonzero(np.isin(part.ids, list(self.expected))):
            means[row], stds[row], chance[row] = self.expected[int(part.ids[row])]
        return PredictedGoal(part.ids, means, stds, chance)

    def best(self, parts: Iterable[PredictedGoal], n: int) -> PredictedGoal:
        """Return the best n; see :func:`molloop.search.predict_goals.best_of_goal`."""
        return best_of_goal(self._goal, parts, n)

    def numbers(self, part: PredictedGoal) -> Iterator[list[float | None]]:
        """Return what is said of each molecule, in the order of the columns."""
        quantities, signs = self._goal.quantities, self._goal.signs
        columns = part.ids.tolist(), part.means.tolist(), part.stds.tolist(), part.chance.tolist()
        for key, means, stds, chance in zip(*columns, strict=True):
            values = self.values.get(key, (None,) * len(quantities))
            row: list[float | None] = []
            for one, sign, mean, std, value in zip(
                quantities, signs, means, stds, values, strict=True
            ):
                row += [sign * mean] if one.descriptor else [sign * mean, std, value]
            yield [*row, chance] if self.beliefs.aim.bounds else row

    def level(self, molecule_id: int) -> str | None:
        """Return the level of a value that was known beforehand and has another one."""
        return self.levels.get(molecule_id)


def trained_goal(reader: Reader, settings: Settings, library: Library) -> TrainedGoal:
    """Return the models as the next ranking of the library would train them.

    Raises
    ------
    InputError
        There is no value.
    """
    goal, policy = settings.goal(), settings.policy()
    known, events = reader.known(), [event for _, event in reader.events()]
    stages = [one.stage for one in settings.protocols()]
    number = n_rankings(events, stages[0]) + 1
    above = stages_known(settings, library, known, events)

    def rankings(stage: str) -> Rankings:
        return Rankings(
            *(reader, library, policy, goal.objective, stage),
            stored_warm_start(known, library),
            Selection.of_all(library),
            settings.campaign.seed,
            goal,
        )

    first, rows = rankings(stages[0]), rankings(stages[-1]).values()
    if not first.values() and not known:
        raise no_value()
    training = first.request(number, 1, Ledger(), (), above.pairs()).training
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        task = RankTask(Path(folder), policy, 1, (settings.campaign.seed, number), goal)
        training.write(task.training)
        goals.fit(task)
        beliefs, _ = goals.learnt(task)
        expected = _by_values_below(beliefs, above, library, policy.features)
    own = {key: [None if isnan(value) else value for value in some] for _, key, *some in rows}
    others = {one.molecule_id: one for one in known if one.molecule_id not in (None, *own)}
    if len(stages) > 1:  # of the first stage, or of another level
        others = {}
    given = {key: one.values(goal) for key, one in others.items() if key is not None}
    levels = {key: one.level for key, one in others.items() if key is not None and one.level}
    told = levels, learnt_levels(known, own), len(training.values)
    return TrainedGoal(beliefs, policy.features, own | given, *told, expected)


def _by_values_below(
    beliefs: Beliefs, above: Promotions, library: Library, kind: str
) -> dict[int, tuple[Floats, Floats, float]]:
    """Return molecule id -> what is expected of its last values by those below."""
    found: dict[int, tuple[Floats, Floats, float]] = {}
    for place, ids, below in above.below_last():
        rng, pairs = np.random.default_rng((above.seed + place, 0)), above.pairs(place)
        models = {
            k: chained(Certain(below[:, k]), [one for one in pairs if one.place == k], rng)
            for k in beliefs.models
        }
        known = replace(beliefs, models=models, chances=())
        means, stds, log_chance = known.predict(library.features(kind, ids), below.T)
        rows = zip(means.T, stds.T, np.exp(log_chance).tolist(), strict=True)
        found |= zip(ids, rows, strict=True)
    return found
