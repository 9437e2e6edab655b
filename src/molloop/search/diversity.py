"""How unlike each other the molecules of a batch are at least, where that is asked for."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from molloop.library.features import PackedFingerprints
from molloop.library.shard import Shard
from molloop.search.candidates import Candidates
from molloop.search.policy import Policy
from molloop.search.training import Training

FINGERPRINTS = "fingerprints"  # of a library, whose distances count; a column of candidates


@dataclass(frozen=True, eq=False)
class Apart:
    """Which of m molecules are unlike enough to one of them.

    Attributes
    ----------
    least
        Tanimoto distance of two of a batch, at least: 1 less the share of the bits that either has
        that both have. Rogers and Tanimoto, Science 132, 1115 (1960),
        doi:10.1126/science.132.3434.1115.
    words
        Of their fingerprints, 64 bits each, shape (n_words, m).
    n_set
        How many bits of each are 1, shape (m,).
    """

    least: float
    words: NDArray[np.uint64]
    n_set: NDArray[np.int64]

    @classmethod
    def of(cls, least: float, fingerprints: PackedFingerprints) -> Self:
        """Take packed fingerprints, shape (m, n_bits / 8), n_bits a multiple of 64."""
        words = np.ascontiguousarray(np.ascontiguousarray(fingerprints).view(np.uint64).T)
        return cls(least, words, np.bitwise_count(words).sum(axis=0, dtype=np.int64))

    def from_row(self, row: int) -> NDArray[np.bool_]:
        """Return which molecules are far enough from that of a row, shape (m,)."""
        n_both = np.bitwise_count(self.words & self.words[:, row, None]).sum(axis=0, dtype=np.int64)
        n_either = self.n_set + self.n_set[row] - n_both
        # a quotient of whole numbers: 1 - 0.8 would be less than 0.2
        distances = (n_either - n_both) / np.maximum(n_either, 1)
        return np.asarray(distances >= self.least)


def fingerprints_of(
    policy: Policy, shard: Shard, rows: NDArray[np.intp]
) -> dict[str, PackedFingerprints]:
    """Return a column of some molecules' fingerprints, where a batch is asked to be diverse."""
    return {FINGERPRINTS: shard.fingerprints[rows]} if policy.diversity else {}


def apart_of(policy: Policy, found: Candidates, training: Training) -> Apart | None:
    """Return which of candidates, and of what is pending behind them, are unlike each other.

    None where a batch is not asked to be diverse.
    """
    if not policy.diversity:
        return None
    both = np.concatenate([found[FINGERPRINTS], training.pending_fingerprints])
    return Apart.of(policy.diversity, both)
