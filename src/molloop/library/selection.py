"""Which molecules of a library meet some conditions: counted, and kept in a file of bits."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from molloop.errors import InputError, RunError, remedy_there
from molloop.library.bits import Bits, open_bits, write_bits
from molloop.library.computed import Kept, compute_missing
from molloop.library.conditions_on_columns import Admitted, ColumnCondition, Condition
from molloop.library.conditions_on_structures import StructureCondition
from molloop.library.manifest import CONDITIONS
from molloop.library.shard import Shard, ShardRef
from molloop.library.shards import Library, Progress
from molloop.texts import counted


@dataclass(frozen=True, slots=True)
class Selection:
    """Which molecules of a library meet some conditions.

    Attributes
    ----------
    n_molecules
        Of the library.
    n_left
        How many of them meet all conditions.
    left_out
        Each condition in words, and how many it leaves out of those that meet all before it.
    path
        A file of a bit a molecule; empty: all meet them.
    """

    n_molecules: int
    n_left: int
    left_out: tuple[tuple[str, int], ...] = ()
    path: str = ""

    @classmethod
    def of_all(cls, library: Library) -> "Selection":
        """Return the one that leaves nothing out."""
        return cls(library.n_molecules, library.n_molecules)

    def mask(self) -> NDArray[np.bool_]:
        """Return which molecules meet the conditions, shape (n_molecules,)."""
        bits = bits_of(self)
        n = self.n_molecules
        return np.ones(n, dtype=np.bool_) if bits is None else bits.rows(0, n)

    @property
    def words(self) -> str:
        """How many are left, and what leaves out how many; conditions that leave out none too."""
        told = "; ".join(f"{words}: {n:,}" for words, n in self.left_out)
        meet = "meets" if self.n_left == 1 else "meet"
        left = f"{self.n_left:,} of {counted(self.n_molecules, 'molecule')} {meet} the conditions"
        return f"{left} (left out by {told})" if told else left


def bits_of(selection: Selection) -> Bits | None:
    """Return a bit a molecule; None: all meet the conditions."""
    return open_bits(Path(selection.path))[0] if selection.path else None


def left_out_of(selection: Selection, molecule_ids: Iterable[int]) -> frozenset[int]:
    """Return which of some molecules do not meet the conditions."""
    if (bits := bits_of(selection)) is None:
        return frozenset()
    ids = np.array(list(molecule_ids), dtype=np.int64)
    return frozenset(ids[~bits.at(ids)].tolist())


def shards_of(library: Library, selection: Selection) -> tuple[ShardRef, ...]:
    """Return a library's shards, for a ranking of the molecules that meet the conditions."""
    return tuple(replace(ref, selection=selection.path) for ref in library.shards)


def select(
    library: Library,
    conditions: Sequence[Condition],
    cache_dir: Path,
    n_processes: int = 1,
    progress: Progress | None = None,
) -> Selection:
    """Find the molecules of a library that meet some conditions.

    Parameters
    ----------
    conditions
        In the order in which they are counted; those on structures are computed at the first time.
    cache_dir
        Keeps what is computed where the library's folder may not be written.
    n_processes
        How many look at structures at the same time.
    progress
        Called with what is being done, and how much of it, 0 to 1.

    Raises
    ------
    InputError
        None meets them.
    RunError
        What is computed cannot be kept, or the library is damaged.
    """
    if not conditions:
        return Selection.of_all(library)
    report = progress or (lambda _what, _fraction: None)
    kept = Kept.beside(library, CONDITIONS, cache_dir)
    name = f"{kept.name(tuple(conditions))}.arrow"
    for folder in kept.folders:
        if (found := _known(folder / name, library.n_molecules)) is not None:
            return found
    return _select(library, conditions, kept, name, n_processes, report)


def _known(path: Path, n_molecules: int) -> Selection | None:
    """Return what was found another time; None where it is not there, or damaged."""
    with suppress(OSError, pa.ArrowInvalid, KeyError, TypeError, ValueError):
        bits, facts = open_bits(path)
        if bits.n == n_molecules:
            left_out = tuple((str(words), int(n)) for words, n in facts["left_out"])
            n_left = n_molecules - sum(n for _, n in left_out)
            return Selection(n_molecules, n_left, left_out, str(path))
    return None


def _select(
    library: Library,
    conditions: Sequence[Condition],
    kept: Kept,
    name: str,
    n_processes: int,
    report: Progress,
) -> Selection:
    on_columns = [one for one in conditions if isinstance(one, ColumnCondition)]
    on_structures = [one for one in conditions if isinstance(one, StructureCondition)]
    masks = [Bits.of(np.ones(ref.n_molecules, dtype=np.bool_)) for ref in library.shards]
    masks, counted = _narrowed(library, masks, on_columns, _by_columns)
    if on_structures:  # not before it is known that any molecule is left
        compute_missing(library, on_structures, kept, n_processes, partial(report, "matching"))

        def by_structures(number: int, _shard: Shard, condition: Condition) -> Admitted:
            assert isinstance(condition, StructureCondition)
            values = kept.read(condition, number, library.shards[number].n_molecules)
            if values is None:
                raise RunError(
                    f"What was computed for {condition.words} is gone.", "Give the command again."
                )
            return condition.admits(values)

        masks, more = _narrowed(library, masks, on_structures, by_structures)
        counted += more
    n = library.n_molecules
    n_left = n - sum(n_out for _, n_out in counted)
    if n_left == n:  # nothing to be kept: a plain run needs no folder that it may write
        return Selection(n, n, tuple(counted))
    path = kept.taking() / name
    try:
        write_bits(path, masks, {"left_out": counted})
    except OSError as error:
        raise RunError(
            f"{path} cannot be written ({error}).", f"{remedy_there(error)}, and try again."
        ) from error
    return Selection(n, n_left, tuple(counted), str(path))


def _by_columns(_number: int, shard: Shard, condition: Condition) -> Admitted:
    assert isinstance(condition, ColumnCondition)
    return condition.admits(shard)


def _narrowed(
    library: Library,
    masks: Sequence[Bits],
    conditions: Sequence[Condition],
    admits: Callable[[int, Shard, Condition], Admitted],
) -> tuple[list[Bits], list[tuple[str, int]]]:
    """Return the bits of each shard with some more conditions, and how many each leaves out."""
    n_before, n_out = 0, np.zeros(len(conditions), dtype=np.int64)
    found = []
    for number, ref in enumerate(library.shards):
        shard, mask = Shard(ref), masks[number].rows(0, ref.n_molecules)
        n_before += int(np.count_nonzero(mask))
        for place, condition in enumerate(conditions):
            both = mask & admits(number, shard, condition)
            n_out[place] += np.count_nonzero(mask) - np.count_nonzero(both)
            mask = both
        found.append(Bits.of(mask))
    n_left = n_before - np.cumsum(n_out)
    if (empty := np.flatnonzero(n_left == 0)).size:
        culprit, n_met = conditions[empty[0]], n_left[empty[0]] + n_out[empty[0]]
        before = " that meet those before it" if n_met < n_before else ""
        raise InputError(
            "conditions",
            culprit.words,
            f"one that some molecule of {library.manifest.name} meets",
            f"None of the {n_met:,}{before} does: {culprit.remedy}",
        )
    return found, [(one.words, int(n)) for one, n in zip(conditions, n_out, strict=True)]


def n_open_stereo(library: Library, selection: Selection) -> int:
    """Return how many molecules of a selection have a centre or double bond without its stereo."""
    n = 0
    for ref in shards_of(library, selection):
        shard = Shard(ref)
        stereo = shard.unspecified_stereo
        n += int(np.count_nonzero(stereo if shard.meant is None else stereo[shard.meant]))
    return n


def charges(library: Library, selection: Selection) -> dict[int, int]:
    """Return how many molecules of a selection have each formal charge."""
    counts: Counter[int] = Counter()
    for ref in shards_of(library, selection):
        shard = Shard(ref)
        meant = shard.facts.charges if shard.meant is None else shard.facts.charges[shard.meant]
        values, numbers = np.unique(meant, return_counts=True)
        counts.update(dict(zip(values.tolist(), numbers.tolist(), strict=True)))
    return dict(sorted(counts.items()))
