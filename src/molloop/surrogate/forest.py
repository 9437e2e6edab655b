"""A random forest on standardised descriptors."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from molloop.surrogate.model import Features, Floats, Surrogate, check_shapes, is_spread

N_TREES = 100
SHARE_OF_DESCRIPTORS = 1 / 3


@dataclass(frozen=True, eq=False)
class RandomForest(Surrogate):
    """Mean and standard deviation over the trees of scikit-learn's forest.

    Breiman, Mach. Learn. 45, 5 (2001), doi:10.1023/A:1010933404324. The trees are grown from
    training data and seed wherever they are needed: that is faster than to pass them around.

    Attributes
    ----------
    points
        Standardised descriptors of the training molecules, shape (n, d).
    values
        Shape (n,).
    seed
        Of the forest.
    """

    acquisition = "ucb"

    points: NDArray[np.float32]
    values: Floats
    seed: int

    def __post_init__(self) -> None:
        check_shapes(self.points, self.values)

    @classmethod
    def fit(cls, features: Features, values: Floats, rng: np.random.Generator) -> Self:
        """Draw a seed."""
        return cls(features, values, int(rng.integers(2**31)))

    def predict(self, features: Features) -> tuple[Floats, Floats]:
        """Return mean and standard deviation, each of shape (m,), for features of shape (m, d)."""
        columns = np.ascontiguousarray(features, dtype=np.float32)
        total, squares = np.zeros(len(features)), np.zeros(len(features))
        for tree in self._trees:
            value = tree.predict(columns)[:, 0]
            total += value
            squares += value**2
        mean = total / len(self._trees)
        variance = np.maximum(squares / len(self._trees) - mean**2, 0)
        return self._centre + self._scale * mean, self._scale * np.sqrt(variance)

    @cached_property
    def _centre(self) -> float:
        return float(self.values.mean())

    @cached_property
    def _scale(self) -> float:
        return float(self.values.std()) if is_spread(self.values) else 1.0

    @cached_property
    def _trees(self) -> list[Any]:
        from sklearn.ensemble import RandomForestRegressor

        # of values without a unit: scikit-learn parts none that differ by less than 1e-8
        values = (self.values - self._centre) / self._scale
        forest = RandomForestRegressor(
            n_estimators=N_TREES, max_features=SHARE_OF_DESCRIPTORS, random_state=self.seed
        ).fit(self.points, values)
        return [one.tree_ for one in forest.estimators_]
