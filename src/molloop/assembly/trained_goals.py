"""The models of a run with several objectives or constraints, trained on all that it has found."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path

from threadpoolctl import threadpool_limits

from molloop.assembly.trained import learnt_levels, n_rankings, no_value
from molloop.campaign.ledger import Ledger
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
from molloop.search.predict_goals import PredictedGoal, best_of_goal, predicted_goal
from molloop.search.rank import RankTask
from molloop.store.reader import Reader

CHANCE = "chance_of_constraints"


@dataclass(frozen=True, eq=False)
class TrainedGoal:
    """Models, what they learn from, and what they were trained on.

    Attributes
    ----------
    kind
        Of their features.
    values
        Molecule id -> values of the goal's quantities; None where there is none.
    levels
        Molecule id -> level, of values known beforehand that have another than the run's.
    learnt_levels
        Of the values that they learn from; the run's own as an empty text, the first.
    n_values
        Molecules that they were trained on.
    """

    beliefs: Beliefs
    kind: str
    values: Mapping[int, Sequence[float | None]]
    levels: Mapping[int, str]
    learnt_levels: Sequence[str]
    n_values: int

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
        return predicted_goal(self.beliefs, self.kind, shards, scaling)

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
    goal, policy, [protocol] = settings.goal(), settings.policy(), settings.protocols()
    known = reader.known()
    number = n_rankings([event for _, event in reader.events()], protocol.stage) + 1
    rankings = Rankings(
        *(reader, library, policy, goal.objective, protocol.stage),
        stored_warm_start(known, library),
        Selection.of_all(library),
        settings.campaign.seed,
        goal,
    )
    rows = rankings.values()
    if not rows and not known:
        raise no_value()
    training = rankings.request(number, 1, Ledger(), ()).training
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        task = RankTask(Path(folder), policy, 1, (settings.campaign.seed, number), goal)
        training.write(task.training)
        goals.fit(task)
        beliefs, _ = goals.learnt(task)
    own = {key: [None if isnan(value) else value for value in some] for _, key, *some in rows}
    others = {one.molecule_id: one for one in known if one.molecule_id not in (None, *own)}
    given = {key: one.values(goal) for key, one in others.items() if key is not None}
    levels = {key: one.level for key, one in others.items() if key is not None and one.level}
    told = levels, learnt_levels(known, own), len(training.values)
    return TrainedGoal(beliefs, policy.features, own | given, *told)
