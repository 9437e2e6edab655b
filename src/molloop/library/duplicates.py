"""Find repeated molecules among any number, in bounded memory."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BUCKET_ROWS = 2**21  # about, of one sort in memory
MAX_BUCKETS = 512  # files open at the same time


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
    with path.open("wb") as file:
        # a full disk is an error here, and a dead process where a mapped page finds no room
        for start in range(0, max(1, n_rows), BUCKET_ROWS):
            file.write(bytes(min(BUCKET_ROWS, max(1, n_rows) - start)))
    is_first = np.memmap(path, dtype=np.bool_, mode="r+")
    for path in paths:
        rows = np.fromfile(path, dtype=[("hash", np.uint64), ("row", np.int64)])
        path.unlink()
        order = np.argsort(rows["hash"], kind="stable")  # rows of a bucket are in order
        ordered = rows["hash"][order]
        firsts = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(rows)]
        is_first[rows["row"][order[firsts]]] = True
    return is_first[:n_rows]
