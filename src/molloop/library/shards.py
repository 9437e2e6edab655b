"""A built library: shards on disk, opened, memory-mapped and sliced."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from html import escape
from itertools import accumulate
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from molloop.errors import RunError
from molloop.files import file_sha256, write_whole
from molloop.geometries import geometry_of
from molloop.library.batches import facts_of, features_of, hashes_of, open_batch, write_batch
from molloop.library.bits import open_bits
from molloop.library.columns import kept_cells, n_geometries, positions_at, unspecified_stereo
from molloop.library.descriptors import Descriptors
from molloop.library.facts import Facts
from molloop.library.features import PackedFingerprints, for_models
from molloop.library.kept_features import KeptFeatures, open_features
from molloop.library.kinds import COLUMNS
from molloop.library.manifest import ShardEntry, damaged, read_manifest
from molloop.molecule import Geometry, Molecule
from molloop.texts import counted

VERIFIED = "verified.json"

Progress = Callable[[str, float], None]  # what is being done, and how much of it, 0 to 1


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
        """Descriptors as RDKit gives them, shape (n, d)."""
        return self.features("descriptors")

    def features(self, kind: str) -> NDArray[Any]:
        """Return features of a kind as they are kept, shape (n, width)."""
        if path := dict(self.ref.features).get(kind):
            return open_features(Path(path), self.ref.n_molecules)
        try:
            return features_of(self._batch, kind)
        except KeyError as error:
            raise damaged(Path(self.ref.path), f"it holds no {kind}") from error

    @cached_property
    def identity_hashes(self) -> NDArray[np.uint64]:
        """Hash of each canonical SMILES, shape (n,)."""
        return hashes_of(self._batch)

    @cached_property
    def smiles(self) -> pa.Array:
        """SMILES as they were given, shape (n,)."""
        return self._batch.column("smiles")

    @cached_property
    def names(self) -> pa.Array | None:
        """What the file calls the molecules, shape (n,); None in libraries of molloop 0.1.0."""
        return self._batch.column("name") if "name" in self._batch.schema.names else None

    @cached_property
    def facts(self) -> Facts | None:
        """Charges, fragments and elements; None in libraries of molloop 0.1.0."""
        try:
            return facts_of(self._batch)
        except KeyError:
            return None

    @cached_property
    def unspecified_stereo(self) -> NDArray[np.uint8] | None:
        """Centres and double bonds whose stereo is not given, shape (n,); None: not counted."""
        return unspecified_stereo(self._batch)

    @property
    def n_geometries(self) -> int:
        """How many molecules have a geometry of their file."""
        return n_geometries(self._batch)

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


class Library:
    """A library on disk. A molecule's id is its row, counted over all shards from 0.

    Attributes
    ----------
    kept_features
        Features that are kept beside its shards, by kind.

    Raises
    ------
    InputError
        The folder holds no library, or one of a version that this one cannot read.
    RunError
        It is damaged.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        kept_features: Mapping[str, KeptFeatures] = MappingProxyType({}),
    ) -> None:
        folder = Path(folder)
        self.kept_features = dict(kept_features)
        self.folder = folder.resolve()
        self.manifest = read_manifest(folder)
        sizes = (entry.n_molecules for entry in self.manifest.shards)
        self._first_ids = list(accumulate(sizes, initial=0))
        self.shards = tuple(
            ShardRef(
                str(self.folder / entry.file),
                self._first_ids[number],
                entry.n_molecules,
                features=tuple((kind, one.files[number]) for kind, one in kept_features.items()),
            )
            for number, entry in enumerate(self.manifest.shards)
        )
        self.scaling = self.manifest.scaling()
        # of each kind of features, for models
        self.scalings = dict.fromkeys(COLUMNS, self.scaling)
        self.scalings |= {kind: one.scaling for kind, one in self.kept_features.items()}
        self._open: dict[int, Shard] = {}

    def verify(self, n_threads: int = 1, progress: Progress | None = None) -> None:
        """Compare every shard with its checksum.

        Raises
        ------
        RunError
            One is missing or damaged.
        """
        self._verify(self.manifest.shards, n_threads, progress)

    def verify_changed(self, n_threads: int = 1, progress: Progress | None = None) -> None:
        """Compare with their checksums the shards that were touched since they were last.

        Size and times of the files tell; they are kept in the library's folder if it is writable.

        Raises
        ------
        RunError
            One is missing or damaged.
        """
        known: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            known = dict(json.loads((self.folder / VERIFIED).read_text(encoding="utf-8")))
        marks = {entry.file: self._mark(entry) for entry in self.manifest.shards}
        changed = [one for one in self.manifest.shards if known.get(one.file) != marks[one.file]]
        if changed:
            self._verify(changed, n_threads, progress)
            with suppress(OSError):
                (self.folder / VERIFIED).write_text(json.dumps(marks), encoding="utf-8")

    def _mark(self, entry: ShardEntry) -> list[int]:
        path = self.folder / entry.file
        try:
            facts = path.stat()
        except OSError as error:
            raise damaged(path, str(error)) from error
        return [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns]

    def _verify(
        self, entries: Sequence[ShardEntry], n_threads: int, progress: Progress | None
    ) -> None:
        with ThreadPoolExecutor(n_threads) as pool:
            try:
                for n_done, _ in enumerate(pool.map(self._verify_one, entries), start=1):
                    if progress is not None:
                        progress("verifying", n_done / len(entries))
            except BaseException:  # a signal too: the other files are not waited for
                pool.shutdown(cancel_futures=True)
                raise

    def _verify_one(self, entry: ShardEntry) -> None:
        path = self.folder / entry.file
        try:
            is_whole = file_sha256(path) == entry.sha256
        except OSError as error:
            raise damaged(path, str(error)) from error
        if not is_whole:
            raise damaged(path, "its checksum is not the manifest's")

    def __repr__(self) -> str:
        return f"Library({str(self.folder)!r}): {counted(self.n_molecules, 'molecule')}"

    def _repr_html_(self) -> str:
        """Show a notebook what it is made of."""
        rows = "".join(
            f'<tr><th style="text-align:left">{escape(name)}</th>'
            f'<td style="text-align:left">{escape(words)}</td></tr>'
            for name, words in self.summary().items()
        )
        return f"<div><strong>{escape(self.manifest.name)}</strong><table>{rows}</table></div>"

    def __reduce__(self) -> tuple[type["Library"], tuple[Path, dict[str, KeptFeatures]]]:
        """Have another process open it again."""
        return Library, (self.folder, self.kept_features)

    def n_bytes(self) -> int:
        """Return the size of all shards on disk; raise RunError where one is missing."""
        return sum(self._mark(entry)[0] for entry in self.manifest.shards)

    @property
    def n_molecules(self) -> int:
        """How many molecules it holds."""
        return self.manifest.n_molecules

    def smiles(self, molecule_id: int) -> str:
        """Return the SMILES of a molecule, as it was given."""
        shard, row = self._place(molecule_id)
        return str(shard.smiles[row].as_py())

    def name(self, molecule_id: int) -> str:
        """Return what the user's file calls a molecule; empty where it says nothing."""
        shard, row = self._place(molecule_id)
        return "" if shard.names is None else str(shard.names[row].as_py())

    def molecule(self, molecule_id: int) -> Molecule:
        """Return a molecule, with its geometry where the user's file has one.

        The atoms of the geometry stand in the order of the SMILES, all hydrogens that the SMILES
        does not name behind, as `rdkit.Chem.AddHs` orders them.
        """
        shard, row = self._place(molecule_id)
        texts = self.smiles(molecule_id), self.name(molecule_id)
        return Molecule(molecule_id, *texts, shard.geometry(row), shard.kept(row))

    @property
    def title(self) -> str:
        """What the user calls it."""
        return self.manifest.name

    @property
    def kept_names(self) -> tuple[str, ...]:
        """Names of the columns that were kept, as the user's file has them."""
        return tuple(self.manifest.kept)

    def kept(self, molecule_id: int) -> dict[str, str]:
        """Return what a molecule has in the columns that were kept, by their names."""
        shard, row = self._place(molecule_id)
        return dict.fromkeys(self.manifest.kept, "") | shard.kept(row)

    def features(self, kind: str, molecule_ids: Sequence[int]) -> NDArray[Any]:
        """Features of n molecules, for models.

        Parameters
        ----------
        kind
            ``fingerprints``: packed, shape (n, n_bits / 8); ``descriptors``: standardised, (n, d);
            others that are kept beside the library, (n, width).
        """
        ids = np.array(molecule_ids, dtype=np.int64)
        if len(ids):
            self._check(int(ids.min()), int(ids.max()))
        numbers = np.searchsorted(self._first_ids, ids, side="right") - 1
        one = self._shard(0).features(kind)
        found = np.empty((len(ids), one.shape[1]), dtype=one.dtype)
        for number in np.unique(numbers).tolist():
            shard, here = self._shard(number), np.flatnonzero(numbers == number)
            found[here] = shard.features(kind)[ids[here] - self._first_ids[number]]
        return for_models(found, self.scalings[kind])

    def find(self, identity_hashes: Iterable[int]) -> dict[int, int]:
        """Return hash -> molecule id for those of the hashes that the library holds."""
        wanted = np.array(sorted(set(identity_hashes)), dtype=np.uint64)
        found: dict[int, int] = {}
        for ref in self.shards if len(wanted) else ():
            hashes = Shard(ref).identity_hashes
            rows = np.flatnonzero(np.isin(hashes, wanted))
            found.update((int(hashes[row]), ref.first_id + int(row)) for row in rows)
        return found

    def _check(self, least: int, most: int) -> None:
        if not 0 <= least <= most < self.n_molecules:
            wrong = least if least < 0 else most
            raise IndexError(f"molecule id {wrong} is not in 0 to {self.n_molecules - 1}")

    def _place(self, molecule_id: int) -> tuple[Shard, int]:
        """Return the shard of a molecule, and its row there."""
        self._check(molecule_id, molecule_id)
        number = bisect_right(self._first_ids, molecule_id) - 1
        return self._shard(number), molecule_id - self._first_ids[number]

    def _shard(self, number: int) -> Shard:
        if number not in self._open:
            self._open[number] = Shard(self.shards[number])
        return self._open[number]

    def summary(self, last_element: int | None = None) -> dict[str, str]:
        """Return what it is made of, in words by what they tell.

        Parameters
        ----------
        last_element
            The largest atomic number that simulations know, where the caller has one.

        Raises
        ------
        RunError
            A shard is missing.
        """
        from molloop.library.composition import composition_of
        from molloop.library.summary import summary_rows

        return summary_rows(self, composition_of(map(Shard, self.shards)), last_element)

    def describe(self) -> dict[str, Any]:
        """Return counts and parameters, as the run directory records them."""
        facts = asdict(self.manifest)
        del facts["descriptors"]
        return facts | {"folder": str(self.folder), "shards": len(self.shards)}
