"""A source of SMILES becomes a library: validated, deduplicated shards with their features.

Lines become parts on disk, features and all, a bounded number at a time; hashes tell which rows
repeat a molecule; what is left is written in shards of one size. A build that ended early goes on
after its last part.
"""

import csv
import hashlib
import json
import os
import shutil
import warnings
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Protocol

import joblib
import numpy as np
import pyarrow as pa
import rdkit
from filelock import FileLock, Timeout
from numpy.typing import NDArray

import molloop
from molloop.errors import InputError, RunError
from molloop.library import sources
from molloop.library.duplicates import first_occurrences
from molloop.library.features import DESCRIPTORS
from molloop.library.featurize import Featurized, Reject, featurize_for
from molloop.library.manifest import (
    MANIFEST,
    SCHEMA_VERSION,
    BuildSpec,
    Counts,
    Manifest,
    ShardEntry,
    SourceFile,
)
from molloop.library.shards import (
    Library,
    Progress,
    Shard,
    ShardRef,
    file_sha256,
    open_batch,
    write_batch,
    write_shard,
    write_whole,
)
from molloop.library.statistics import Statistics

REJECTS = "rejects.csv"
REJECTS_HEADINGS = ("file", "line", "smiles", "reason")
LOCK = "build.lock"
UNFINISHED = "unfinished"
KEY = "key"
COUNTS = b"counts"
BLOCKS_PER_PART = 16
MIN_SHARD_SIZE = 2**15
MAX_SHARDS = 2048  # of a library of up to 10^9: a ranking is a task a shard


class Source(Protocol):
    """Where molecules come from."""

    @property
    def name(self) -> str:
        """What the user calls it."""

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """What it is made of."""

    @property
    def options(self) -> dict[str, int | str | None]:
        """What else decides on its lines."""

    @property
    def keeps_smiles(self) -> bool:
        """Whether its SMILES are somebody's, to be kept as given, or are made here."""

    def blocks(self) -> Iterator[sources.Block]:
        """Return its lines, a block at a time; the same ones each time."""


@dataclass(frozen=True)
class Files:
    """Files of SMILES."""

    name: str
    paths: tuple[Path, ...]
    files: tuple[SourceFile, ...]
    column: str
    keeps_smiles: bool = True

    @classmethod
    def of(cls, names: Sequence[str], column: str) -> "Files":
        """Find files, or a built-in library.

        Parameters
        ----------
        column
            That holds the SMILES in a file that is no .smi.

        Raises
        ------
        InputError
            One is missing, or of an unknown format.
        """
        paths = tuple(sources.locate(name) for name in names)
        title = names[0] if names[0] in sources.BUILT_IN else ", ".join(map(str, paths))
        return cls(title, paths, tuple(map(_source_file, paths)), column)

    @property
    def options(self) -> dict[str, int | str | None]:
        """What else decides on their lines."""
        formats = ", ".join(map(sources.file_format, self.paths))
        return {"column": self.column, "formats": formats}

    def blocks(self) -> Iterator[sources.Block]:
        """Return the lines of all files."""
        return sources.blocks(self.paths, self.column)


def _source_file(path: Path) -> SourceFile:
    """Return a file's name and checksum."""
    try:
        return SourceFile(path.name, file_sha256(path))
    except OSError as error:
        raise InputError("library", str(path), "a file that can be read", f"{error}.") from error


def open_or_build(
    source: str,
    *,
    column: str = "smiles",
    cache_dir: Path,
    n_processes: int = 1,
    progress: Progress | None = None,
) -> Library:
    """Open a library; one that is not built is, at its first use.

    Parameters
    ----------
    source
        A folder that holds a library, the name of a built-in one, or a file of SMILES.
    column
        That holds the SMILES in a file that is no .smi.
    cache_dir
        Libraries that are built here are kept here, under a name made from the source's content.
    n_processes
        How many parse molecules at the same time.
    progress
        Called with what is being done, and how much of it.

    Raises
    ------
    InputError
        The source is missing, cannot be read, or holds no molecule.
    RunError
        The cache cannot be written, or the library is damaged.
    """
    folder = Path(source).expanduser()
    if source not in sources.BUILT_IN and (folder / MANIFEST).is_file():
        library = Library(folder)
    else:
        files, spec = Files.of([source], column), BuildSpec()
        stem = files.paths[0].name.split(".")[0]
        target = cache_dir / f"{stem}-{_key(files, spec)[:16]}"
        library = build(files, target, spec, n_processes, progress)
    library.verify_changed(n_processes, progress)
    return library


def build(
    source: Source,
    folder: Path,
    spec: BuildSpec,
    n_processes: int = 1,
    progress: Progress | None = None,
) -> Library:
    """Build a library in a folder, go on with one that was not finished, or open a finished one.

    Two builds of the same folder at the same time wait for each other.

    Raises
    ------
    InputError
        A filter or the source is wrong, or the folder holds something else.
    RunError
        The folder cannot be written.
    """
    spec.check()
    report = progress or (lambda _what, _fraction: None)
    key = _key(source, spec)
    if not (folder / MANIFEST).is_file():
        try:
            _check_folder(folder)
            folder.mkdir(parents=True, exist_ok=True)
            with _locked(folder, report):
                if not (folder / MANIFEST).is_file():
                    _build(source, spec, key, folder, n_processes, report)
                shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
        except OSError as error:
            raise RunError(
                f"The library cannot be kept in {folder} ({error}).",
                "Make space there, or choose another folder (XDG_CACHE_HOME for the cache); the "
                "same command goes on where this one stopped.",
            ) from error
    library = Library(folder)
    if library.manifest.key != key:
        raise _other(folder, "library")
    return library


def _key(source: Source, spec: BuildSpec) -> str:
    """Return a checksum of all that a library's content depends on."""
    facts = (
        SCHEMA_VERSION,
        [one.sha256 for one in source.files],
        source.options,
        spec,
        DESCRIPTORS,
        rdkit.__version__,
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _other(folder: Path, what: str) -> InputError:
    return InputError(
        "folder of the library",
        str(folder),
        "a new one",
        f"It holds a {what} of other files, options or versions: remove it or choose another.",
    )


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError("folder of the library", str(folder), "a folder", "Choose another.")
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if names and LOCK not in names:
        raise InputError(
            "folder of the library", str(folder), "a new or empty folder", "Choose another."
        )


@contextmanager
def _locked(folder: Path, report: Progress) -> Iterator[None]:
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        report("waiting for another build of it", 0.0)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _build(
    source: Source, spec: BuildSpec, key: str, folder: Path, n_processes: int, report: Progress
) -> None:
    _begin(folder, key)
    try:
        _make_parts(source, spec, folder / UNFINISHED, n_processes, report)
        _finish(source, spec, key, folder, report)
    except InputError:  # with another source it would be another library
        shutil.rmtree(folder)
        raise


def _begin(folder: Path, key: str) -> None:
    unfinished = folder / UNFINISHED
    unfinished.mkdir(parents=True, exist_ok=True)
    mark = unfinished / KEY
    if not mark.exists():
        write_whole(mark, lambda path: path.write_text(key, encoding="ascii"))
    elif mark.read_text(encoding="ascii") != key:
        raise _other(folder, "library that is not finished,")


def _make_parts(
    source: Source, spec: BuildSpec, folder: Path, n_processes: int, report: Progress
) -> None:
    """Write the parts that are not there yet."""
    n_parts = len(_parts(folder))
    report("reading", 0.0)
    blocks = islice(source.blocks(), n_parts * BLOCKS_PER_PART, None)
    with closing(_featurize_all(blocks, spec, source.keeps_smiles, n_processes)) as done:
        for number in count(n_parts):
            group = []
            for featurized, fraction in islice(done, BLOCKS_PER_PART):
                group.append(featurized)
                report("reading", fraction)
            if not group:
                return
            stem = folder / f"part-{number:06}"
            rejects = [row for featurized in group for row in featurized.rejects]
            write_whole(stem.with_suffix(".csv"), partial(_write_rejects, rejects))
            write_whole(stem.with_suffix(".arrow"), partial(_write_part, group))


def _featurize_all(
    blocks: Iterator[sources.Block], spec: BuildSpec, keeps_smiles: bool, n_processes: int
) -> Generator[tuple[Featurized, float]]:
    """Featurize blocks in order, in several processes; with each, how much has been read."""
    errors: list[InputError] = []
    fractions: deque[float] = deque()

    def until_error() -> Iterator[sources.Block]:
        # joblib reads this in a thread of its own: an error of the file is kept for the consumer
        try:
            for block in blocks:
                fractions.append(block.fraction)
                yield block
        except InputError as error:
            errors.append(error)

    parallel = joblib.Parallel(n_jobs=n_processes, return_as="generator", pre_dispatch="2*n_jobs")
    task = joblib.delayed(featurize_for)
    tasks = (task(os.getpid(), block, spec, keeps_smiles) for block in until_error())
    with _closing_quietly(parallel(tasks)) as outputs:
        for one in outputs:
            yield one, fractions.popleft()
    if errors:
        raise errors[0]


@contextmanager
def _closing_quietly(outputs: Generator[Featurized]) -> Iterator[Generator[Featurized]]:
    try:
        yield outputs
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what is lost is computed again
            outputs.close()


def _write_part(group: Sequence[Featurized], path: Path) -> None:
    counts = sum((one.counts for one in group), Counts())
    molecules = _joined([one.molecules for one in group])
    write_batch(molecules.replace_schema_metadata({COUNTS: json.dumps(asdict(counts))}), path)


def _write_rejects(rows: Sequence[Reject], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.arrow"))


def _joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    joined = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return joined[0] if joined else batches[0]


def _finish(source: Source, spec: BuildSpec, key: str, folder: Path, report: Progress) -> None:
    """Turn all parts into shards, then write the manifest."""
    report("finding duplicates", 0.0)
    parts = _parts(folder / UNFINISHED)
    counts = sum(map(_counts, parts), Counts())
    n_rows = counts.read - counts.invalid - counts.filtered
    hashes = (np.asarray(open_batch(path).column("identity_hash")) for path in parts)
    is_first = first_occurrences(hashes, n_rows, folder / UNFINISHED)
    n_molecules = int(np.count_nonzero(is_first))
    if n_molecules == 0:
        raise InputError(
            "library",
            source.name,
            "at least one molecule",
            f"Of its {counts.read} lines {counts.invalid} hold none and {counts.filtered} were "
            "filtered out.",
        )
    statistics = Statistics(len(DESCRIPTORS))
    shards: list[ShardEntry] = []
    for batch in _resized(_kept(parts, is_first), shard_size(n_molecules)):
        path = folder / f"shard-{len(shards):05}.arrow"
        first_id = sum(one.n_molecules for one in shards)
        shards.append(write_shard(path, batch, first_id))
        statistics.add(Shard(ShardRef(str(path), first_id, batch.num_rows)).descriptors)
        report("writing shards", (first_id + batch.num_rows) / n_molecules)
    write_whole(folder / REJECTS, partial(_join_rejects, parts))
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        key=key,
        name=source.name,
        molloop_version=molloop.__version__,
        rdkit_version=rdkit.__version__,
        sources=source.files,
        options=source.options,
        spec=spec,
        counts=counts + Counts(duplicates=n_rows - n_molecules),
        n_molecules=n_molecules,
        descriptors=statistics.summary(DESCRIPTORS),
        shards=tuple(shards),
    )
    write_whole(
        folder / MANIFEST, lambda path: path.write_text(manifest.to_json(), encoding="utf-8")
    )


def shard_size(n_molecules: int) -> int:
    """Return how many molecules stand in a shard; it depends on their number alone."""
    size = MIN_SHARD_SIZE
    while n_molecules > MAX_SHARDS * size:
        size *= 2
    return size


def _counts(part: Path) -> Counts:
    return Counts(**json.loads(open_batch(part).schema.metadata[COUNTS]))


def _kept(parts: Sequence[Path], is_first: NDArray[np.bool_]) -> Iterator[pa.RecordBatch]:
    start = 0
    for path in parts:
        batch = open_batch(path).replace_schema_metadata(None)
        mask = np.array(is_first[start : start + batch.num_rows])
        start += batch.num_rows
        yield batch if mask.all() else batch.filter(pa.array(mask))


def _resized(batches: Iterator[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """Cut the same rows into batches of `size`, the last of what is left."""
    waiting: list[pa.RecordBatch] = []
    n_waiting = 0
    for batch in batches:
        waiting.append(batch)
        n_waiting += batch.num_rows
        while n_waiting >= size:
            n_left = n_waiting - size
            last = waiting.pop()
            n_taken = last.num_rows - n_left
            yield _joined([*waiting, last.slice(0, n_taken)])
            waiting, n_waiting = [last.slice(n_taken)], n_left
    if n_waiting:
        yield _joined(waiting)


def _join_rejects(parts: Sequence[Path], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(REJECTS_HEADINGS)
        for part in parts:
            file.write(part.with_suffix(".csv").read_text(encoding="utf-8"))
