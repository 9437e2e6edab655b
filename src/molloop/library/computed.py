"""What is computed of the molecules of a library: shard by shard, in parallel, and kept."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import rdkit
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from molloop.errors import RunError, remedy_there
from molloop.files import write_whole
from molloop.library.computable import Computable, Values
from molloop.library.shard import Shard, ShardRef
from molloop.library.shards import Library
from molloop.processes import in_processes
from molloop.smiles import NoMoleculeError, read_quietly

ROWS = 4096  # of a task


@dataclass(frozen=True)
class Kept:
    """Where what was computed of a library is kept: under a hash of library and fact.

    Attributes
    ----------
    key
        Of the library.
    folders
        That may hold it; the first that may be written takes what is new.
    """

    key: str
    folders: tuple[Path, ...]

    @classmethod
    def beside(cls, library: Library, folder: str, cache_dir: Path) -> Self:
        """Return what a folder of a library keeps, or the cache where that may not be written."""
        key = library.manifest.key
        return cls(key, (library.folder / folder, cache_dir / key[:16]))

    def name(self, fact: object) -> str:
        """Return the name under which something is kept."""
        facts = self.key, rdkit.__version__, fact
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]

    def taking(self) -> Path:
        """Return the folder that takes what is new.

        Raises
        ------
        RunError
            None can be written.
        """
        why = ""
        for folder in self.folders:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                why = f" ({error})"
                continue
            if os.access(folder, os.W_OK | os.X_OK):
                return folder
        raise RunError(
            f"What is computed cannot be kept: {self.folders[-1]} cannot be written{why}.",
            "Choose another folder for the cache by XDG_CACHE_HOME.",
        )

    def find(self, one: Computable, number: int, n: int) -> Path | None:
        """Return the file of what was computed of the n molecules of a shard, or None."""
        is_bits = one.dtype is np.bool_
        shape = (-(-n // 8) if is_bits else n, *one.shape)
        for folder in self.folders:
            path = folder / self.name(one.fact) / f"{number:05}.npy"
            # a file that is missing or damaged is computed anew
            with suppress(OSError, ValueError, EOFError):
                values = np.load(path, mmap_mode="r", allow_pickle=False)
                if values.shape == shape and values.dtype == (np.uint8 if is_bits else one.dtype):
                    return path
        return None

    def read(self, one: Computable, number: int, n: int) -> Values | None:
        """Return what was computed of the n molecules of a shard, or None."""
        path = self.find(one, number, n)
        if path is None:
            return None
        values: Values = np.load(path, allow_pickle=False)
        return _unpacked(values, n) if one.dtype is np.bool_ else values

    def write(self, one: Computable, number: int, values: Values) -> None:
        """Keep what was computed of the molecules of a shard."""
        path = self.taking() / self.name(one.fact) / f"{number:05}.npy"
        path.parent.mkdir(exist_ok=True)
        write_array(
            path, np.packbits(values, bitorder="little") if one.dtype is np.bool_ else values
        )


def write_array(path: Path, values: Values) -> None:
    """Write a file of numbers, whole or not at all."""

    def write(unfinished: Path) -> None:
        with unfinished.open("wb") as file:  # `save` would lengthen the name
            np.save(file, values, allow_pickle=False)

    write_whole(path, write)


def _unpacked(packed: NDArray[np.uint8], n: int) -> NDArray[np.bool_]:
    return np.unpackbits(packed, count=n, bitorder="little").view(np.bool_)


def computed_files(
    library: Library,
    wanted: Computable,
    kept: Kept,
    n_processes: int,
    report: Callable[[float], None],
) -> list[Path]:
    """Return the file a shard of something, which is computed where it is not kept yet.

    Parameters and errors are those of :func:`compute_missing`.
    """
    compute_missing(library, [wanted], kept, n_processes, report)
    files = []
    for number, ref in enumerate(library.shards):
        path = kept.find(wanted, number, ref.n_molecules)
        if path is None:
            raise RunError(
                f"What was computed of {wanted.fact} is gone.", "Give the command again."
            )
        files.append(path)
    return files


def compute_missing(
    library: Library,
    wanted: Sequence[Computable],
    kept: Kept,
    n_processes: int,
    report: Callable[[float], None],
) -> None:
    """Compute and keep what is not kept yet.

    A molecule is parsed once for all of it. What is kept stays where this ends early.

    Parameters
    ----------
    report
        Called with how much of it is done, 0 to 1.

    Raises
    ------
    RunError
        It cannot be computed or kept, a process was lost, or RDKit refuses a molecule that it took
        before.
    """
    by_fact = {one.fact: one for one in wanted}
    missing = {
        number: tuple(
            one for one in by_fact.values() if kept.find(one, number, ref.n_molecules) is None
        )
        for number, ref in enumerate(library.shards)
    }
    missing = {number: some for number, some in missing.items() if some}
    if not missing:
        return
    n_rows = sum(library.shards[number].n_molecules for number in missing)
    try:
        tasks = [
            (library.shards[number], start, some)
            for number, some in missing.items()
            for start in range(0, library.shards[number].n_molecules, ROWS)
        ]
        words = ("looks at molecules", "The same command goes on where this one stopped.")
        with in_processes(compute_rows, tasks, min(n_processes, len(tasks)), *words) as parts:
            _keep(library, missing, parts, kept, lambda n: report(n / n_rows))
    except OSError as error:
        raise RunError(
            f"What is computed cannot be kept ({error}).",
            f"{remedy_there(error)}; the same command goes on where this one stopped.",
        ) from error


Missing = dict[int, tuple[Computable, ...]]  # of shards, by their number
Part = tuple[Values, ...]  # of some rows of a shard, one for each that is missing


def _keep(
    library: Library,
    missing: Missing,
    parts: Iterator[Part],
    kept: Kept,
    count: Callable[[int], None],
) -> None:
    n_done = 0
    count(0)
    for number, some in missing.items():
        ref = library.shards[number]
        found = [next(parts) for _ in range(0, ref.n_molecules, ROWS)]
        for one, values in zip(some, zip(*found, strict=True), strict=True):
            kept.write(one, number, np.concatenate(values))
        n_done += ref.n_molecules
        count(n_done)


def compute_rows(ref: ShardRef, start: int, wanted: Sequence[Computable]) -> Part:
    """Compute something of some rows of a shard, from one of them on.

    Raises
    ------
    RunError
        RDKit refuses a molecule, or it cannot be computed.
    """
    n = min(ROWS, ref.n_molecules - start)
    found: list[list[Any]] = [[] for _ in wanted]
    size = max(one.at_a_time for one in wanted)
    molecules = molecules_of(Shard(ref), start, n, any(one.reads_columns for one in wanted))
    with rdBase.BlockLogs():
        while some := list(islice(molecules, size)):
            for values, one in zip(found, wanted, strict=True):
                values.extend(one.compute_all(some))
    return tuple(np.array(values, one.dtype) for values, one in zip(found, wanted, strict=True))


def molecules_of(shard: Shard, start: int, n: int, with_columns: bool) -> Iterator[Chem.Mol]:
    """Read n molecules of a shard, from one of them on.

    Parameters
    ----------
    with_columns
        Whether names, and columns that the library keeps, become properties of them.

    Raises
    ------
    RunError
        RDKit refuses one.
    """
    for row, text in enumerate(shard.smiles[start : start + n].to_pylist(), start):
        try:
            molecule = read_quietly(text)
        except NoMoleculeError as error:
            raise RunError(
                f"RDKit refuses {text!r}, which it took when the library was built ({error}).",
                "Build the library anew with this version of RDKit.",
            ) from error
        if with_columns:
            for column, cell in {**shard.kept(row), "_Name": shard.names[row].as_py()}.items():
                molecule.SetProp(column, cell)
        yield molecule
