"""What was merged as the same molecule: duplicates.csv."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from molloop.library.repeated import Repeated
from molloop.library.shard import Shard, ShardRef
from molloop.texts import sheet_cell

HEADINGS = ("molecule_id", "kept_name", "file", "line", "name", "text")
CHUNK_ROWS = 2**17  # so many are in memory; for each chunk all shards are looked through once


def write_merged(
    groups: Iterable[Sequence[Repeated]],
    shards: Sequence[ShardRef],
    files: Sequence[str],
    path: Path,
) -> None:
    """Write duplicates.csv.

    Parameters
    ----------
    groups
        The rows of a part each, in the order of the source; within a group in any order.
    shards
        Of the finished library: they hold the molecules that were kept.
    files
        Names of the source's files, in their order.
    """
    place = {name: number for number, name in enumerate(files)}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for rows in _chunks(groups, place):
            kept = _Kept(shards, np.array([row.identity_hash for row in rows], dtype=np.uint64))
            for row in rows:
                molecule_id, name = kept.of(row.identity_hash)
                texts = map(sheet_cell, (row.name, row.text))
                writer.writerow(
                    (molecule_id, sheet_cell(name), sheet_cell(row.file), row.line, *texts)
                )


def _chunks(
    groups: Iterable[Sequence[Repeated]], place: Mapping[str, int]
) -> Iterator[list[Repeated]]:
    waiting: list[Repeated] = []
    for group in groups:
        waiting += sorted(group, key=lambda row: (place[row.file], row.line))
        if len(waiting) >= CHUNK_ROWS:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


class _Kept:
    """Ids and names of the molecules that some hashes belong to."""

    def __init__(self, shards: Sequence[ShardRef], hashes: NDArray[np.uint64]) -> None:
        self._hashes = np.unique(hashes)
        self._ids = np.zeros(len(self._hashes), dtype=np.int64)
        self._names: dict[int, str] = {}
        for ref in shards:
            shard = Shard(ref)
            found = shard.identity_hashes
            places = np.searchsorted(self._hashes, found)
            places[places == len(self._hashes)] = 0
            rows = np.flatnonzero(self._hashes[places] == found)
            self._ids[places[rows]] = ref.first_id + rows
            names = shard.names.take(pa.array(rows)).to_pylist()
            self._names |= zip((ref.first_id + rows).tolist(), names, strict=True)

    def of(self, identity_hash: int) -> tuple[int, str]:
        molecule_id = int(self._ids[np.searchsorted(self._hashes, np.uint64(identity_hash))])
        return molecule_id, self._names[molecule_id]
