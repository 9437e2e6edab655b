"""Columns of a library beside those that rankings read: kept cells, geometries, open stereo."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from molloop.geometries import Positions
from molloop.library.repeated import Repeated
from molloop.texts import each, utf8_text

KEPT = "kept_"  # stands before the name that the user's file has
STEREO = "n_unspecified_stereo"
POSITIONS = "positions_angstrom"
ORIGIN = ("file", "line", "text")  # of parts alone


def with_columns(batch: pa.RecordBatch, more: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """Put further columns behind those of a batch."""
    for name, column in more.items():
        batch = batch.append_column(name, column)
    return batch


def stereo_column(counts: Sequence[int]) -> dict[str, pa.Array]:
    """Return the column of how many centres and double bonds have a stereo that is not given."""
    return {STEREO: pa.array(np.minimum(counts, 255).astype(np.uint8), pa.uint8())}


def kept_columns(kept: Mapping[str, Sequence[str]]) -> dict[str, pa.Array]:
    """Return the columns of kept cells, which are given by their names."""
    return {
        f"{KEPT}{name}": pa.array(each(utf8_text, list(cells)), pa.large_string())
        for name, cells in kept.items()
    }


def position_columns(positions: Sequence[Positions | None]) -> dict[str, pa.Array]:
    """Return the column of coordinates, three numbers an atom; null where a molecule has none."""
    flat = [None if one is None else one.ravel() for one in positions]
    return {POSITIONS: pa.array(flat, pa.large_list(pa.float64()))}


def origin_columns(origins: Sequence[Repeated]) -> dict[str, pa.Array]:
    """Return the columns of where molecules stand in their files."""
    return {
        "file": pa.array([one.file for one in origins], pa.large_string()),
        "line": pa.array([one.line for one in origins], pa.int64()),
        "text": pa.array([one.text for one in origins], pa.large_string()),
    }


def without_origins(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch of a part without where its molecules stand."""
    return batch.select([name for name in batch.schema.names if name not in ORIGIN])


def kept_names(schema: pa.Schema) -> list[str]:
    """Return the names of the kept columns, as the user's file has them."""
    return [name.removeprefix(KEPT) for name in schema.names if name.startswith(KEPT)]


def kept_cells(batch: pa.RecordBatch, row: int) -> dict[str, str]:
    """Return what a row has in the kept columns, by their names; empty where its file has none."""
    return {
        name: batch.column(f"{KEPT}{name}")[row].as_py() or "" for name in kept_names(batch.schema)
    }


def positions_at(batch: pa.RecordBatch, row: int) -> Positions | None:
    """Return the coordinates of a row, shape (n, 3), where it has some."""
    if POSITIONS not in batch.schema.names or not batch.column(POSITIONS)[row].is_valid:
        return None
    flat: Positions = np.array(batch.column(POSITIONS)[row].as_py(), dtype=np.float64)
    return flat.reshape(-1, 3)


def n_geometries(batch: pa.RecordBatch) -> int:
    """Return how many rows have coordinates."""
    if POSITIONS not in batch.schema.names:
        return 0
    return int(batch.num_rows - batch.column(POSITIONS).null_count)


def has_geometry(batch: pa.RecordBatch) -> NDArray[np.bool_]:
    """Return which rows have coordinates, shape (n,)."""
    if POSITIONS not in batch.schema.names:
        return np.zeros(batch.num_rows, dtype=np.bool_)
    column = batch.column(POSITIONS)
    bits = column.buffers()[0]
    if bits is None:
        return np.ones(batch.num_rows, dtype=np.bool_)
    flat = np.unpackbits(np.frombuffer(bits, dtype=np.uint8), bitorder="little")
    return flat[column.offset : column.offset + len(column)].astype(np.bool_)


def unspecified_stereo(batch: pa.RecordBatch) -> NDArray[np.uint8]:
    """Return how much stereo each row leaves open, shape (n,)."""
    column = batch.column(STEREO)
    flat: NDArray[np.uint8] = np.frombuffer(column.buffers()[1], dtype=np.uint8)
    return flat[column.offset : column.offset + len(column)]
