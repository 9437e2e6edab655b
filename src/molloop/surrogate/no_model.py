"""No model, for a policy that goes by none."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from molloop.surrogate.model import Features, Floats, Surrogate


@dataclass(frozen=True, eq=False)
class NoModel(Surrogate):
    """Learns nothing and predicts nothing: what it says of a molecule is no number."""

    learns_from = "fingerprints"  # nothing has to be computed of them
    acquisition = "random"
    learns_failures = False

    @classmethod
    def fit(cls, features: Features, values: Floats, rng: np.random.Generator) -> Self:
        """Return it."""
        del features, values, rng
        return cls()

    def predict(self, features: Features) -> tuple[Floats, Floats]:
        """Return NaN for mean and standard deviation, shapes (m,)."""
        nothing = np.full(len(features), np.nan)
        return nothing, nothing
