"""The initial design: a lazy, seeded sequence of molecule ids without repeats."""

from collections.abc import Collection, Iterator
from itertools import islice

import numpy as np


class InitialDesign:
    """Random molecules in a fixed order, drawn as they are needed.

    Replacements of failures come from the same sequence, so what is simulated depends on the
    seed alone and not on the order in which simulations end.

    Parameters
    ----------
    n_molecules
        Size of the library.
    seed
        Of the campaign; the sequence draws from ``default_rng([seed, 0])``.
    excluded
        Ids that are left out: their values are known.
    """

    def __init__(self, n_molecules: int, seed: int, excluded: Collection[int] = ()) -> None:
        left_out = frozenset(excluded)
        order = _shuffled(n_molecules, np.random.default_rng([seed, 0]))
        self._rest = (molecule_id for molecule_id in order if molecule_id not in left_out)
        self._drawn: list[int] = []

    def take(self, start: int, n: int) -> tuple[int, ...]:
        """Return up to n ids from place `start` on; fewer where the library ends."""
        missing = start + n - len(self._drawn)
        if missing > 0:
            self._drawn.extend(islice(self._rest, missing))
        return tuple(self._drawn[start : start + n])


def _shuffled(n: int, rng: np.random.Generator) -> Iterator[int]:
    """Fisher and Yates's shuffle of range(n), keeping only the places that were swapped."""
    swapped: dict[int, int] = {}
    for place in range(n):
        other = int(rng.integers(place, n))
        yield swapped.get(other, other)
        swapped[other] = swapped.pop(place, place)
