"""Files of SMILES become a library: validated, deduplicated shards with their features."""

import csv
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import joblib
import numpy as np
import rdkit
from numpy.typing import NDArray

from molloop.errors import InputError, RunError
from molloop.library import sources
from molloop.library.features import MorganSpec, PackedFingerprints, identity_hash, morgan, parse
from molloop.library.shards import (
    MANIFEST,
    SCHEMA_VERSION,
    SHARD_SIZE,
    Library,
    Manifest,
    ShardEntry,
    file_sha256,
    write_shard,
)

PUBLISHED_MORGAN = MorganSpec()
REJECTS = "rejects.csv"
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Featurized:
    """A block of n valid molecules, and what was refused of it as (line, SMILES)."""

    smiles: list[str]
    fingerprints: PackedFingerprints
    identity_hashes: list[int]
    rejects: list[tuple[int, str]]


def open_or_build(
    source: str,
    *,
    column: str = "smiles",
    morgan_spec: MorganSpec = PUBLISHED_MORGAN,
    cache_dir: Path,
    n_processes: int = 1,
    progress: Progress | None = None,
) -> Library:
    """Open the library of a source; build it at its first use.

    Parameters
    ----------
    source
        The name of a built-in library, or a file of SMILES.
    column
        Where a .csv or .parquet file holds them.
    cache_dir
        Libraries are kept here, under a name made from the source's content.
    n_processes
        How many parse molecules at the same time.
    progress
        Called block by block with the number of lines that are done, and of all where known.

    Raises
    ------
    InputError
        The source is missing, cannot be read, or holds no molecule.
    RunError
        The cache cannot be written, or holds a damaged library.
    """
    path = sources.locate(source)
    try:
        checksum = file_sha256(path)
    except OSError as error:
        raise InputError("library", str(path), "a file that can be read", f"{error}.") from error
    name = source if source in sources.BUILT_IN else path.name.split(".")[0]
    folder = cache_dir / f"{name}-{_cache_key(path, checksum, column, morgan_spec)}"
    if not (folder / MANIFEST).is_file():
        title = source if source in sources.BUILT_IN else str(path)
        parts = _featurize_all(path, column, morgan_spec, n_processes)
        try:
            cache_dir.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache_dir, prefix=".building-") as scratch:
                built = Path(scratch) / "library"
                built.mkdir()
                builder = _Builder(built, morgan_spec)
                n_lines = sources.count(path)
                for part in parts:
                    builder.add(part)
                    if progress is not None:
                        progress(builder.n_read, n_lines)
                builder.finish(title, checksum, column)
                _publish(built, folder)
        except OSError as error:
            raise RunError(
                f"The library cannot be kept in {cache_dir} ({error}).",
                "Make space there, or have XDG_CACHE_HOME name another folder.",
            ) from error
    library = Library(folder)
    library.verify()
    return library


def featurize(block: sources.Block, spec: MorganSpec) -> Featurized:
    """Parse a block of lines and compute the features of its valid molecules."""
    parsed = [(smiles, parse(smiles)) for smiles in block.smiles]
    valid = [(smiles, molecule) for smiles, molecule in parsed if molecule is not None]
    return Featurized(
        smiles=[smiles for smiles, _ in valid],
        fingerprints=morgan([molecule for _, molecule in valid], spec),
        identity_hashes=[identity_hash(molecule) for _, molecule in valid],
        rejects=[
            (line, smiles)
            for line, (smiles, molecule) in zip(block.lines, parsed, strict=True)
            if molecule is None
        ],
    )


def _cache_key(path: Path, checksum: str, column: str, spec: MorganSpec) -> str:
    parts = (
        sources.file_format(path),
        checksum,
        column,
        spec,
        SCHEMA_VERSION,
        SHARD_SIZE,
        rdkit.__version__,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _featurize_all(
    path: Path, column: str, spec: MorganSpec, n_processes: int
) -> Iterator[Featurized]:
    # in order, and a bounded number of blocks ahead
    parallel = joblib.Parallel(n_jobs=n_processes, return_as="generator", pre_dispatch="2*n_jobs")
    errors: list[InputError] = []
    jobs = (joblib.delayed(featurize)(block, spec) for block in _until_error(path, column, errors))
    yield from parallel(jobs)
    if errors:
        raise errors[0]


def _until_error(path: Path, column: str, errors: list[InputError]) -> Iterator[sources.Block]:
    """Keep an error of the file for the consumer: joblib reads this in a thread of its own."""
    try:
        yield from sources.blocks(path, column)
    except InputError as error:
        errors.append(error)


def _publish(built: Path, folder: Path) -> None:
    """Give a finished library its name, unless another process was first."""
    try:
        built.rename(folder)
    except OSError:
        if not (folder / MANIFEST).is_file():
            # what is left of a library whose manifest was removed
            shutil.rmtree(folder, ignore_errors=True)
            built.rename(folder)


@dataclass
class _Builder:
    """Collects blocks into shards of a fixed size."""

    folder: Path
    spec: MorganSpec
    n_read: int = 0
    n_rejected: int = 0
    n_duplicates: int = 0
    entries: list[ShardEntry] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    smiles: list[str] = field(default_factory=list)
    hashes: list[int] = field(default_factory=list)
    fingerprints: list[NDArray[np.uint8]] = field(default_factory=list)

    def add(self, part: Featurized) -> None:
        self.n_read += len(part.smiles) + len(part.rejects)
        self._reject((line, smiles, "not a valid molecule") for line, smiles in part.rejects)
        for row, (smiles, key) in enumerate(zip(part.smiles, part.identity_hashes, strict=True)):
            if key in self.seen:
                self.n_duplicates += 1
                continue
            self.seen.add(key)
            self.smiles.append(smiles)
            self.hashes.append(key)
            self.fingerprints.append(part.fingerprints[row])
            if len(self.smiles) == SHARD_SIZE:
                self._flush()

    def finish(self, name: str, checksum: str, column: str) -> None:
        if self.smiles:
            self._flush()
        n_molecules = sum(entry.n_molecules for entry in self.entries)
        if n_molecules == 0:
            raise InputError(
                "library",
                name,
                "at least one valid SMILES",
                f"None of its {self.n_read} lines holds one.",
            )
        manifest = Manifest(
            schema_version=SCHEMA_VERSION,
            name=name,
            source_sha256=checksum,
            column=column,
            morgan=self.spec,
            rdkit_version=rdkit.__version__,
            n_read=self.n_read,
            n_rejected=self.n_rejected,
            n_duplicates=self.n_duplicates,
            n_molecules=n_molecules,
            shards=tuple(self.entries),
        )
        (self.folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        for entry in self.folder.iterdir():
            with entry.open("rb") as file:
                os.fsync(file.fileno())

    def _flush(self) -> None:
        path = self.folder / f"shard-{len(self.entries):05}.arrow"
        hashes = np.array(self.hashes, dtype=np.uint64)
        self.entries.append(write_shard(path, self.smiles, np.stack(self.fingerprints), hashes))
        self.smiles, self.hashes, self.fingerprints = [], [], []

    def _reject(self, rows: Iterator[tuple[int, str, str]]) -> None:
        path = self.folder / REJECTS
        fresh = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(["line", "smiles", "reason"])
            for row in rows:
                self.n_rejected += 1
                writer.writerow(row)
