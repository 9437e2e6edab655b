"""What a library knows of every molecule, taken for objectives and constraints."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from molloop.library.computed import Kept, computed_files
from molloop.library.conditions_on_structures import SyntheticAccessibility
from molloop.library.kept_features import KeptFeatures
from molloop.library.known_names import ACCESSIBILITY
from molloop.library.manifest import CONDITIONS
from molloop.library.shards import Library, Progress

# that of every bound: what is computed and kept is the same
SCORE = SyntheticAccessibility(1.0, is_least=True)


def with_known(
    library: Library,
    descriptors: Iterable[str],
    cache_dir: Path,
    n_processes: int,
    progress: Progress | None,
) -> Library:
    """Return a library that knows some descriptors; what it has not is computed at the first time.

    Parameters
    ----------
    cache_dir
        Keeps it where the library's folder may not be written.
    n_processes
        That compute.
    progress
        Called with what is being done, and how much of it, 0 to 1.

    Raises
    ------
    RunError
        It cannot be computed or kept.
    """
    if ACCESSIBILITY not in descriptors or ACCESSIBILITY in library.kept_features:
        return library
    kept = Kept.beside(library, CONDITIONS, cache_dir)
    report = progress or (lambda _what, _fraction: None)
    told = partial(report, f"computing {SCORE.fact}")
    files = computed_files(library, SCORE, kept, n_processes, told)
    beside = KeptFeatures(tuple(map(str, files)), None)
    return Library(library.folder, library.kept_features | {ACCESSIBILITY: beside})
