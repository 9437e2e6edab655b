"""Lines become parts: files of molecules with their features, and of what was refused.

A part is written whole, after a bounded number of lines, so that a build that ended early goes on
after its last one.
"""

import csv
import json
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain, count, islice
from math import ceil
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from molloop.errors import InputError, RunError
from molloop.files import write_whole
from molloop.library.batches import hashes_of, join_batches, open_batch, write_batch
from molloop.library.columns import position_columns, with_columns
from molloop.library.duplicates import Seen
from molloop.library.featurize import Featurized, Reject, featurize_lines
from molloop.library.manifest import BuildSpec, Counts, damaged
from molloop.library.repeated import Repeated, from_batch, to_batch
from molloop.library.shards import Progress
from molloop.library.sources import BLOCK_SIZE, Block, NothingReadError
from molloop.processes import in_processes
from molloop.texts import sheet_cell

BLOCKS_PER_PART = 16
LINES_PER_PART = BLOCKS_PER_PART * BLOCK_SIZE
COUNTS = b"counts"
SEEN = "seen"
LEAST_FRACTION = 1e-6  # of a source, that its first block is; 0 where none was told


@dataclass(frozen=True, slots=True)
class Part:
    """A file of molecules; beside it one of rejects, and one of molecules that were seen before."""

    path: Path

    @property
    def rejects(self) -> Path:
        """Rows of file, line, name, text, reason."""
        return self.path.with_suffix(".csv")

    @property
    def repeated(self) -> Path:
        """Rows of :class:`molloop.library.repeated.Repeated`, as columns."""
        return self.path.with_suffix(".repeated")

    def open(self) -> pa.RecordBatch:
        """Map its molecules into memory: the columns of a shard."""
        return _open(self.path)

    def open_repeated(self) -> pa.RecordBatch:
        """Map into memory what was seen before: the columns of `Repeated`, and coordinates."""
        return _open(self.repeated)

    def all_repeated(self, is_first: NDArray[np.bool_]) -> list[Repeated]:
        """Return what does not stay of it: what was seen before, and rows that are no first."""
        molecules = self.open()
        if "file" not in molecules.schema.names:
            return []  # nobody wrote these SMILES
        later = molecules.filter(pa.array(~is_first))
        return [*from_batch(self.open_repeated()), *from_batch(later)]

    def counts(self) -> Counts:
        """Return what became of its lines."""
        return Counts(**json.loads(self.open().schema.metadata[COUNTS]))

    def hashes(self) -> NDArray[np.uint64]:
        """Return those of its molecules."""
        return hashes_of(self.open())


def _open(path: Path) -> pa.RecordBatch:
    try:
        return open_batch(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise damaged(path, str(error)) from error


def find_parts(folder: Path) -> list[Part]:
    """Return the parts that a folder holds, in order."""
    return [Part(path) for path in sorted(folder.glob("part-*.arrow"))]


def _drop_damaged(parts: Sequence[Part]) -> list[Part]:
    """Return the parts before the first that cannot be read; remove the others."""
    whole: list[Part] = []
    for part in parts:
        try:
            part.counts()
            part.rejects.stat()
            _open(part.repeated)
        except (RunError, OSError):
            break
        whole.append(part)
    for part in parts[len(whole) :]:
        part.path.unlink()
    return whole


def make_parts(
    blocks: Iterator[Block],
    spec: BuildSpec,
    keeps_smiles: bool,
    folder: Path,
    n_processes: int,
    report: Progress,
) -> None:
    """Write the parts that are not there yet; the blocks must be those of the last time.

    Raises
    ------
    NothingReadError
        As of :func:`molloop.library.sources.blocks`; all lines stand in parts.
    InputError
        As well; lines behind the last whole part are lost.
    """
    report("reading", 0.0)
    parts = _drop_damaged(find_parts(folder))
    first = list(islice(blocks, 1))
    blocks = chain(first, blocks)
    n_lines = sum(ceil(len(one.lines) / max(one.fraction, LEAST_FRACTION)) for one in first)
    # that of an earlier build may know what no part holds
    seen = Seen.create(folder / SEEN, n_lines)
    for part in parts:
        seen.add(part.hashes())
    blocks = islice(blocks, len(parts) * BLOCKS_PER_PART, None)
    with closing(_featurize_all(blocks, spec, seen.path, keeps_smiles, n_processes)) as done:
        for number in count(len(parts)):
            group: list[Featurized] = []
            failed: list[NothingReadError] = []
            try:
                for featurized, fraction in islice(done, BLOCKS_PER_PART):
                    group.append(featurized)
                    seen.add(hashes_of(featurized.molecules))
                    report("reading", fraction)
            except NothingReadError as error:
                failed.append(error)
            if group:
                _write(group, Part(folder / f"part-{number:06}.arrow"))
            if failed:
                raise failed[0]
            if not group:
                return


def _write(group: Sequence[Featurized], part: Part) -> None:
    rejects = [row for featurized in group for row in featurized.rejects]
    repeated = [row for featurized in group for row in featurized.repeated]
    positions = [one for featurized in group for one in featurized.repeated_positions]
    batch = with_columns(to_batch(repeated), position_columns(positions))
    write_whole(part.rejects, partial(_write_rejects, rejects))
    write_whole(part.repeated, partial(write_batch, batch))
    write_whole(part.path, partial(_write_part, group))


def _featurize_all(
    blocks: Iterator[Block], spec: BuildSpec, seen: Path, keeps_smiles: bool, n_processes: int
) -> Generator[tuple[Featurized, float]]:
    """Featurize blocks in order, in several processes; with each, how much has been read."""
    errors: list[InputError] = []
    fractions: deque[float] = deque()

    def until_error() -> Iterator[Block]:
        # joblib reads this in a thread of its own: an error of the file is kept for the consumer
        try:
            for block in blocks:
                fractions.append(block.fraction)
                yield block
        except InputError as error:
            errors.append(error)

    seen = seen.absolute()  # processes of an earlier build may be elsewhere
    tasks = ((block, spec, seen, keeps_smiles) for block in until_error())
    words = (
        "parses molecules",
        "The same command goes on where this one stopped; --processes sets how many there are.",
    )
    with in_processes(featurize_lines, tasks, n_processes, *words, seen.parent) as outputs:
        for one in outputs:
            yield one, fractions.popleft()
    if errors:
        raise errors[0]


def _write_part(group: Sequence[Featurized], path: Path) -> None:
    counts = sum((one.counts for one in group), Counts())
    molecules = join_batches([one.molecules for one in group])
    write_batch(molecules.replace_schema_metadata({COUNTS: json.dumps(asdict(counts))}), path)


def _write_rejects(rows: Sequence[Reject], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([sheet_cell(str(cell)) for cell in row] for row in rows)
