"""What is known of molecules in all stages, and what choices above the first are made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits

from molloop.campaign.events import Event, Finished, Ranked
from molloop.campaign.intake import MAX_LOSSES
from molloop.campaign.jobs import Known
from molloop.campaign.ledger import Ledger
from molloop.goal import Objective
from molloop.library.selection import Selection, bits_of
from molloop.library.shards import Library
from molloop.search.difference import Pairs
from molloop.search.policy import Policy
from molloop.search.promote import Promotion, expect, promote

NO_SPREAD = 1.0  # of values, where there are fewer than two


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a molecule.

    Attributes
    ----------
    values
        In each stage; None where it has none.
    mean, std
        Of the last value, in the quantity's unit; it is certain where it is known.
    stage
        The highest one in which there is a value.
    """

    molecule_id: int
    values: tuple[float | None, ...]
    mean: float
    std: float
    stage: str


@dataclass
class Promotions:
    """Remembers the values of all stages; the events of a run add up to it.

    Attributes
    ----------
    stages
        Their names, the first one first.
    selection
        Which molecules may be chosen.
    seed
        Ranking number k of stage j draws from ``default_rng([seed + j, k])``.
    """

    library: Library
    policy: Policy
    objective: Objective
    stages: tuple[str, ...]
    selection: Selection
    seed: int
    _values: dict[str, dict[int, float]] = field(init=False)  # times the sign
    _failed: dict[str, set[int]] = field(init=False)
    _doubtful: set[int] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._values = {stage: {} for stage in self.stages}
        self._failed = {stage: set() for stage in self.stages}

    def know(self, known: Iterable[Known]) -> None:
        """Take in values of the first stage that were known beforehand."""
        for one in known:
            if one.molecule_id is not None and not one.level:
                self._values[self.stages[0]][one.molecule_id] = self.objective.sign * one.value
                if one.is_flagged(self.objective) and not self.objective.keeps_flagged:
                    self._doubtful.add(one.molecule_id)

    def learn(self, events: Iterable[Event]) -> None:
        """Take in what has finished; nothing of it is needed where there is one stage."""
        if len(self.stages) == 1:
            return
        for event in events:
            if not isinstance(event, Finished) or event.stage not in self._values:
                continue
            if event.value is not None:
                self._values[event.stage][event.molecule_id] = self.objective.sign * event.value
                if event.is_flagged and not self.objective.keeps_flagged:
                    self._doubtful.add(event.molecule_id)
            elif event.failure and event.failure not in MAX_LOSSES:  # what was lost teaches nothing
                self._failed[event.stage].add(event.molecule_id)

    def pairs(self, place: int = 0) -> tuple[Pairs, ...]:
        """Return what is known of the differences from a stage to the one above, ... to the last.

        In the order of the library, so that it does not matter which came first.
        """
        return tuple(self._pairs(one) for one in range(place, len(self.stages) - 1))

    def _pairs(self, place: int) -> Pairs:
        below, above = (self._values[self.stages[one]] for one in (place, place + 1))
        ids = sorted(below.keys() & above.keys())
        return Pairs(
            self.library.features(self.policy.features, ids),
            np.array([below[one] for one in ids], dtype=np.float64),
            np.array([above[one] for one in ids], dtype=np.float64),
            self._spread(place),
            self.library.features(
                self.policy.features, sorted(self._failed[self.stages[place + 1]])
            ),
        )

    def _spread(self, place: int) -> float:
        """Return the standard deviation of a stage's values, or of the nearest below with two."""
        for stage in reversed(self.stages[: place + 1]):
            values = self._values[stage]
            if len(values) > 1:
                return float(np.std([values[one] for one in sorted(values)]))
        return NO_SPREAD

    def expected(self) -> list[Expected]:
        """Return what is known or expected of the last value of every molecule, the best first.

        Not of those whose value is never among the best for its flag.
        """
        found, sign, done = [], self.objective.sign, set(self._doubtful)
        for place in reversed(range(len(self.stages))):
            values = self._values[self.stages[place]]
            ids = sorted(values.keys() - done)
            done |= values.keys()
            known = np.array([values[one] for one in ids])
            features = self.library.features(self.policy.features, ids)
            means, stds = expect(known, features, self.pairs(place), (self.seed + place, 0))
            of_all = (tuple(self._values[stage].get(key) for stage in self.stages) for key in ids)
            found += [
                Expected(
                    key,
                    tuple(None if value is None else sign * value for value in some),
                    sign * mean,
                    std,
                    self.stages[place],
                )
                for key, some, mean, std in zip(
                    ids, of_all, means.tolist(), stds.tolist(), strict=True
                )
            ]
        return sorted(found, key=lambda one: (-sign * one.mean, one.molecule_id))

    def rank(self, place: int, number: int, n: int, ledger: Ledger, top: Sequence[float]) -> Ranked:
        """Choose n molecules for a stage above the first, of those with a value below.

        Not of those whose value there is never among the best for its flag. In this process: they
        are few.

        Parameters
        ----------
        number
            Of the ranking.
        top
            The best values of the last stage, times the objective's sign, the largest first.
        """
        stage, below = self.stages[place], self._values[self.stages[place - 1]]
        may = below.keys() - ledger.promoted[stage] - self._doubtful
        ids = np.array(sorted(may), dtype=np.int64)
        if (bits := bits_of(self.selection)) is not None:
            ids = ids[bits.at(ids)]
        if not len(ids):
            return Ranked(number, (), (), (), 0.0, stage)
        kind, pending = self.policy.features, ledger.pending(stage)
        given = Promotion(
            ids,
            self.library.features(kind, ids.tolist()),
            np.array([below[one] for one in ids.tolist()]),
            self.library.features(kind, pending),
            np.array([below[one] for one in pending]),
            self.pairs(place - 1),
        )
        acquisition = self.policy.acquisition if self.policy.predicts else "greedy"
        best = top[0] if top else float(given.below.min())
        with threadpool_limits(1):  # the same numbers as on a worker
            found = promote(
                given,
                acquisition,
                n,
                best,
                (self.seed + place, number),
                learns_failures=self.policy.learns_failures,
            )
        return Ranked(
            number,
            tuple(found.ids.tolist()),
            tuple((self.objective.sign * found.means).tolist()),
            tuple(found.stds.tolist()),
            0.0,
            stage,
            found.unresolved_std,
        )
