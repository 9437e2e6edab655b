"""Lines that hold a molecule which an earlier line holds."""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa


class Repeated(NamedTuple):
    """A line that holds a molecule which an earlier line holds.

    Attributes
    ----------
    identity_hash
        Of both.
    text
        What stands there; of a molblock its SMILES.
    """

    identity_hash: int
    file: str
    line: int
    name: str
    text: str


def to_batch(rows: Sequence[Repeated]) -> pa.RecordBatch:
    """Put rows into columns."""
    columns = list(zip(*rows, strict=True)) or [()] * len(Repeated._fields)
    kinds = (pa.uint64(), pa.large_string(), pa.int64(), pa.large_string(), pa.large_string())
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    return pa.record_batch(arrays, names=list(Repeated._fields))


def from_batch(batch: pa.RecordBatch) -> list[Repeated]:
    """Return the rows of a batch that has the columns of :class:`Repeated`."""
    columns = [batch.column(name).to_pylist() for name in Repeated._fields]
    return [Repeated(*row) for row in zip(*columns, strict=True)]
