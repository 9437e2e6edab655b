"""What conditions need to have computed of structures: shard by shard, in parallel, and kept."""

import hashlib
import os
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rdkit
from numpy.typing import NDArray
from rdkit import rdBase

from molloop.errors import RunError
from molloop.files import write_whole
from molloop.library.conditions_on_structures import StructureCondition
from molloop.library.shard import Shard, ShardRef
from molloop.library.shards import Library, Progress
from molloop.smiles import NoMoleculeError, read_quietly

ROWS = 4096  # of a task
Values = NDArray[Any]  # of one fact, shape (n,): bool or float32


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
            f"What conditions need cannot be kept: {self.folders[-1]} cannot be written{why}.",
            "Choose another folder for the cache by XDG_CACHE_HOME.",
        )

    def read(self, condition: StructureCondition, number: int, n: int) -> Values | None:
        """Return what was computed for a condition of the n molecules of a shard, or None."""
        n_kept = -(-n // 8) if condition.dtype is np.bool_ else n
        kept_as = np.uint8 if condition.dtype is np.bool_ else condition.dtype
        for folder in self.folders:
            # a file that is missing or damaged is computed anew
            with suppress(OSError, ValueError, EOFError):
                values = np.load(self._file(folder, condition, number), allow_pickle=False)
                if values.shape == (n_kept,) and values.dtype == kept_as:
                    return _unpacked(values, n) if condition.dtype is np.bool_ else values
        return None

    def write(self, condition: StructureCondition, number: int, values: Values) -> None:
        """Keep what was computed of the molecules of a shard."""
        path = self._file(self.taking(), condition, number)
        path.parent.mkdir(exist_ok=True)
        is_bits = condition.dtype is np.bool_
        kept = np.packbits(values, bitorder="little") if is_bits else values

        def write(unfinished: Path) -> None:
            with unfinished.open("wb") as file:  # `save` would lengthen the name
                np.save(file, kept, allow_pickle=False)

        write_whole(path, write)

    def _file(self, folder: Path, condition: StructureCondition, number: int) -> Path:
        return folder / self.name(condition.fact) / f"{number:05}.npy"


def _unpacked(packed: NDArray[np.uint8], n: int) -> NDArray[np.bool_]:
    return np.unpackbits(packed, count=n, bitorder="little").view(np.bool_)


def compute_missing(
    library: Library,
    conditions: Sequence[StructureCondition],
    kept: Kept,
    n_processes: int,
    report: Progress,
) -> None:
    """Compute and keep what is not kept yet of what some conditions look at.

    A molecule is parsed once for all of them. What is kept stays where this ends early.

    Raises
    ------
    RunError
        It cannot be kept, a process was lost, or RDKit refuses a molecule that it took before.
    """
    by_fact = {one.fact: one for one in conditions}
    missing = {
        number: tuple(
            one for one in by_fact.values() if kept.read(one, number, ref.n_molecules) is None
        )
        for number, ref in enumerate(library.shards)
    }
    missing = {number: some for number, some in missing.items() if some}
    if not missing:
        return
    n_rows = sum(library.shards[number].n_molecules for number in missing)
    try:
        with _computing(library, missing, n_processes) as parts:
            _keep(library, missing, parts, kept, lambda n: report("matching", n / n_rows))
    except BrokenExecutor as error:
        raise RunError(
            f"A process that looks at molecules was lost ({error}).",
            "Was it killed, for its memory perhaps? The same command goes on where this one "
            "stopped.",
        ) from error
    except OSError as error:
        raise RunError(
            f"What conditions need cannot be kept ({error}).",
            "Make space there; the same command goes on where this one stopped.",
        ) from error


Missing = dict[int, tuple[StructureCondition, ...]]  # of shards, by their number
Part = tuple[Values, ...]  # of some rows of a shard, one a condition


def _keep(
    library: Library,
    missing: Missing,
    parts: Iterator[Part],
    kept: Kept,
    count: Callable[[int], None],
) -> None:
    n_done = 0
    count(0)
    for number, conditions in missing.items():
        ref = library.shards[number]
        found = [next(parts) for _ in range(0, ref.n_molecules, ROWS)]
        for condition, values in zip(conditions, zip(*found, strict=True), strict=True):
            kept.write(condition, number, np.concatenate(values))
        n_done += ref.n_molecules
        count(n_done)


@contextmanager
def _computing(library: Library, missing: Missing, n_processes: int) -> Iterator[Generator[Part]]:
    """Compute in order, in several processes; where it ends early, what is lost is not told."""
    import joblib

    tasks = [
        (library.shards[number], start, conditions)
        for number, conditions in missing.items()
        for start in range(0, library.shards[number].n_molecules, ROWS)
    ]
    n_jobs = min(n_processes, len(tasks))
    parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator", pre_dispatch="2*n_jobs")
    outputs = parallel(joblib.delayed(compute_rows)(*task) for task in tasks)
    try:
        yield outputs
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            outputs.close()


def compute_rows(ref: ShardRef, start: int, conditions: Sequence[StructureCondition]) -> Part:
    """Compute what some conditions look at, of some rows of a shard, from one of them on.

    Raises
    ------
    RunError
        RDKit refuses a molecule.
    """
    smiles = Shard(ref).smiles[start : start + ROWS].to_pylist()
    found = [np.empty(len(smiles), one.dtype) for one in conditions]
    with rdBase.BlockLogs():
        for row, text in enumerate(smiles):
            try:
                molecule = read_quietly(text)
            except NoMoleculeError as error:
                raise RunError(
                    f"RDKit refuses {text!r}, which it took when the library was built ({error}).",
                    "Build the library anew with this version of RDKit.",
                ) from error
            for values, condition in zip(found, conditions, strict=True):
                values[row] = condition.compute(molecule)
    return tuple(found)
