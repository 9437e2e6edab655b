"""Geometries of molecules that a file holds without one first, and with one later."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from molloop.geometries import Positions, as_written
from molloop.library.batches import hashes_of
from molloop.library.columns import POSITIONS, has_geometry, position_columns, positions_at
from molloop.library.identity import canonical_smiles
from molloop.library.parts import Part
from molloop.smiles import NoMoleculeError, read_molecule


class LaterGeometries:
    """Where lines that do not stay have coordinates: 40 bytes a line in memory.

    Parameters
    ----------
    parts
        All of them, and of each which rows stay.
    files
        Names of the source's files, in their order.
    """

    def __init__(
        self, parts: Iterable[tuple[Part, NDArray[np.bool_]]], files: Sequence[str]
    ) -> None:
        self._parts: list[Part] = []
        number_of = {name: number for number, name in enumerate(files)}
        found: list[NDArray[np.int64]] = [np.zeros((0, 5), dtype=np.int64)]
        hashes: list[NDArray[np.uint64]] = [np.zeros(0, dtype=np.uint64)]
        for number, (part, is_first) in enumerate(parts):
            self._parts.append(part)
            for is_row, batch in enumerate(_batches(part)):
                has = has_geometry(batch)
                rows = np.flatnonzero(has & ~is_first if is_row else has)
                if not len(rows):
                    continue
                some = batch.select(["file", "line"]).take(pa.array(rows))
                places = [number_of[name] for name in some.column("file").to_pylist()]
                lines = some.column("line").to_pylist()
                of_all = [np.full(len(rows), one) for one in (number, is_row)]
                found.append(np.stack([places, lines, *of_all, rows], axis=1))
                hashes.append(hashes_of(batch)[rows])
        every, self._hashes = np.concatenate(found), np.concatenate(hashes)
        order = np.lexsort((every[:, 1], every[:, 0], self._hashes))
        self._hashes, self._places = self._hashes[order], every[order, 2:]
        self._opened = lru_cache(maxsize=8)(lambda number: list(_batches(self._parts[number])))

    def fill(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows that stay with the first geometry that a later line has, where they lack one.

        That of another SMILES, of a tautomer perhaps, is none of theirs.
        """
        if not len(self._hashes):
            return batch
        lacking = np.flatnonzero(~has_geometry(batch))
        lacking = lacking[np.isin(hashes_of(batch)[lacking], self._hashes)]
        given = {row: self._of(batch, row) for row in lacking.tolist()}
        positions = [one for one in given.values() if one is not None]
        if not positions:
            return batch
        [new] = position_columns(positions).values()
        rows = np.arange(batch.num_rows)
        taken = [row for row, one in given.items() if one is not None]
        rows[taken] = batch.num_rows + np.arange(len(taken))
        if POSITIONS not in batch.schema.names:
            batch = batch.append_column(POSITIONS, pa.nulls(batch.num_rows, new.type))
        place = batch.schema.get_field_index(POSITIONS)
        column = pa.concat_arrays([batch.column(place), new]).take(pa.array(rows))
        return batch.set_column(place, POSITIONS, column)

    def _of(self, batch: pa.RecordBatch, row: int) -> Positions | None:
        smiles, one = batch.column("smiles")[row].as_py(), hashes_of(batch)[row]
        first, last = (int(np.searchsorted(self._hashes, one, side)) for side in ("left", "right"))
        for part, is_row, place in self._places[first:last].tolist():
            later = self._opened(part)[is_row]
            positions = positions_at(later, place)
            assert positions is not None
            found = _in_order(positions, later.column("text")[place].as_py(), smiles)
            if found is not None:
                return found
        return None


def _batches(part: Part) -> Iterator[pa.RecordBatch]:
    """Return what was seen before, and the rows of a part; nothing where no line is told of."""
    molecules = part.open()
    if "file" in molecules.schema.names:
        yield part.open_repeated()
        yield molecules


def _in_order(positions: Positions, canonical: str, smiles: str) -> Positions | None:
    """Return coordinates in the order of a SMILES; None where it is another than a canonical one.

    Parameters
    ----------
    positions
        In the order of the canonical one, hydrogens last.
    """
    if smiles == canonical:
        return positions
    try:
        molecule = read_molecule(smiles)
    except NoMoleculeError:
        return None
    return as_written(molecule, positions) if canonical_smiles(molecule) == canonical else None
