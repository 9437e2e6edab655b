"""Molecules as columns, in memory and in files."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from molloop.library.facts import Facts
from molloop.library.kinds import COLUMNS


def make_batch(
    smiles: Sequence[str],
    names: Sequence[str],
    facts: Facts,
    features: Mapping[str, NDArray[Any]],
    identity_hashes: NDArray[np.uint64],
) -> pa.RecordBatch:
    """Put n molecules into columns: features of every kind, (n, width) each, and hashes, (n,)."""
    return pa.record_batch(
        {
            "smiles": pa.array(smiles, pa.large_string()),
            "name": pa.array(names, pa.large_string()),
            "charge": pa.array(facts.charges, pa.int8()),
            "n_fragments": pa.array(facts.n_fragments, pa.uint8()),
            "elements": _as_bytes(facts.elements),
            **{column: _as_column(features[name]) for name, column in COLUMNS.items()},
            "identity_hash": pa.array(identity_hashes, pa.uint64()),
        }
    )


def _as_column(rows: NDArray[Any]) -> pa.Array:
    if rows.dtype == np.uint8:
        return _as_bytes(rows)
    flat = pa.array(rows.reshape(-1), pa.float32())
    return pa.FixedSizeListArray.from_arrays(flat, rows.shape[1])


def _as_bytes(rows: NDArray[np.uint8]) -> pa.Array:
    n, width = rows.shape
    buffers = [None, pa.py_buffer(np.ascontiguousarray(rows))]
    return pa.Array.from_buffers(pa.binary(width), n, buffers)


def features_of(batch: pa.RecordBatch, kind: str) -> NDArray[Any]:
    """Return features of a kind as the columns hold them, not copied, shape (n, width).

    Raises
    ------
    KeyError
        There is no such column.
    """
    column = batch.column(COLUMNS[kind])
    if pa.types.is_fixed_size_binary(column.type):
        return _bytes_of(column)
    width = column.type.list_size
    flat: NDArray[Any] = np.frombuffer(column.values.buffers()[1], dtype=np.float32)
    return flat[column.offset * width : (column.offset + len(column)) * width].reshape(-1, width)


def facts_of(batch: pa.RecordBatch) -> Facts:
    """Return what conditions ask of molecules in columns, not copied."""
    charges = _numbers(batch.column("charge"), np.int8)
    n_fragments = _numbers(batch.column("n_fragments"), np.uint8)
    return Facts(charges, n_fragments, _bytes_of(batch.column("elements")))


def hashes_of(batch: pa.RecordBatch) -> NDArray[np.uint64]:
    """Return the identity hashes of molecules in columns, shape (n,)."""
    return _numbers(batch.column("identity_hash"), np.uint64)


def _numbers(column: pa.Array, dtype: type[np.generic]) -> NDArray[Any]:
    # `to_numpy` and `asarray` would load pandas
    flat = np.frombuffer(column.buffers()[1], dtype=dtype)
    return flat[column.offset : column.offset + len(column)]


def _bytes_of(column: pa.Array) -> NDArray[np.uint8]:
    width = column.type.byte_width
    flat = np.frombuffer(column.buffers()[1], dtype=np.uint8)
    return flat[column.offset * width : (column.offset + len(column)) * width].reshape(-1, width)


def join_batches(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Put the rows of some batches, at least one, into one; a column that one lacks is null."""
    tables = [pa.Table.from_batches([batch]) for batch in batches]
    joined = pa.concat_tables(tables, promote_options="default").combine_chunks().to_batches()
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
