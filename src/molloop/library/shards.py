"""A built library: all its shards, checked, looked into and sliced."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from html import escape
from itertools import accumulate
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molloop.files import file_sha256
from molloop.goal import Quantity
from molloop.library.features import for_models
from molloop.library.kept_features import KeptFeatures
from molloop.library.kinds import COLUMNS
from molloop.library.manifest import ShardEntry, damaged, read_manifest
from molloop.library.shard import Shard, ShardRef
from molloop.molecule import Molecule
from molloop.texts import counted

VERIFIED = "verified.json"

Progress = Callable[[str, float], None]  # what is being done, and how much of it, 0 to 1


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
        kept = self.kept_features.items()
        self.scalings |= {kind: one.scaling for kind, one in kept if one.scaling is not None}
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
        return str(shard.names[row].as_py())

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
        """What the user calls it: the name of its folder; in the cache, those of its files."""
        if not self.folder.name.endswith(self.manifest.key[:16]):
            return self.folder.name
        return ", ".join(Path(one).name for one in self.manifest.name.split(", "))

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

    def known(self, descriptor: str, molecule_id: int) -> float:
        """Return what is known of a molecule by a descriptor; see `molloop.library.known`."""
        shard, row = self._place(molecule_id)
        return float(shard.known(descriptor)[row])

    def described(self, quantities: Iterable[Quantity], molecule_id: int) -> dict[str, float]:
        """Return name -> value of those of some quantities that it knows of a molecule."""
        return {
            one.name: self.known(one.descriptor, molecule_id)
            for one in quantities
            if one.descriptor
        }

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
        return facts | {"title": self.title, "folder": str(self.folder), "shards": len(self.shards)}
