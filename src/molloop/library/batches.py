"""Molecules as columns, in memory and in files."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from molloop.library.features import FeatureKind
from molloop.library.kinds import KINDS


def make_batch(
    smiles: Sequence[str],
    features: Mapping[str, NDArray[Any]],
    identity_hashes: NDArray[np.uint64],
) -> pa.RecordBatch:
    """Put n molecules into columns: features of every kind, (n, width) each, and hashes, (n,)."""
    return pa.record_batch(
        {
            "smiles": pa.array(smiles, pa.large_string()),
            **{kind.column: _as_column(features[name], kind) for name, kind in KINDS.items()},
            "identity_hash": pa.array(identity_hashes, pa.uint64()),
        }
    )


def _as_column(rows: NDArray[Any], kind: FeatureKind) -> pa.Array:
    n, width = rows.shape
    if kind.dtype is np.uint8:
        buffers = [None, pa.py_buffer(np.ascontiguousarray(rows))]
        return pa.Array.from_buffers(pa.binary(width), n, buffers)
    flat = pa.array(rows.reshape(-1), pa.from_numpy_dtype(kind.dtype))
    return pa.FixedSizeListArray.from_arrays(flat, width)


def features_of(batch: pa.RecordBatch, kind: FeatureKind) -> NDArray[Any]:
    """Return features of a kind as the columns hold them, not copied, shape (n, width).

    Raises
    ------
    KeyError
        There is no such column.
    """
    column = batch.column(kind.column)
    is_bytes = kind.dtype is np.uint8
    buffer = column.buffers()[1] if is_bytes else column.values.buffers()[1]
    width = column.type.byte_width if is_bytes else column.type.list_size
    flat: NDArray[Any] = np.frombuffer(buffer, dtype=kind.dtype)
    return flat[column.offset * width : (column.offset + len(column)) * width].reshape(-1, width)


def hashes_of(batch: pa.RecordBatch) -> NDArray[np.uint64]:
    """Return the identity hashes of molecules in columns, shape (n,)."""
    column = batch.column("identity_hash")  # `to_numpy` and `asarray` would load pandas
    flat = np.frombuffer(column.buffers()[1], dtype=np.uint64)
    return flat[column.offset : column.offset + len(column)]


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
