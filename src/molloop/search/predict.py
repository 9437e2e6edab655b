"""What a model says of a whole library, a part at a time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molloop.library.features import Scaling, for_models
from molloop.library.shard import Shard, ShardRef
from molloop.search.candidates import CHUNK
from molloop.search.chain import Chain
from molloop.surrogate.model import Features, Floats, Surrogate


@dataclass(frozen=True, eq=False)
class Predicted:
    """Molecule ids, and mean and standard deviation of each, shapes (n,)."""

    ids: NDArray[np.int64]
    means: Floats
    stds: Floats

    def rows(self, rows: NDArray[np.intp]) -> "Predicted":
        """Return some of them."""
        return Predicted(self.ids[rows], self.means[rows], self.stds[rows])


def predicted(
    model: Surrogate | Chain, kind: str, shards: Sequence[ShardRef], scaling: Scaling
) -> Iterator[Predicted]:
    """Predict every molecule of a library that may be chosen, in its order.

    Parameters
    ----------
    kind
        Of features, from which the model has learned.

    Yields
    ------
    Some thousands at a time, so that memory does not grow with the library.
    """
    for ref in shards:
        for rows, features in meant_features(Shard(ref), kind, scaling):
            yield Predicted(ref.first_id + rows, *model.predict(features))


def meant_features(
    shard: Shard, kind: str, scaling: Scaling
) -> Iterator[tuple[NDArray[np.intp], Features]]:
    """Yield rows of a shard that may be chosen, some thousands at a time, and their features."""
    kept, meant = shard.features(kind), shard.meant
    for start in range(0, shard.ref.n_molecules, CHUNK):
        rows = np.arange(start, min(start + CHUNK, shard.ref.n_molecules))
        rows = rows if meant is None else rows[meant[rows]]
        if len(rows):
            yield rows, for_models(kept[rows], scaling)


def best_predicted(parts: Iterable[Predicted], n: int) -> Predicted:
    """Return the n with the largest means, best first; equal ones go by the lower id."""
    nothing = np.empty(0)
    best = Predicted(nothing.astype(np.int64), nothing, nothing)
    for part in parts:
        both = Predicted(
            np.concatenate([best.ids, part.ids]),
            np.concatenate([best.means, part.means]),
            np.concatenate([best.stds, part.stds]),
        )
        best = both.rows(np.lexsort((both.ids, -both.means))[:n])
    return best
