"""A bit a molecule: files that say which molecules of a library are meant."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from molloop.files import write_whole
from molloop.library.batches import open_batch, write_batch

COLUMN = "is_meant"
FACTS = b"facts"


@dataclass(frozen=True, eq=False)
class Bits:
    """Of n molecules.

    Attributes
    ----------
    packed
        Bit k of byte j: whether molecule 8 j + k is meant, at least n bits.
    """

    packed: NDArray[np.uint8]
    n: int

    @classmethod
    def of(cls, rows: NDArray[np.bool_]) -> "Bits":
        """Pack those of n molecules, shape (n,)."""
        return cls(np.packbits(rows, bitorder="little"), len(rows))

    def rows(self, start: int, n: int) -> NDArray[np.bool_]:
        """Return those of n molecules in a row, shape (n,)."""
        first, last = start // 8, -(-(start + n) // 8)
        flat = np.unpackbits(self.packed[first:last], bitorder="little")
        return flat[start - 8 * first :][:n].view(np.bool_)

    def at(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return those of some molecules, in the same shape."""
        found = (self.packed[ids >> 3] >> (ids & 7).astype(np.uint8)) & np.uint8(1)
        return np.asarray(found, dtype=np.bool_)


def write_bits(path: Path, parts: Sequence[Bits], facts: dict[str, Any]) -> None:
    """Write the bits of shards, one after the other, with some facts, which are plain values."""
    columns = [
        pa.Array.from_buffers(pa.bool_(), one.n, [None, pa.py_buffer(one.packed)]) for one in parts
    ]
    batch = pa.record_batch({COLUMN: pa.concat_arrays(columns)})
    told = batch.replace_schema_metadata({FACTS: json.dumps(facts)})
    write_whole(path, lambda unfinished: write_batch(told, unfinished))


def open_bits(path: Path) -> tuple[Bits, dict[str, Any]]:
    """Map such a file into memory; return its bits and facts.

    Raises
    ------
    OSError, pa.ArrowInvalid, KeyError, ValueError
        It is missing or no such file.
    """
    batch = open_batch(path)
    column = batch.column(COLUMN)
    packed = np.frombuffer(column.buffers()[1], dtype=np.uint8)
    facts: dict[str, Any] = json.loads(batch.schema.metadata[FACTS])
    return Bits(packed, len(column)), facts
