"""What is known of molecules in all stages, and what choices above the first are made of."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from molloop.campaign.events import Event, Finished, Ranked
from molloop.campaign.intake import MAX_LOSSES
from molloop.campaign.jobs import Known
from molloop.campaign.ledger import Ledger
from molloop.goal import Goal, Objective, Values
from molloop.library.selection import Selection, bits_of
from molloop.library.shards import Library
from molloop.search.difference import Pairs
from molloop.search.policy import Policy
from molloop.search.promote import Promotion, expect, promote
from molloop.search.promote_goal import promote_goal
from molloop.surrogate.model import Floats

Row = tuple[float, ...]  # of a molecule, the value of each quantity; NaN where there is none
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
    goal
        What is searched for, where it is more than one objective.
    """

    library: Library
    policy: Policy
    objective: Objective
    stages: tuple[str, ...]
    selection: Selection
    seed: int
    goal: Goal | None = None
    _values: dict[str, dict[int, Row]] = field(init=False)  # times the signs
    _failed: dict[str, set[int]] = field(init=False)
    _doubtful: set[int] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._values = {stage: {} for stage in self.stages}
        self._failed = {stage: set() for stage in self.stages}

    def know(self, known: Iterable[Known]) -> None:
        """Take in values of the first stage that were known beforehand."""
        for one in known:
            if one.molecule_id is not None and not one.level:
                goal = self.goal or Goal((self.objective,))
                self._values[self.stages[0]][one.molecule_id] = self._row(one.values(goal))
                is_flagged = one.is_flagged_for(goal)
                if is_flagged and not self.objective.keeps_flagged:
                    self._doubtful.add(one.molecule_id)

    def learn(self, events: Iterable[Event]) -> None:
        """Take in what has finished; nothing of it is needed where there is one stage."""
        if len(self.stages) == 1:
            return
        for event in events:
            if not isinstance(event, Finished) or event.stage not in self._values:
                continue
            if event.value is not None:
                values = (event.value,) if self.goal is None else event.values
                self._values[event.stage][event.molecule_id] = self._row(values)
                if event.is_flagged and not self.objective.keeps_flagged:
                    self._doubtful.add(event.molecule_id)
            elif event.failure not in MAX_LOSSES:  # what was lost teaches nothing
                self._failed[event.stage].add(event.molecule_id)

    @cached_property
    def _signs(self) -> tuple[int, ...]:
        return (self.objective.sign,) if self.goal is None else self.goal.signs

    def _row(self, values: Values) -> Row:
        # a database from somebody else may tell of fewer, or of more
        told = (*values, *(None for _ in self._signs))
        signed = zip(self._signs, told, strict=False)
        return tuple(nan if value is None else sign * value for sign, value in signed)

    def pairs(self, place: int = 0) -> tuple[Pairs, ...]:
        """Return what is known of the differences from a stage to the one above, ... to the last.

        Of each quantity that is computed. In the order of the library, so that it does not matter
        which came first.
        """
        return tuple(one for of in self._computed for one in self._steps(place, of))

    def _steps(self, place: int, of: int) -> tuple[Pairs, ...]:
        """Return the same of one quantity, by its place."""
        return tuple(self._pairs(one, of) for one in range(place, len(self.stages) - 1))

    @cached_property
    def _computed(self) -> tuple[int, ...]:
        """Places of the quantities that no library knows."""
        quantities = () if self.goal is None else self.goal.quantities
        return tuple(k for k, one in enumerate(quantities) if not one.descriptor) or (0,)

    def _pairs(self, place: int, of: int) -> Pairs:
        below, above = (self._numbers(self.stages[one], of) for one in (place, place + 1))
        ids = sorted(below.keys() & above.keys())
        return Pairs(
            self.library.features(self.policy.features, ids),
            np.array([below[one] for one in ids], dtype=np.float64),
            np.array([above[one] for one in ids], dtype=np.float64),
            self._spread(place, of),
            self.library.features(
                self.policy.features, sorted(self._failed[self.stages[place + 1]])
            ),
            of,
            self._lack(ids, place + 1),
        )

    def _lack(self, ids: Sequence[int], place: int) -> NDArray[np.bool_] | None:
        """Return which molecules lack a value of another quantity in a stage."""
        if self.goal is None:
            return None
        complete = self._complete(self.stages[place])
        return np.array([one not in complete for one in ids], dtype=bool)

    def _complete(self, stage: str) -> set[int]:
        """Return the molecules with values of all quantities in a stage."""
        return {key for key, row in self._values[stage].items() if not any(map(isnan, row))}

    def _numbers(self, stage: str, of: int) -> dict[int, float]:
        """Return the values of a quantity in a stage, those that there are."""
        rows = self._values[stage].items()
        return {key: row[of] for key, row in rows if not isnan(row[of])}

    def _spread(self, place: int, of: int) -> float:
        """Return the standard deviation of a stage's values, or of the nearest below with two."""
        for stage in reversed(self.stages[: place + 1]):
            values = self._numbers(stage, of)
            if len(values) > 1:
                return float(np.std([values[one] for one in sorted(values)]))
        return NO_SPREAD

    def expected(self) -> list[Expected]:
        """Return what is known or expected of the last value of every molecule, the best first.

        Of the first objective. Not of those that are never among the best, for a flag or as they
        lack a quantity.
        """
        found, sign = [], self.objective.sign
        columns = [self._numbers(stage, 0) for stage in self.stages]
        for place, ids, known in self._highest(len(self.stages) - 1):
            means, stds = self.expect(place, ids, known)
            of_all = (tuple(column.get(key) for column in columns) for key in ids)
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

    def below_last(self) -> Iterator[tuple[int, list[int], Floats]]:
        """Yield each stage but the last, the molecules whose highest value it has, and the values.

        The highest but that of the last stage; of the shape (n, q). Those are left out that are
        never among the best.
        """
        return self._highest(len(self.stages) - 2)

    def _highest(self, most: int) -> Iterator[tuple[int, list[int], Floats]]:
        done = set(self._doubtful)
        for place in range(most, -1, -1):
            rows = self._values[self.stages[place]]
            ids = sorted(self._complete(self.stages[place]) - done)
            done |= rows.keys()
            if ids:
                yield place, ids, np.array([rows[one] for one in ids])

    def expect(self, place: int, ids: Sequence[int], values: Floats) -> tuple[Floats, Floats]:
        """Return mean and deviation of the first objective's last value, times the sign.

        Parameters
        ----------
        place
            Of the stage of the values, which have the shape (n, q).
        """
        features, seed = self.library.features(self.policy.features, ids), (self.seed + place, 0)
        return expect(values[:, 0], features, self._steps(place, 0), seed)

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
        complete = self._complete(self.stages[place - 1])
        may = complete - ledger.promoted[stage] - self._doubtful
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
            np.array([below[one] for one in pending]).reshape(-1, len(self._signs)),
            self.pairs(place - 1),
        )
        acquisition = self.policy.acquisition if self.policy.predicts else "greedy"
        best, seed = top[0] if top else None, (self.seed + place, number)
        learns = self.policy.learns_failures
        with threadpool_limits(1):  # the same numbers as on a worker
            if self.goal is None:
                found = promote(given, acquisition, n, best, seed, learns_failures=learns)
            else:
                seen = np.array([below[one] for one in sorted(below)])
                aim = self.goal, seen, acquisition
                found = promote_goal(given, *aim, n, best, seed, learns_failures=learns)
        shape = len(found.ids), len(self._signs)
        signed = found.means.reshape(shape) * self._signs
        means, *more_means = map(tuple, signed.T.tolist())
        stds, *more_stds = map(tuple, found.stds.reshape(shape).T.tolist())
        return Ranked(
            *(number, tuple(found.ids.tolist()), means, stds, 0.0, stage, found.unresolved_std),
            *(tuple(more_means), tuple(more_stds)),
        )
