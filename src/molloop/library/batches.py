"""Molecules as columns, in memory and in files."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from molloop.library.features import Descriptors, PackedFingerprints


def make_batch(
    smiles: Sequence[str],
    fingerprints: PackedFingerprints,
    descriptors: Descriptors,
    identity_hashes: NDArray[np.uint64],
) -> pa.RecordBatch:
    """Put n molecules into columns: arrays of shape (n, n_bits / 8), (n, d) and (n,)."""
    flat = pa.array(descriptors.reshape(-1), pa.float32())
    return pa.record_batch(
        {
            "smiles": pa.array(smiles, pa.large_string()),
            "fingerprint": pa.Array.from_buffers(
                pa.binary(fingerprints.shape[1]),
                len(smiles),
                [None, pa.py_buffer(np.ascontiguousarray(fingerprints))],
            ),
            "descriptors": pa.FixedSizeListArray.from_arrays(flat, descriptors.shape[1]),
            "identity_hash": pa.array(identity_hashes, pa.uint64()),
        }
    )


def hashes_of(batch: pa.RecordBatch) -> NDArray[np.uint64]:
    """Return the identity hashes of molecules in columns, shape (n,)."""
    return np.asarray(batch.column("identity_hash"))


def join_batches(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Put the rows of some batches, at least one, into one."""
    joined = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return joined[0] if joined else batches[0]


def write_batch(batch: pa.RecordBatch, path: Path) -> None:
    """Write a file of one batch."""
    with pa.OSFile(os.fsencode(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def open_batch(path: Path) -> pa.RecordBatch:
    """Map it into memory.

    Raises
    ------
    OSError, pa.ArrowInvalid
        It is missing or no such file.
    """
    with pa.memory_map(os.fsencode(path)) as source:
        return pa.ipc.open_file(source).get_batch(0)
