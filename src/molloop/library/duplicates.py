"""Find repeated molecules among any number, in bounded memory."""

import os
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

BUCKET_ROWS = 2**21  # about, of one sort in memory
MAX_BUCKETS = 512  # files open at the same time
SEEN_SLOTS = 2**12, 2**24  # at least and at most: 32 kB and 128 MB
SLOTS_A_MOLECULE = 8


class Seen:
    """Hashes of molecules that one process has, told to others through a file.

    It never names a hash that was not added, but may forget one: each has one slot, and leaves it
    to the next that comes there. So it saves work, and the last word has
    :func:`first_occurrences`.
    """

    def __init__(self, path: Path, mode: Literal["r", "r+"] = "r") -> None:
        self.path = path
        # as an array: an element of a `memmap` takes ten times as long
        self._slots = np.asarray(np.memmap(path, dtype=np.uint64, mode=mode))
        self._mask = np.uint64(len(self._slots) - 1)

    @classmethod
    def create(cls, path: Path, n_molecules: int) -> "Seen":
        """Write an empty one, for about so many molecules.

        One that is larger than it need be takes time: each look touches a page of the file.
        """
        least, most = SEEN_SLOTS
        n_slots = min(max(least, 2 ** (SLOTS_A_MOLECULE * n_molecules).bit_length()), most)
        _write_zeros(path, 8 * n_slots)
        seen = cls(path, "r+")
        seen._slots[0] = 1  # belongs elsewhere: the hash 0 was not added
        return seen

    def add(self, hashes: NDArray[np.uint64]) -> None:
        """Add some, shape (n,)."""
        self._slots[hashes & self._mask] = hashes

    def __contains__(self, one: object) -> bool:
        return isinstance(one, int) and self._slots.item(one & int(self._mask)) == one


def first_occurrences(
    parts: Iterable[NDArray[np.uint64]], n_rows: int, scratch: Path
) -> NDArray[np.bool_]:
    """Tell which rows hold a hash that no row before them holds.

    Hashes are dealt out to buckets on disk by their leading bits; each bucket is sorted in memory.

    Parameters
    ----------
    parts
        The hashes, some rows at a time.
    n_rows
        Of all parts.
    scratch
        An empty folder for the buckets and the result.

    Returns
    -------
    Shape (n_rows,), mapped from a file in `scratch`.
    """
    n_bits = min(max(0, (n_rows // BUCKET_ROWS).bit_length()), MAX_BUCKETS.bit_length() - 1)
    paths = [scratch / f"bucket-{number}" for number in range(2**n_bits)]
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in paths]
        first_row = 0
        for hashes in parts:
            rows = np.empty(len(hashes), dtype=[("hash", np.uint64), ("row", np.int64)])
            rows["hash"], rows["row"] = hashes, np.arange(first_row, first_row + len(hashes))
            first_row += len(hashes)
            if n_bits == 0:
                rows.tofile(files[0])
                continue
            bucket = (hashes >> np.uint64(64 - n_bits)).astype(np.intp)
            order = np.argsort(bucket, kind="stable")
            edges = np.searchsorted(bucket[order], np.arange(2**n_bits + 1))
            for number in np.flatnonzero(np.diff(edges)):
                rows[order[edges[number] : edges[number + 1]]].tofile(files[number])
    path = scratch / "is_first"
    _write_zeros(path, max(1, n_rows))
    is_first = np.memmap(path, dtype=np.bool_, mode="r+")
    for path in paths:
        rows = np.fromfile(path, dtype=[("hash", np.uint64), ("row", np.int64)])
        path.unlink()
        order = np.argsort(rows["hash"], kind="stable")  # rows of a bucket are in order
        ordered = rows["hash"][order]
        firsts = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(rows)]
        is_first[rows["row"][order[firsts]]] = True
    return is_first[:n_rows]


def _write_zeros(path: Path, n_bytes: int) -> None:
    # a full disk is an error here, and a dead process where a mapped page finds no room
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, n_bytes)
