"""The initial design: a seeded sequence of molecule ids without repeats."""

from collections.abc import Container
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from molloop.library.bits import Bits
from molloop.search.acquisition import mix

N_ROUNDS = 8
CHUNK = 512
PASSED_OVER = -1


@dataclass(slots=True)
class _Kept:
    """What a design remembers: the ids of a chunk, and the place after the last that is meant."""

    end: int
    number: int = -1
    ids: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class InitialDesign:
    """Random molecules in a fixed order; any place of it is computed when it is needed.

    Replacements of failures come from the same sequence, so what is simulated depends on the
    seed alone and not on the order in which simulations end.

    A Feistel network permutes the smallest range of 4^k integers that holds all ids, and is applied
    again to what falls outside of them: Black and Rogaway, Ciphers with Arbitrary Finite Domains,
    CT-RSA 2002, doi:10.1007/3-540-45760-7_9.

    Attributes
    ----------
    n_molecules
        Size of the library.
    seed
        Of the campaign; the network's keys are drawn from ``default_rng([seed, 0])``.
    meant
        Which molecules may be taken; None: all. The others are passed over, so that what comes
        next is the same where a run goes on with other conditions.
    """

    n_molecules: int
    seed: int
    meant: Bits | None = field(default=None, compare=False, repr=False)

    def take(self, start: int, n: int, *taken: Container[int]) -> tuple[tuple[int, ...], int]:
        """Return up to n ids from place `start` on, and how many places they used.

        Parameters
        ----------
        taken
            Ids that are passed over. Fewer than n come back where the library ends.
        """
        ids: list[int] = []
        place = end = start
        while len(ids) < n and place < self._kept.end:
            number, offset = divmod(place, CHUNK)
            for one in self._chunk(number)[offset:]:
                if len(ids) == n:
                    break
                place += 1
                if one == PASSED_OVER:
                    continue
                end = place
                if not any(one in others for others in taken):
                    ids.append(one)
        if place >= self._kept.end:
            self._kept.end = min(self._kept.end, end)  # not looked through again
        return tuple(ids), place - start

    def _chunk(self, number: int) -> list[int]:
        """Return the ids of some places in a row; the last ones are kept: mostly few are taken."""
        if number != self._kept.number:
            end = min((number + 1) * CHUNK, self.n_molecules)
            ids = self._permute(np.arange(number * CHUNK, end)).astype(np.int64)
            if self.meant is not None:
                ids[~self.meant.at(ids)] = PASSED_OVER
            self._kept.number, self._kept.ids = number, ids.tolist()
        return self._kept.ids

    def _permute(self, places: NDArray[np.int64]) -> NDArray[np.uint64]:
        ids = self._encrypt(places.astype(np.uint64))
        while (outside := ids >= self.n_molecules).any():
            ids[outside] = self._encrypt(ids[outside])
        return ids

    def _encrypt(self, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
        n_bits, mask, keys = self._network
        left, right = numbers >> n_bits, numbers & mask
        for key in keys:
            left, right = right, left ^ (mix(right ^ key) & mask)
        return (left << n_bits) | right

    @cached_property
    def _kept(self) -> "_Kept":
        return _Kept(self.n_molecules)

    @cached_property
    def _network(self) -> tuple[np.uint64, np.uint64, NDArray[np.uint64]]:
        """Return the bits of a half, the mask of it, and a key a round."""
        n_bits = max(1, -(-(max(self.n_molecules, 2) - 1).bit_length() // 2))
        rng = np.random.default_rng([self.seed, 0])
        keys = rng.integers(0, 2**64, N_ROUNDS, dtype=np.uint64)
        return np.uint64(n_bits), np.uint64(2**n_bits - 1), keys
