"""What is believed of molecules where there is more than one objective alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from molloop.goal import Goal
from molloop.search.aim import Aim
from molloop.search.batch import Choice, Variances, choose_by
from molloop.search.candidates import Candidates
from molloop.search.chain import Chain
from molloop.search.chance import Chance
from molloop.search.diversity import Apart
from molloop.surrogate.model import Features, Floats, Surrogate


@dataclass(frozen=True, eq=False)
class Beliefs:
    """What is believed of molecules: of each quantity that is not known, of its last value.

    Attributes
    ----------
    models
        By column.
    chances
        Of a value of the first quantity, and of values of all others beside it, where something
        teaches that.
    """

    aim: Aim
    models: Mapping[int, Surrogate | Chain]
    chances: tuple[Chance, ...]

    @property
    def goal(self) -> Goal:
        """What is searched for."""
        return self.aim.goal

    @property
    def is_chancy(self) -> bool:
        """Whether any molecule may fail, or break a constraint."""
        return bool(self.chances or self.aim.bounds)

    def predict(self, features: Features, known: Floats) -> tuple[Floats, Floats, Floats]:
        """Return means, stds and the logarithm of the chance, shapes (q, m), (q, m) and (m,).

        Parameters
        ----------
        known
            Values that are known, signed, shape (q, m); the others' are put in.
        """
        means, stds = known.copy(), np.zeros(known.shape)
        for place, model in self.models.items():
            means[place], stds[place] = model.predict(features)
        simulated = stds.copy()
        for place in self._bounded:
            model = self.models[place]
            simulated[place] = (
                model.scattered(features)
                if isinstance(model, Chain)
                else model.scatter(stds[place])
            )
        return means, stds, self._log_chance(features) + self.aim.log_holding(means, simulated)

    def screen(self, features: Features, known: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return what these can be at most, and about what the logarithm of the chance is."""
        highs, stds = known.copy(), np.zeros(known.shape)
        lows, least, most = highs.copy(), stds.copy(), stds.copy()
        for place, model in self.models.items():
            if place not in self._bounded:
                highs[place], stds[place] = model.screen(features)
                continue
            lows[place], highs[place], stds[place] = model.interval(features)
            if isinstance(model, Chain):
                least[place], most[place] = model.scattered_between(features)
            else:
                least[place], most[place] = map(model.scatter, (least[place], stds[place]))
        log_chance = self._log_chance(features)
        limit = self.aim.most_log_holding(lows, highs, least, most)
        about = self.aim.log_holding((lows + highs) / 2, most)
        return highs, stds, log_chance + limit, log_chance + about

    @cached_property
    def _bounded(self) -> frozenset[int]:
        """Columns that constraints bound."""
        return frozenset(place for place, *_ in self.aim.bounds)

    def _log_chance(self, features: Features) -> Floats:
        found = np.zeros(len(features))
        for one in self.chances:
            found += np.log(one.of(features))
        return found

    def score(self, draw: int, means: Floats, stds: Floats, log_chance: Floats) -> Floats:
        """Return what molecules are worth by a weighing, shape (m,)."""
        return self.aim.score(draw, means, stds, log_chance if self.is_chancy else None)

    def choose(
        self,
        some: Candidates,
        pending: Features,
        n: int,
        apart: Apart | None = None,
    ) -> Choice:
        """Choose up to n candidates one by one, each by a weighing of its own.

        What was chosen before, and what is pending, is believed to turn out as predicted.

        Parameters
        ----------
        some
            With the columns of :func:`molloop.search.goals.scan`.
        pending
            Features of what is being simulated, shape (p, width).
        """
        n_found, n_pending = len(some), len(pending)
        features = np.concatenate([some["features"], pending])
        believed = {}
        if self.aim.acquisition != "greedy":
            for place in range(len(self.goal.objectives)):
                if place in self.models:
                    joint = self.models[place].joint(features)
                    # what was said of a candidate holds to the last bit
                    joint.variance[:n_found] = some["std"][:, place] ** 2
                    believed[place] = Variances(joint)
        stds = some["std"].T.copy()

        def score(draw: int) -> Floats:
            for place, one in believed.items():
                stds[place] = np.sqrt(one.now[:n_found])
            worth = self.score(draw, some["mean"].T, stds, some["log_chance"])
            return np.concatenate([worth, np.full(n_pending, -np.inf)])

        ids = np.concatenate([some["id"], np.full(n_pending, -1)])
        rows = range(n_found, len(ids))
        return choose_by(ids, list(believed.values()), score, n, rows, self.aim.n_draws, apart)
