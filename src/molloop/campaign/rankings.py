"""What a campaign's rankings are given, and how often one is tried."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from molloop.campaign.engine import LostRanking, RankRequest
from molloop.campaign.jobs import Simulated
from molloop.campaign.ledger import Ledger
from molloop.campaign.storage import Storage
from molloop.campaign.training import TrainingSet
from molloop.campaign.warm_start import WarmStart
from molloop.errors import EngineError
from molloop.goal import Objective
from molloop.library.selection import Selection, shards_of
from molloop.library.shards import Library
from molloop.search.policy import Policy
from molloop.search.rank import Training
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
    """

    store: Storage
    library: Library
    policy: Policy
    objective: Objective
    stage: str
    warm_start: WarmStart
    selection: Selection
    seed: int
    _training: TrainingSet | None = field(default=None, init=False)  # until the first ranking
    _n_lost: int = field(default=0, init=False)  # in a row
    _lost: RankRequest | None = field(default=None, init=False)  # that is to be tried again

    def values(self) -> list[tuple[int, int, float]]:
        """Return proposal, molecule id and value of what is stored with a value."""
        return self.store.training_rows(self.objective.quantity.name, self.stage)

    def learn(self, simulated: Iterable[Simulated]) -> None:
        """Take in what was stored."""
        if self._training is None:
            return  # the first ranking reads all of it
        quantity = self.objective.quantity.name
        self._training.add(
            (item.proposal, item.molecule_id, value)
            for item in simulated
            if (value := item.value(quantity, self.stage)) is not None
        )

    def request(self, number: int, n: int, ledger: Ledger, top: Sequence[float]) -> RankRequest:
        """Return what an engine needs for a ranking that chooses n molecules.

        Parameters
        ----------
        top
            The best values that count, times the objective's sign, the largest first; where none
            does yet, any other is an improvement.
        """
        if self._training is None:
            self._training = TrainingSet(self.library, self.policy.features, self.warm_start)
            self._training.add(self.values())
        features, values, order = self._training.arrays()
        values = self.objective.sign * values
        return RankRequest(
            number=number,
            policy=self.policy,
            training=Training(
                features=features,
                values=values,
                order=order,
                tried=np.array(ledger.tried, dtype=np.int64),
                pending=self.library.features(self.policy.features, ledger.pending(self.stage)),
                scaling=self.library.scalings[self.policy.features],
                best=top[0] if top else float(values.min()),
            ),
            shards=shards_of(self.library, self.selection),
            n=n,
            seed=(self.seed, number),
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
                "What was simulated is stored: mend it, and `molloop resume` goes on.",
            )
        self._lost = lost.request

    def take_lost(self) -> RankRequest | None:
        """Return the ranking that is to be tried again, if there is one, and keep it no longer."""
        lost, self._lost = self._lost, None
        return lost
