"""What a model says of a whole library, a part at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from molloop.library.kinds import KINDS
from molloop.library.shards import Library, Shard
from molloop.search.candidates import CHUNK
from molloop.surrogate.model import Floats, Surrogate


@dataclass(frozen=True, eq=False)
class Predicted:
    """Molecule ids, and mean and standard deviation of each, shapes (n,)."""

    ids: NDArray[np.int64]
    means: Floats
    stds: Floats

    def rows(self, rows: NDArray[np.intp]) -> "Predicted":
        """Return some of them."""
        return Predicted(self.ids[rows], self.means[rows], self.stds[rows])


def predicted(model: Surrogate, kind: str, library: Library) -> Iterator[Predicted]:
    """Predict every molecule of a library, in its order.

    Parameters
    ----------
    kind
        A key of ``molloop.library.kinds.KINDS``, from which the model has learned.

    Yields
    ------
    Some thousands at a time, so that memory does not grow with the library.
    """
    for ref in library.shards:
        kept = Shard(ref).features(kind)
        for start in range(0, ref.n_molecules, CHUNK):
            features = KINDS[kind].for_models(kept[start : start + CHUNK], library.scaling)
            first_id = ref.first_id + start
            yield Predicted(np.arange(first_id, first_id + len(features)), *model.predict(features))


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
