"""A shard: a part of a library in a file, mapped into memory, that a worker reads alone."""

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from molloop.errors import RunError
from molloop.files import file_sha256, write_whole
from molloop.geometries import geometry_of
from molloop.library.batches import facts_of, features_of, hashes_of, open_batch, write_batch
from molloop.library.bits import open_bits
from molloop.library.columns import (
    has_geometry,
    kept_cells,
    n_geometries,
    positions_at,
    unspecified_stereo,
)
from molloop.library.descriptors import DESCRIPTORS, Descriptors
from molloop.library.facts import Facts
from molloop.library.features import PackedFingerprints
from molloop.library.kept_features import open_column, open_features
from molloop.library.manifest import ShardEntry, damaged
from molloop.molecule import Geometry


@dataclass(frozen=True, slots=True)
class ShardRef:
    """Where a shard is, and which molecules it holds: all that a worker needs.

    Attributes
    ----------
    path
        Absolute.
    first_id
        Molecule id of its first row; the others follow.
    n_molecules
        Its rows.
    selection
        File of bits, by molecule id, that says which of them a ranking may choose; empty: all.
    features
        Kinds of features that are no columns of it, and the file of each.
    """

    path: str
    first_id: int
    n_molecules: int
    selection: str = ""
    features: tuple[tuple[str, str], ...] = ()


class Shard:
    """An open shard: columns in mapped memory, read as they are touched.

    Raises
    ------
    RunError
        The file is missing, damaged or another one.
    """

    def __init__(self, ref: ShardRef) -> None:
        self.ref = ref
        try:
            self._batch = open_batch(Path(ref.path))
        except FileNotFoundError as error:
            raise RunError(
                f"{ref.path} is missing.",
                "Build the library again; then `molloop resume` goes on with a run.",
            ) from error
        except (OSError, pa.ArrowInvalid) as error:
            raise damaged(Path(ref.path), str(error)) from error
        if self._batch.num_rows != ref.n_molecules:
            why = f"{self._batch.num_rows} rows instead of {ref.n_molecules}"
            raise damaged(Path(ref.path), why)

    @cached_property
    def fingerprints(self) -> PackedFingerprints:
        """Packed fingerprints, shape (n, n_bits / 8)."""
        return self.features("fingerprints")

    @cached_property
    def descriptors(self) -> Descriptors:
        """Descriptors, shape (n, d)."""
        return self.features("descriptors")

    def features(self, kind: str) -> NDArray[Any]:
        """Return features of a kind as they are kept, shape (n, width)."""
        if path := dict(self.ref.features).get(kind):
            return open_features(Path(path), self.ref.n_molecules)
        try:
            return features_of(self._batch, kind)
        except KeyError as error:
            raise damaged(Path(self.ref.path), f"it holds no {kind}") from error

    def known(self, descriptor: str) -> NDArray[np.float32]:
        """Return what is known of the molecules by a descriptor, or computed and kept, shape (n,).

        See :mod:`molloop.library.known`.
        """
        if path := dict(self.ref.features).get(descriptor):
            return open_column(Path(path), self.ref.n_molecules)
        return self.descriptors[:, DESCRIPTORS.index(descriptor)]

    @cached_property
    def identity_hashes(self) -> NDArray[np.uint64]:
        """Hash of each canonical SMILES, shape (n,)."""
        return hashes_of(self._batch)

    @cached_property
    def smiles(self) -> pa.Array:
        """SMILES as they were given, shape (n,)."""
        return self._batch.column("smiles")

    @cached_property
    def names(self) -> pa.Array:
        """What the file calls the molecules, shape (n,)."""
        return self._batch.column("name")

    @cached_property
    def facts(self) -> Facts:
        """Charges, fragments and elements."""
        return facts_of(self._batch)

    @cached_property
    def unspecified_stereo(self) -> NDArray[np.uint8]:
        """Centres and double bonds whose stereo is not given, shape (n,)."""
        return unspecified_stereo(self._batch)

    @property
    def n_geometries(self) -> int:
        """How many molecules have a geometry of their file."""
        return n_geometries(self._batch)

    @property
    def has_geometry(self) -> NDArray[np.bool_]:
        """Which molecules have a geometry of their file, shape (n,)."""
        return has_geometry(self._batch)

    def geometry(self, row: int) -> Geometry | None:
        """Return the geometry that the file of a molecule has."""
        positions = positions_at(self._batch, row)
        return None if positions is None else geometry_of(self.smiles[row].as_py(), positions)

    def kept(self, row: int) -> dict[str, str]:
        """Return the cells of a molecule in further columns of its file, by their names."""
        return kept_cells(self._batch, row)

    @cached_property
    def meant(self) -> NDArray[np.bool_] | None:
        """Which molecules a ranking may choose, shape (n,); None: all."""
        if not self.ref.selection:
            return None
        path = Path(self.ref.selection)
        try:
            bits, _ = open_bits(path)
        except (OSError, pa.ArrowInvalid, KeyError, ValueError) as error:
            raise RunError(
                f"{path} is damaged ({error}).", "Remove it: the next command writes it again."
            ) from error
        return bits.rows(self.ref.first_id, self.ref.n_molecules)


def write_shard(path: Path, batch: pa.RecordBatch) -> ShardEntry:
    """Write one shard."""
    write_whole(path, partial(write_batch, batch))
    return ShardEntry(path.name, batch.num_rows, file_sha256(path))
