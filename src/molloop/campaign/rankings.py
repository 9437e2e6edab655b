"""What a campaign's rankings are given, and how often one is tried."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import nan

import numpy as np

from molloop.campaign.engine import LostRanking, RankRequest
from molloop.campaign.intake import MAX_LOSSES
from molloop.campaign.jobs import Job, Simulated
from molloop.campaign.ledger import Ledger
from molloop.campaign.storage import Values
from molloop.campaign.training import Row, TrainingSet
from molloop.campaign.warm_start import WarmStart
from molloop.errors import EngineError
from molloop.goal import Goal, Objective, Quantity
from molloop.library.selection import Selection, shards_of
from molloop.library.shards import Library
from molloop.search.difference import Pairs
from molloop.search.diversity import FINGERPRINTS
from molloop.search.policy import Policy
from molloop.search.training import Training
from molloop.simulate.outcome import Failure
from molloop.texts import counted

MAX_LOST_RANKINGS = 3


@dataclass
class Rankings:
    """Remembers the values of one stage for models, and which rankings were lost.

    Attributes
    ----------
    stage
        Whose values models learn from.
    selection
        Which molecules may be chosen.
    seed
        Ranking number k draws from ``default_rng([seed, k])``.
    goal
        What is searched for, where it is more than one objective and a model predicts.
    """

    store: Values
    library: Library
    policy: Policy
    objective: Objective
    stage: str
    warm_start: WarmStart
    selection: Selection
    seed: int
    goal: Goal | None = None
    _training: TrainingSet | None = field(default=None, init=False)  # until the first ranking
    _failed: TrainingSet = field(init=False)  # there with it
    _n_lost: int = field(default=0, init=False)  # in a row
    _lost: RankRequest | None = field(default=None, init=False)  # that is to be tried again

    def values(self) -> list[Row]:
        """Return proposal, molecule id and values of what is stored with a value."""
        names = [one.name for one in self._quantities]
        rows: list[Row] = [*self.store.training_rows(names[0], self.stage)]
        for name in names[1:]:
            of = {number: value for number, _, value in self.store.training_rows(name, self.stage)}
            rows = [(*row, of.get(row[0], nan)) for row in rows]
        return rows

    @property
    def _quantities(self) -> Sequence[Quantity]:
        """That models learn from: the objective's comes first."""
        return (self.objective.quantity,) if self.goal is None else self.goal.quantities

    def jobs_with_values(self, stages: Iterable[str]) -> list[Job]:
        """Return what is stored with a value, of some stages."""
        quantity = self.objective.quantity.name
        return [
            Job(key, stage)
            for stage in stages
            for _, key, _ in self.store.training_rows(quantity, stage)
        ]

    def learn(self, simulated: Sequence[Simulated]) -> None:
        """Take in what was stored."""
        if self._training is None:
            return  # the first ranking reads all of it
        names = [one.name for one in self._quantities]
        for item in simulated:
            values = [item.value(name, self.stage) for name in names]
            if values[0] is not None:
                known = (nan if value is None else value for value in values)
                self._training.add([(item.proposal, item.molecule_id, *known)])
        self._learn_failed(
            (item.proposal, item.molecule_id, item.outcome.kind)
            for item in simulated
            if isinstance(item.outcome, Failure) and item.stage == self.stage
        )

    def _learn_failed(self, rows: Iterable[tuple[int, int, str]]) -> None:
        """Take in proposal, molecule id and kind of failures; what was lost teaches nothing."""
        self._failed.add((number, key, 0.0) for number, key, kind in rows if kind not in MAX_LOSSES)

    def request(
        self,
        number: int,
        n: int,
        ledger: Ledger,
        top: Sequence[float],
        pairs: tuple[Pairs, ...] = (),
    ) -> RankRequest:
        """Return what an engine needs for a ranking that chooses n molecules.

        Parameters
        ----------
        pairs
            What is known of the differences between stages, where there are several.
        top
            The best values that count, times the objective's sign, the largest first; where none
            does yet, any other is an improvement.
        """
        kind = self.policy.features
        if self._training is None:
            further = self._quantities[1:]
            self._training = TrainingSet(self.library, kind, self.warm_start, further)
            self._training.add(self.values())
            nothing = WarmStart((), {kind: self.library.features(kind, [])})
            self._failed = TrainingSet(self.library, kind, nothing)
            self._learn_failed(self.store.failed_rows(self.stage))
        features, values, order = self._training.arrays()
        failed, _, order_of_failed = self._failed.arrays()
        pending = ledger.pending(self.stage)
        signs = self.objective.sign if self.goal is None else np.array(self.goal.signs)
        values = signs * values
        if self.goal is not None:
            values = values.reshape(len(values), len(self.goal.quantities))
        # of a goal what the models make of its values says it
        worst = nan if self.goal is not None else float(values.min())
        return RankRequest(
            number=number,
            policy=self.policy,
            training=Training(
                features=features,
                values=values,
                order=order,
                tried=np.array(ledger.tried, dtype=np.int64),
                pending=self.library.features(kind, pending),
                failed=failed[order_of_failed],
                scaling=self.library.scalings[kind],
                best=top[0] if top else worst,
                pairs=pairs if self.policy.predicts else (),
                pending_fingerprints=self.library.features(FINGERPRINTS, pending),
            ),
            shards=shards_of(self.library, self.selection),
            n=n,
            seed=(self.seed, number),
            stage=self.stage,
            goal=self.goal,
        )

    def end(self) -> None:
        """Note that a ranking has ended as it should."""
        self._n_lost = 0

    def lose(self, lost: LostRanking) -> None:
        """Keep a ranking that failed where it ran, to be tried again: a node's disk may be full.

        Raises
        ------
        EngineError
            It failed too often.
        """
        self._n_lost += 1
        if self._n_lost >= MAX_LOST_RANKINGS:
            raise EngineError(
                f"Ranking {lost.request.number} failed on the workers, "
                f"{counted(self._n_lost, 'time')}: {lost.message}.",
                "What was simulated is stored: once its cause is gone, `molloop resume` goes on.",
            )
        self._lost = lost.request

    def take_lost(self) -> RankRequest | None:
        """Return the ranking that is to be tried again, if there is one, and keep it no longer."""
        lost, self._lost = self._lost, None
        return lost
