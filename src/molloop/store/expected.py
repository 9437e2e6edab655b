"""How wrong a model was, in sums."""

from dataclasses import dataclass


@dataclass
class Errors:
    """Sums of what rankings expected of the molecules that they chose, and what these have."""

    n: int = 0
    absolute: float = 0.0
    signed: float = 0.0
    n_within: int = 0

    def add(self, mean: float, std: float, value: float) -> None:
        """Count a molecule: predicted mean and standard deviation, simulated value."""
        error = mean - value
        self.n += 1
        self.absolute += abs(error)
        self.signed += error
        self.n_within += abs(error) <= std
