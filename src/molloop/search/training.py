"""What a ranking learns from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molloop.library.features import Scaling
from molloop.library.shards import Library
from molloop.search.difference import Pairs
from molloop.surrogate.model import Features, Floats

PAIRS = "pairs_"  # begins the names of arrays, before a number of two digits


@dataclass(frozen=True, eq=False)
class Training:
    """What a ranking learns from, and what it leaves out.

    Attributes
    ----------
    features, values
        Of n molecules, shapes (n, width) and (n,); large values are good.
    order
        Puts these rows, which are as they came, into the order in which a model learns from them,
        shape (n,): a fit may not depend on which came first.
    tried
        Ids that are no candidates, shape (k,).
    pending
        Features of those of them that are being simulated, shape (p, width).
    failed
        Features of molecules that gave no value, by what they are, shape (f, width).
    pending_fingerprints
        Of the pending ones, shape (p, n_bits / 8), where a batch is asked to be diverse.
    scaling
        Standardises the features.
    best
        The best value that counts as one.
    pairs
        In a run of several stages, from the first to the second, ... to the last one; of a goal,
        those of each quantity. The library is then ranked by what is expected of the last value.
    """

    features: Features
    values: Floats
    order: NDArray[np.int64]
    tried: NDArray[np.int64]
    pending: Features
    failed: Features
    scaling: Scaling
    best: float
    pairs: tuple[Pairs, ...] = ()
    pending_fingerprints: Features = field(default_factory=lambda: np.empty((0, 0), np.uint8))

    @classmethod
    def of(
        cls,
        library: Library,
        kind: str,
        values: Mapping[int, float],
        tried: Iterable[int] = (),
        failed: Sequence[int] = (),
    ) -> "Training":
        """Take molecules of a library: features of a kind for ids and their values.

        Parameters
        ----------
        kind
            As of :meth:`~molloop.Library.features`.
        tried
            Ids that are left out beside those with a value.
        failed
            Ids of molecules that gave no value; they are left out too.
        """
        flat = np.array(list(values.values()))
        return cls(
            features=library.features(kind, list(values)),
            values=flat,
            order=np.arange(len(values)),
            tried=np.array(sorted({*values, *tried, *failed}), dtype=np.int64),
            pending=library.features(kind, []),
            failed=library.features(kind, failed),
            scaling=library.scalings[kind],
            best=float(flat.max()),
        )

    def write(self, path: Path) -> None:
        """Save it to a file of numbers."""
        arrays: dict[str, Any] = {
            **{name: one for name, one in vars(self).items() if name not in ("scaling", "pairs")},
            "scaling": self.scaling.as_array(),
        }
        for place, one in enumerate(self.pairs):
            arrays |= one.arrays(f"{PAIRS}{place:02}_")
        np.savez(path, **arrays)

    @classmethod
    def read(cls, path: Path) -> "Training":
        """Read it back."""
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if not name.startswith(PAIRS)}
            others = {name[: len(PAIRS) + 3] for name in file.files if name.startswith(PAIRS)}
            pairs = tuple(Pairs.of(file, prefix) for prefix in sorted(others))
        kept = {"scaling": Scaling(*arrays["scaling"]), "best": arrays["best"].item()}
        return cls(**arrays | kept, pairs=pairs)
