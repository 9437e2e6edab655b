"""Features that are no columns of a library's shards: computed once and kept beside it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rdkit import Chem, rdBase

from molloop.library.computable import Computable, Values
from molloop.library.computed import Kept, computed_files, molecules_of, write_array
from molloop.library.features import Scaling
from molloop.library.kept_features import KeptFeatures, open_features
from molloop.library.kinds import COLUMNS
from molloop.library.manifest import FEATURES_FOLDER
from molloop.library.own_features import computed
from molloop.library.registry import FEATURES, feature_kind, imported
from molloop.library.shard import Shard
from molloop.library.shards import Library, Progress
from molloop.library.statistics import Statistics

AT_A_TIME = 256  # molecules
SCALING = "scaling.npy"  # mean and standard deviation, shape (2, width)


@dataclass(frozen=True)
class FeaturesOf(Computable):
    """Features of a kind, as something to be computed of a library.

    Attributes
    ----------
    name
        Of the kind.
    width
        How many numbers, or bytes, a molecule has.
    """

    name: str
    width: int
    reads_columns: bool = True
    at_a_time: int = AT_A_TIME

    @property
    def dtype(self) -> type[np.generic]:
        """Of the numbers."""
        return feature_kind(self.name).dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what a molecule has."""
        return (self.width,)

    @property
    def fact(self) -> str:
        """What is computed: the kind, its version, and the file that says how."""
        kind, checksum = imported(self.name)
        return f"features {(FEATURES.reference(self.name), kind.version, checksum)}"

    def compute_all(self, molecules: Sequence[Chem.Mol]) -> Values:
        """Compute them of n molecules, shape (n, width)."""
        return computed(self.name, molecules, self.width)


def with_features(
    library: Library, name: str, cache_dir: Path, n_processes: int, progress: Progress | None
) -> Library:
    """Return a library that has features of a kind, which are computed at the first time.

    Parameters
    ----------
    cache_dir
        Keeps them where the library's folder may not be written.
    n_processes
        That compute.
    progress
        Called with what is being done, and how much of it, 0 to 1.

    Raises
    ------
    InputError
        There are none of this name, or they cannot be imported.
    RunError
        They cannot be computed or kept.
    """
    if name in COLUMNS or name in library.kept_features:
        return library
    with rdBase.BlockLogs():
        first = molecules_of(Shard(library.shards[0]), 0, 1, with_columns=True)
        wanted = FeaturesOf(name, computed(name, list(first)).shape[1])
    kept = Kept.beside(library, FEATURES_FOLDER, cache_dir)
    report = progress or (lambda _what, _fraction: None)
    told = partial(report, "computing features")
    files = computed_files(library, wanted, kept, n_processes, told)
    beside = KeptFeatures(tuple(map(str, files)), _scaling(library, files, wanted))
    return Library(library.folder, library.kept_features | {name: beside})


def _scaling(library: Library, files: Sequence[Path], wanted: FeaturesOf) -> Scaling:
    """Return what standardises features over a library; it is kept beside them."""
    path = files[0].with_name(SCALING)
    with suppress(OSError, ValueError, EOFError):
        both = np.load(path, allow_pickle=False)
        if both.shape == (2, wanted.width):
            return Scaling(*both)
    statistics = Statistics(wanted.width)
    for file, ref in zip(files, library.shards, strict=True):
        statistics.add(open_features(file, ref.n_molecules))
    each = statistics.summary([""] * wanted.width)
    scaling = Scaling(np.array([one.mean for one in each]), np.array([one.std for one in each]))
    with suppress(OSError):
        write_array(path, np.stack([scaling.mean, scaling.std]))
    return scaling
