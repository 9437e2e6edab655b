"""What is believed of the last value: of one stage, and by the differences from there on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from molloop.search.difference import Difference, Pairs
from molloop.surrogate.model import Features, Floats, Joint, independent

F = TypeVar("F", float, Floats)


class Believed(Protocol):
    """What says something of molecules; models do."""

    def predict(self, features: Features) -> tuple[Floats, Floats]:
        """Return mean and standard deviation, shapes (m,)."""

    def screen(self, features: Features) -> tuple[Floats, Floats]:
        """Return what these can be at most."""

    def interval(self, features: Features) -> tuple[Floats, Floats, Floats]:
        """Return between which the mean lies, and what the deviation can be at most."""

    def scatter(self, std: Floats) -> Floats:
        """Return the standard deviation of simulated values, where a deviation is predicted."""

    def joint(self, features: Features) -> Joint:
        """Return the prediction for m molecules together."""


@dataclass(frozen=True, eq=False)
class Certain:
    """Values of m molecules that are there, shape (m,): nothing about them is in doubt."""

    values: Floats

    def predict(self, features: Features) -> tuple[Floats, Floats]:
        """Return the values, and no deviation."""
        del features
        return self.values, np.zeros_like(self.values)

    screen = predict

    def interval(self, features: Features) -> tuple[Floats, Floats, Floats]:
        """Return the values twice, and no deviation."""
        return self.values, *self.predict(features)

    def scatter(self, std: Floats) -> Floats:
        """Return the deviation as it is."""
        return std

    def joint(self, features: Features) -> Joint:
        """Return the values, as independent."""
        return independent(*self.predict(features))


@dataclass(frozen=True, eq=False)
class Chain:
    """What is believed of one stage, and the differences from there to the last one."""

    first: Believed
    differences: Sequence[Difference]

    def predict(self, features: Features) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of the last value, each of shape (m,)."""
        mean, std = self.first.predict(features)
        for one in self.differences:
            mean, std = one.add(mean, std, one.rest(features))
        return mean, std

    def screen(self, features: Features) -> tuple[Floats, Floats]:
        """Return what these can be at most, term by term."""
        mean, std = self.first.screen(features)
        for one in self.differences:
            mean, std = one.add(mean, std, one.bounds(features))
        return mean, std

    def interval(self, features: Features) -> tuple[Floats, Floats, Floats]:
        """Return between which the mean lies, and what the deviation can be at most."""
        low, high, most = self.first.interval(features)
        for one in self.differences:
            own_low, own_high, own_most = one.interval(features)
            low, _ = one.add(low, most, (own_low, own_most))
            high, most = one.add(high, most, (own_high, own_most))
        return low, high, most

    def scattered(self, features: Features) -> Floats:
        """Return the deviation of last values as they will be simulated, shape (m,)."""
        first = self.first.predict(features)[1]
        return self._scattered(first, [one.rest(features)[1] for one in self.differences])

    def scattered_between(self, features: Features) -> tuple[Floats, Floats]:
        """Return what that can be at least and at most."""
        most = self.first.interval(features)[2]
        mosts = [one.interval(features)[2] for one in self.differences]
        nothing = np.zeros_like(most)
        least = self._scattered(nothing, [nothing for _ in mosts])
        return least, self._scattered(most, mosts)

    def _scattered(self, first: Floats, rests: Sequence[Floats]) -> Floats:
        """Return it by the deviations of the first value and of the remainders."""
        std = self.first.scatter(first)
        for one, rest in zip(self.differences, rests, strict=True):
            std = np.hypot(one.slope * std, one.scatter(rest))
        return std

    def joint(self, features: Features) -> Joint:
        """Return the last value of m molecules together."""
        joint = self.first.joint(features)
        for one in self.differences:
            joint = one.joint(features, joint)
        return joint

    def usual(self, value: F) -> F:
        """Return the last value that one of the first stage comes to, of a molecule like others."""
        for one in self.differences:
            value = one.offset + one.slope * value
        return value

    def unresolved(self, features: Features) -> Floats:
        """Return the deviation that is left once the first stage's value is known, shape (m,)."""
        mean = std = np.zeros(len(features))
        for one in self.differences:
            mean, std = one.add(mean, std, one.rest(features))
        return std


def chained(first: Believed, pairs: Sequence[Pairs], rng: np.random.Generator) -> Chain:
    """Return a chain, its differences learnt from pairs of one stage and the next."""
    return Chain(first, [Difference.fit(one, rng) for one in pairs])
