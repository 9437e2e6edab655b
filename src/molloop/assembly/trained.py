"""The model of a run, trained on all that the run has found."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from molloop.campaign.events import Event, Ranked
from molloop.campaign.jobs import Known
from molloop.campaign.promotions import Promotions
from molloop.campaign.training import TrainingSet
from molloop.campaign.warm_start import stored_warm_start
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.goal import Objective
from molloop.library.features import Scaling
from molloop.library.selection import Selection
from molloop.library.shard import ShardRef
from molloop.library.shards import Library
from molloop.search.chain import Chain, chained
from molloop.search.policy import fitted
from molloop.search.predict import Predicted, best_predicted, predicted
from molloop.store.reader import Reader
from molloop.surrogate.model import Surrogate


@dataclass(frozen=True, eq=False)
class Trained:
    """A model, what it learns from, and what it was trained on.

    Attributes
    ----------
    kind
        Of its features.
    values
        Molecule id -> value, of what the library holds; of several stages, in the last one.
    levels
        Molecule id -> level, of values known beforehand that have another than the run's.
    learnt_levels
        Of the values that it learns from; the run's own as an empty text, the first.
    n_values
        Those that it was trained on, of molecules outside of the library, too; of several stages,
        in the first one.
    expected
        Molecule id -> mean and standard deviation of the last value, times the sign, by the
        highest value below, of what has one.
    """

    model: Surrogate | Chain
    kind: str
    values: Mapping[int, float]
    levels: Mapping[int, str]
    learnt_levels: Sequence[str]
    n_values: int
    expected: Mapping[int, tuple[float, float]]
    objective: Objective

    @property
    def columns(self) -> list[str]:
        """Names of what is said of a molecule in numbers."""
        column = self.objective.quantity.column
        return [f"predicted_{column}", f"predicted_{column}_std", column]

    def parts(self, shards: Sequence[ShardRef], scaling: Scaling) -> Iterator[Predicted]:
        """Predict every molecule that may be chosen, a part at a time."""
        return map(self._by_values_below, predicted(self.model, self.kind, shards, scaling))

    def best(self, parts: Iterable[Predicted], n: int) -> Predicted:
        """Return the n best predicted."""
        return best_predicted(parts, n)

    def numbers(self, part: Predicted) -> Iterator[list[float | None]]:
        """Return what is said of each molecule, in the order of the columns."""
        means = self.objective.sign * part.means
        columns = part.ids.tolist(), means.tolist(), part.stds.tolist()
        for key, mean, std in zip(*columns, strict=True):
            yield [mean, std, self.values.get(key)]

    def level(self, molecule_id: int) -> str | None:
        """Return the level of a value that was known beforehand and has another one."""
        return self.levels.get(molecule_id)

    def _by_values_below(self, part: Predicted) -> Predicted:
        """Return predictions in which the values of stages below stand for the model's."""
        means, stds = part.means.copy(), part.stds.copy()
        for row in np.flatnonzero(np.isin(part.ids, list(self.expected))):
            means[row], stds[row] = self.expected[int(part.ids[row])]
        return Predicted(part.ids, means, stds)


def trained_on(reader: Reader, settings: Settings, library: Library) -> Trained:
    """Return the model as the next ranking of the library would train it.

    Of several stages that of the first one, and those of the differences up to the last.

    Raises
    ------
    InputError
        There is no value.
    """
    policy, objective = settings.policy(), settings.objective()
    stages = tuple(one.stage for one in settings.protocols())
    known, events = reader.known(), [event for _, event in reader.events()]
    found = {stage: reader.training_rows(objective.quantity.name, stage) for stage in stages}
    training = TrainingSet(library, policy.features, stored_warm_start(known, library))
    training.add(found[stages[0]])
    features, values, order = training.arrays()
    if not len(values):
        raise no_value()
    in_library = {one.molecule_id: one for one in known if one.molecule_id is not None}
    last = {key: value for _, key, value in found[stages[-1]]}
    rng = np.random.default_rng((settings.campaign.seed, n_rankings(events, stages[0]) + 1))
    with threadpool_limits(1):
        model = fitted(policy, features[order], objective.sign * values[order], rng)
        if len(stages) == 1:
            levels = {k: one.level for k, one in in_library.items() if one.level and k not in last}
            given = {key: one.value for key, one in in_library.items()} | last
            told = levels, learnt_levels(known, last), len(values)
            return Trained(model, policy.features, given, *told, {}, objective)
        above = stages_known(settings, library, known, events)
        chain = chained(model, above.pairs(), rng)
        expected: dict[int, tuple[float, float]] = {}
        for place, ids, below in above.below_last():
            numbers = (one.tolist() for one in above.expect(place, ids, below))
            expected |= zip(ids, zip(*numbers, strict=True), strict=True)
    told = {}, learnt_levels(known, found[stages[0]]), len(values)
    return Trained(chain, policy.features, last, *told, expected, objective)


def stages_known(
    settings: Settings, library: Library, known: Iterable[Known], events: Iterable[Event]
) -> Promotions:
    """Return what is known of molecules in all stages of a run."""
    stages = tuple(one.stage for one in settings.protocols())
    of = settings.policy(), settings.objective(), stages, Selection.of_all(library)
    found = Promotions(library, *of, settings.campaign.seed, settings.goal().wider)
    found.know(known)
    found.learn(events)
    return found


def learnt_levels(known: Iterable[Known], own: Collection[object]) -> tuple[str, ...]:
    """Return the levels of values known beforehand and of a run's own: those as an empty text."""
    return tuple(sorted({one.level for one in known} | ({""} if own else set())))


def no_value() -> InputError:
    """Return the error that says that a model has nothing to learn from."""
    what = "a run without a value"
    return InputError("run directory", what, "one value at least", "Wait until it has some.")


def n_rankings(events: list[Event], stage: str) -> int:
    """Return how many rankings for a stage have ended."""
    return sum(isinstance(one, Ranked) and one.stage in ("", stage) for one in events)
