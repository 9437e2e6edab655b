"""A built library: shards on disk, opened, memory-mapped and sliced."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from molloop.errors import RunError
from molloop.library.features import MorganSpec, PackedFingerprints

SCHEMA_VERSION = 1
SHARD_SIZE = 2**15
MANIFEST = "manifest.json"


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
    """

    path: str
    first_id: int
    n_molecules: int


@dataclass(frozen=True, slots=True)
class ShardEntry:
    """A shard in the manifest."""

    file: str
    n_molecules: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a library is made of.

    Attributes
    ----------
    name
        What the user calls it.
    source_sha256
        Checksum of the file that it was built from.
    n_read, n_rejected, n_duplicates
        Lines of the source, those that hold no valid molecule, those that repeat one.
    n_molecules
        What is left.
    """

    schema_version: int
    name: str
    source_sha256: str
    column: str
    morgan: MorganSpec
    rdkit_version: str
    n_read: int
    n_rejected: int
    n_duplicates: int
    n_molecules: int
    shards: tuple[ShardEntry, ...]

    def to_json(self) -> str:
        """Return the text of manifest.json."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Read it back.

        Raises
        ------
        ValueError
            The text is no manifest, or one of another schema version.
        """
        fields = json.loads(text)
        if not isinstance(fields, dict) or fields.get("schema_version") != SCHEMA_VERSION:
            raise ValueError(f"not a library manifest of schema version {SCHEMA_VERSION}")
        shards = tuple(ShardEntry(**entry) for entry in fields.pop("shards"))
        return cls(**fields | {"morgan": MorganSpec(**fields["morgan"]), "shards": shards})


class Shard:
    """An open shard: columns in mapped memory, read as they are touched."""

    def __init__(self, ref: ShardRef) -> None:
        self.ref = ref
        try:
            with pa.memory_map(ref.path) as source:
                self._batch = pa.ipc.open_file(source).get_batch(0)
        except (OSError, pa.ArrowInvalid) as error:
            raise _damaged(Path(ref.path), str(error)) from error

    @cached_property
    def fingerprints(self) -> PackedFingerprints:
        """Packed fingerprints, shape (n, n_bits / 8)."""
        column = self._batch.column("fingerprint")
        width = column.type.byte_width
        flat = np.frombuffer(column.buffers()[1], dtype=np.uint8)
        start = column.offset * width
        return flat[start : start + len(column) * width].reshape(len(column), width)

    @cached_property
    def identity_hashes(self) -> NDArray[np.uint64]:
        """Hash of each canonical SMILES, shape (n,)."""
        return np.asarray(self._batch.column("identity_hash").to_numpy(), dtype=np.uint64)

    def smiles(self, row: int) -> str:
        """Return the SMILES of a row, as it was given."""
        return str(self._batch.column("smiles")[row].as_py())


def write_shard(
    path: Path,
    smiles: Sequence[str],
    fingerprints: PackedFingerprints,
    identity_hashes: NDArray[np.uint64],
) -> ShardEntry:
    """Write one shard of n molecules: arrays of shape (n, n_bits / 8) and (n,)."""
    width = fingerprints.shape[1]
    packed = pa.Array.from_buffers(
        pa.binary(width), len(smiles), [None, pa.py_buffer(np.ascontiguousarray(fingerprints))]
    )
    batch = pa.record_batch(
        {
            "smiles": pa.array(smiles, pa.string()),
            "fingerprint": packed,
            "identity_hash": pa.array(identity_hashes, pa.uint64()),
        }
    )
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return ShardEntry(path.name, len(smiles), file_sha256(path))


def file_sha256(path: Path) -> str:
    """Checksum of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(path: Path, why: str) -> RunError:
    return RunError(
        f"{path} is damaged ({why}).",
        "Remove the folder that holds it: the library is built again at the next run.",
    )


class Library:
    """A library on disk. A molecule's id is its row, counted over all shards from 0."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        try:
            self.manifest = Manifest.from_json((folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise _damaged(self.folder / MANIFEST, str(error)) from error
        first_ids = np.cumsum([0, *(entry.n_molecules for entry in self.manifest.shards)])
        self.shards = tuple(
            ShardRef(str(self.folder / entry.file), int(first_id), entry.n_molecules)
            for entry, first_id in zip(self.manifest.shards, first_ids, strict=False)
        )
        self._first_ids = first_ids
        self._open: dict[int, Shard] = {}

    def verify(self) -> None:
        """Compare each shard with its checksum.

        Raises
        ------
        RunError
            One is missing or damaged.
        """
        for entry in self.manifest.shards:
            path = self.folder / entry.file
            try:
                is_whole = file_sha256(path) == entry.sha256
            except OSError as error:
                raise _damaged(path, str(error)) from error
            if not is_whole:
                raise _damaged(path, "its checksum is not the manifest's")

    @property
    def n_molecules(self) -> int:
        """How many molecules it holds."""
        return self.manifest.n_molecules

    def smiles(self, molecule_id: int) -> str:
        """Return the SMILES of a molecule, as it was given."""
        shard, row = self._locate(molecule_id)
        return shard.smiles(row)

    def fingerprints(self, molecule_ids: Sequence[int]) -> PackedFingerprints:
        """Packed fingerprints of n molecules, shape (n, n_bits / 8)."""
        packed = np.empty((len(molecule_ids), self.manifest.morgan.n_bits // 8), dtype=np.uint8)
        for place, molecule_id in enumerate(molecule_ids):
            shard, row = self._locate(molecule_id)
            packed[place] = shard.fingerprints[row]
        return packed

    def find(self, identity_hashes: Sequence[int]) -> dict[int, int]:
        """Return hash -> molecule id for those of the hashes that the library holds."""
        wanted = np.array(sorted(set(identity_hashes)), dtype=np.uint64)
        found: dict[int, int] = {}
        for ref in self.shards if len(wanted) else ():
            hashes = Shard(ref).identity_hashes
            rows = np.flatnonzero(np.isin(hashes, wanted))
            found.update((int(hashes[row]), ref.first_id + int(row)) for row in rows)
        return found

    def _locate(self, molecule_id: int) -> tuple[Shard, int]:
        if not 0 <= molecule_id < self.n_molecules:
            raise IndexError(f"molecule id {molecule_id} is not in 0 to {self.n_molecules - 1}")
        number = int(np.searchsorted(self._first_ids, molecule_id, side="right")) - 1
        if number not in self._open:
            self._open[number] = Shard(self.shards[number])
        return self._open[number], molecule_id - self.shards[number].first_id

    def describe(self) -> dict[str, Any]:
        """Return counts and parameters, as the run directory records them."""
        facts = asdict(self.manifest)
        return facts | {"folder": str(self.folder), "shards": len(self.shards)}
