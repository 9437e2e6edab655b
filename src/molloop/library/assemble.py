"""Parts become shards of one size, each molecule once."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from molloop.files import write_whole
from molloop.library.batches import join_batches
from molloop.library.columns import kept_names, without_origins
from molloop.library.descriptors import DESCRIPTORS
from molloop.library.duplicates import first_occurrences
from molloop.library.later_geometries import LaterGeometries
from molloop.library.manifest import (
    DUPLICATES,
    REJECTS,
    Counts,
    DescriptorStatistics,
    ShardEntry,
)
from molloop.library.merged import write_merged
from molloop.library.parts import Part
from molloop.library.repeated import Repeated
from molloop.library.shard import Shard, ShardRef, write_shard
from molloop.library.shards import Progress
from molloop.library.statistics import Statistics

REJECTS_HEADINGS = ("file", "line", "name", "text", "reason")
MIN_SHARD_SIZE = 2**15
MAX_SHARDS = 2048  # of a library of up to 10^9: a ranking is a task a shard


@dataclass(frozen=True, slots=True)
class Assembled:
    """What came of the parts."""

    counts: Counts
    descriptors: tuple[DescriptorStatistics, ...]
    shards: tuple[ShardEntry, ...]
    kept: tuple[str, ...]

    @property
    def n_molecules(self) -> int:
        """In all shards."""
        return sum(one.n_molecules for one in self.shards)


def assemble(
    parts: Sequence[Part], files: Sequence[str], folder: Path, scratch: Path, report: Progress
) -> Assembled:
    """Write the shards, the list of rejects and that of duplicates into a folder.

    Parameters
    ----------
    files
        Names of the source's files, in their order.
    """
    report("finding duplicates", 0.0)
    counts = sum((part.counts() for part in parts), Counts())
    n_rows = counts.read - counts.invalid - counts.filtered - counts.duplicates
    is_first = first_occurrences((part.hashes() for part in parts), n_rows, scratch)
    n_molecules = int(np.count_nonzero(is_first))
    statistics = Statistics(len(DESCRIPTORS))
    shards: list[ShardEntry] = []
    refs: list[ShardRef] = []
    kept: dict[str, None] = {}
    first_id = 0
    later = LaterGeometries(_masks(parts, is_first), files)
    for batch in _resized(map(later.fill, _kept(parts, is_first)), shard_size(n_molecules)):
        path = folder / f"shard-{len(shards):05}.arrow"
        shards.append(write_shard(path, batch))
        refs.append(ShardRef(str(path), first_id, batch.num_rows))
        statistics.add(Shard(refs[-1]).descriptors)
        kept |= dict.fromkeys(kept_names(batch.schema))
        first_id += batch.num_rows
        report("writing shards", first_id / n_molecules)
    write_rejects(parts, folder)
    repeated = _repeated(parts, is_first)
    write_whole(folder / DUPLICATES, partial(write_merged, repeated, refs, files))
    return Assembled(
        counts=counts + Counts(duplicates=n_rows - n_molecules),
        descriptors=statistics.summary(DESCRIPTORS),
        shards=tuple(shards),
        kept=tuple(kept),
    )


def write_rejects(parts: Sequence[Part], folder: Path) -> Path:
    """Write the list of rejects into a folder; return its path."""
    path = folder / REJECTS
    write_whole(path, partial(_join_rejects, parts))
    return path


def shard_size(n_molecules: int) -> int:
    """Return how many molecules stand in a shard; it depends on their number alone."""
    size = MIN_SHARD_SIZE
    while n_molecules > MAX_SHARDS * size:
        size *= 2
    return size


def _kept(parts: Sequence[Part], is_first: NDArray[np.bool_]) -> Iterator[pa.RecordBatch]:
    for part, mask in _masks(parts, is_first):
        batch = without_origins(part.open().replace_schema_metadata(None))
        yield batch if mask.all() else batch.filter(pa.array(mask))


def _repeated(parts: Sequence[Part], is_first: NDArray[np.bool_]) -> Iterator[list[Repeated]]:
    for part, mask in _masks(parts, is_first):
        yield part.all_repeated(mask)


def _masks(
    parts: Sequence[Part], is_first: NDArray[np.bool_]
) -> Iterator[tuple[Part, NDArray[np.bool_]]]:
    start = 0
    for part in parts:
        stop = start + part.open().num_rows
        yield part, np.array(is_first[start:stop])
        start = stop


def _resized(batches: Iterator[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """Cut the same rows into batches of `size`, the last of what is left."""
    waiting: list[pa.RecordBatch] = []
    n_waiting = 0
    for batch in batches:
        waiting.append(batch)
        n_waiting += batch.num_rows
        while n_waiting >= size:
            n_left = n_waiting - size
            last = waiting.pop()
            n_taken = last.num_rows - n_left
            yield join_batches([*waiting, last.slice(0, n_taken)])
            waiting, n_waiting = [last.slice(n_taken)], n_left
    if n_waiting:
        yield join_batches(waiting)


def _join_rejects(parts: Sequence[Part], path: Path) -> None:
    with path.open("wb") as file:
        file.write((",".join(REJECTS_HEADINGS) + "\r\n").encode())
        for part in parts:
            with part.rejects.open("rb") as rows:
                shutil.copyfileobj(rows, file)
