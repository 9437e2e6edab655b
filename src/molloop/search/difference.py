"""What a molecule's value changes by from one stage to the next, learnt from pairs of values."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from molloop.surrogate.model import (
    Features,
    Floats,
    Joint,
    Surrogate,
    independent,
    is_spread,
    load,
    save,
)
from molloop.surrogate.registry import MODELS, model_class

LEAST_PAIRS = 8  # with fewer the difference is a constant
SLOPE_STD = 0.5  # how far from 1 a trend between two stages is expected to be
LEARNER = "gp"


@dataclass(frozen=True, eq=False)
class Pairs:
    """Values of n molecules in a stage and the one above it; large ones are good.

    Attributes
    ----------
    features
        Shape (n, width).
    below, above
        Their values, shape (n,).
    spread
        Standard deviation of all values of the stage below.
    failed
        Features of molecules that gave no value above, by what they are, shape (f, width).
    place
        Of the quantity whose values they are, in a goal.
    lacks
        Which of them lack a value of another quantity of a goal above, shape (n,); None: none does.
    """

    features: Features
    below: Floats
    above: Floats
    spread: float
    failed: Features
    place: int = 0
    lacks: NDArray[np.bool_] | None = None

    @property
    def tried(self) -> tuple[Features, Features]:
        """Features of what has all values above, and of what has not."""
        if self.lacks is None:
            return self.features, self.failed
        without = np.concatenate([self.failed, self.features[self.lacks]])
        return self.features[~self.lacks], without

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return all that it is made of, by names that begin alike."""
        there = {name: one for name, one in vars(self).items() if one is not None}
        return {f"{prefix}{name}": np.asarray(one) for name, one in there.items()}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], prefix: str) -> Self:
        """Take it from such arrays."""
        names = [one.name for one in fields(cls) if prefix + one.name in arrays]
        of = {name: arrays[prefix + name] for name in names}
        return cls(**of | {"spread": of["spread"].item(), "place": of["place"].item()})


@dataclass(frozen=True, eq=False)
class Difference:
    """A line through the values of two stages, and what molecules are off it.

    The value above is ``offset + slope * value below`` and a remainder. With eight pairs or more a
    Gaussian process on the features predicts the remainder. With fewer it has the mean 0 and the
    standard deviation `std`, and the slope is 1: as wide as the values themselves before the first
    pair, then by the scatter of the pairs, of which that width counts as another one.

    Attributes
    ----------
    offset, slope
        The slope is 0 at least.
    std
        Of the remainder, where no model predicts it.
    model
        Of the remainder.
    """

    offset: float
    slope: float
    std: float
    model: Surrogate | None = None

    @classmethod
    def fit(cls, pairs: Pairs, rng: np.random.Generator) -> Self:
        """Learn from n >= 0 pairs; features that are bits are not learnt from.

        The slope has a normal prior around 1: Bishop, Pattern Recognition and Machine Learning,
        Springer 2006, section 3.3.
        """
        gains, n = pairs.above - pairs.below, len(pairs.below)
        mean = float(gains.mean()) if n else 0.0
        scatter = float(np.square(gains - mean).sum())
        if n < LEAST_PAIRS:
            # n pairs around their own mean tell n - 1 squares, and leave that mean in doubt
            variance = (pairs.spread**2 + scatter) / max(n, 1)
            return cls(mean, 1.0, float(np.sqrt(variance * (1 + 1 / n if n else 1))))
        centre = float(pairs.below.mean())
        off = pairs.below - centre
        squares, product = float(off @ off), float(off @ gains)
        # of the noise: what the least-squares line leaves
        noise = max(scatter - (product**2 / squares if squares > 0 else 0.0), 0.0) / (n - 2)
        weight = squares + noise / SLOPE_STD**2
        slope = max(0.0, 1.0 + (product / weight if weight > 0 else 0.0))
        offset = float(pairs.above.mean()) - slope * centre
        rest = pairs.above - offset - slope * pairs.below
        std = float(np.sqrt(np.square(rest).sum() / (n - 2)))
        if pairs.features.dtype == np.uint8 or not is_spread(rest):
            return cls(offset, slope, std)
        model = _learner().fit(pairs.features, rest, rng)
        return cls(offset, slope, std, model)

    def rest(self, features: Features) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of the remainder, shapes (m,)."""
        if self.model is None:
            return np.zeros(len(features)), np.full(len(features), self.std)
        return self.model.predict(features)

    def bounds(self, features: Features) -> tuple[Floats, Floats]:
        """Return what these can be at most, shapes (m,)."""
        return self.rest(features) if self.model is None else self.model.screen(features)

    def interval(self, features: Features) -> tuple[Floats, Floats, Floats]:
        """Return between which the mean lies, and what the deviation can be at most."""
        if self.model is not None:
            return self.model.interval(features)
        mean, std = self.rest(features)
        return mean, mean, std

    def scatter(self, std: Floats) -> Floats:
        """Return the deviation of remainders as they will be simulated, shape (m,)."""
        return np.full_like(std, self.std) if self.model is None else self.model.scatter(std)

    def add(self, mean: Floats, std: Floats, rest: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        """Return what is believed of the value above, from the value below and the remainder."""
        return (
            self.offset + self.slope * mean + rest[0],
            np.sqrt(np.square(self.slope * std) + np.square(rest[1])),
        )

    def joint(self, features: Features, below: Joint) -> Joint:
        """Return the same of m molecules together."""
        own = independent(*self.rest(features)) if not self.model else self.model.joint(features)
        squared = self.slope**2
        return Joint(
            self.offset + self.slope * below.mean + own.mean,
            squared * below.variance + own.variance,
            squared * below.noise + own.noise,
            lambda row: squared * below.covariance(row) + own.covariance(row),
        )

    def write(self, path: Path) -> None:
        """Save it to files of numbers."""
        np.savez(path, line=np.array([self.offset, self.slope, self.std]))
        if self.model is not None:
            save(self.model, _beside(path))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read it back."""
        with np.load(path, allow_pickle=False) as file:
            offset, slope, std = file["line"].tolist()
        beside = _beside(path)
        return cls(offset, slope, std, load(_learner(), beside) if beside.exists() else None)


def _learner() -> type[Surrogate]:
    return model_class(MODELS.reference(LEARNER))


def _beside(path: Path) -> Path:
    return path.with_suffix(".model.npz")
