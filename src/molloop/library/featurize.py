"""A block of lines becomes molecules with their features; what is refused says why."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from rdkit import Chem, rdBase
from threadpoolctl import threadpool_limits

from molloop.geometries import Positions
from molloop.library.batches import make_batch
from molloop.library.columns import (
    kept_columns,
    origin_columns,
    position_columns,
    stereo_column,
    with_columns,
)
from molloop.library.conditions import each_of, first_objection
from molloop.library.coordinates import coordinates
from molloop.library.duplicates import Seen
from molloop.library.facts import facts
from molloop.library.features import identity_hash
from molloop.library.hydrogens import without_hydrogens
from molloop.library.kinds import kinds_of
from molloop.library.manifest import BuildSpec, Counts
from molloop.library.molblocks import Molblocks
from molloop.library.repeated import Repeated
from molloop.library.sources import Block
from molloop.library.stereo import n_unspecified
from molloop.library.taken import Taken, take
from molloop.smiles import HYDROGEN, NoMoleculeError

# molecules of more lines leave the processor's caches before they are described and freed
LINES_AT_ONCE = 256

Reject = tuple[str, int, str, str, str]  # file, line, name, text, reason


@dataclass(frozen=True)
class Featurized:
    """What became of a block.

    Attributes
    ----------
    molecules
        Columns of shards, in the order of the lines, and behind them the origin of each.
    rejects
        What is no molecule, or filtered out.
    repeated, repeated_positions
        What was left out as a molecule that was seen before, and the coordinates of each.
    counts
        Of the block's lines; most duplicates are found later.
    """

    molecules: pa.RecordBatch
    rejects: tuple[Reject, ...]
    repeated: tuple[Repeated, ...]
    repeated_positions: tuple[Positions | None, ...]
    counts: Counts


@dataclass(eq=False)
class _Rows:
    """The molecules of some lines that are left, a list a column, and what became of the others."""

    molecules: list[Chem.Mol] = field(default_factory=list)
    smiles: list[str] = field(default_factory=list)
    positions: list[Positions | None] = field(default_factory=list)
    origins: list[Repeated] = field(default_factory=list)
    kept: dict[str, list[str]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    repeated: list[Repeated] = field(default_factory=list)
    repeated_positions: list[Positions | None] = field(default_factory=list)
    n_invalid: int = 0
    n_altered: int = 0
    n_lost_geometries: int = 0


def featurize(
    block: Block, spec: BuildSpec, seen: Container[int] = (), keeps_smiles: bool = True
) -> Featurized:
    """Read and filter the lines of a block, and compute the features of what is left.

    Parameters
    ----------
    seen
        Hashes of molecules in blocks before it, not necessarily of all: these are left out.
    keeps_smiles
        Whether a SMILES stays as the block has it, or becomes the canonical one. Where nobody wrote
        the SMILES, nobody asks where they stood.
    """
    batches: list[pa.RecordBatch] = []
    rejects: list[Reject] = []
    repeated: list[Repeated] = []
    repeated_positions: list[Positions | None] = []
    counts = Counts(read=len(block.lines))
    # else the levels of large molecules would start threads in each process of a build
    with threadpool_limits(1, "blas"):
        for start in range(0, max(1, len(block.lines)), LINES_AT_ONCE):
            rows = _read(block, slice(start, start + LINES_AT_ONCE), spec, seen, keeps_smiles)
            batches.append(_columns(rows, spec, keeps_smiles, block.kind == "molblock"))
            rows.molecules.clear()
            rejects += rows.rejects
            repeated += rows.repeated
            repeated_positions += rows.repeated_positions
            counts += Counts(
                invalid=rows.n_invalid,
                filtered=len(rows.rejects) - rows.n_invalid,
                duplicates=len(rows.repeated),
                altered=rows.n_altered,
                lost_geometries=rows.n_lost_geometries,
            )
    return Featurized(
        pa.concat_batches(batches),
        tuple(rejects),
        tuple(repeated) if keeps_smiles else (),
        tuple(repeated_positions) if keeps_smiles else (),
        counts,
    )


def _read(
    block: Block, places: slice, spec: BuildSpec, seen: Container[int], keeps_smiles: bool
) -> _Rows:
    """Read and filter the lines at some places of a block."""
    rows = _Rows(kept={name: [] for name in block.kept})
    texts = shorter = block.texts[places]
    blocks = None
    if block.kind == "molblock" and any(HYDROGEN in text for text in texts):
        blocks = Molblocks.of(texts)
        shorter = without_hydrogens(blocks)
    with rdBase.BlockLogs():
        # a step for all, then the next one: the processor has its code at hand
        left = _take(block, places, shorter, spec, rows)
        described = [taken.described(spec.same_as) for _, taken in left]
        positions = _positions(left, texts, blocks, places.start)
    of_given = keeps_smiles and block.kind == "smiles"
    for (place, taken), (identity, canonical), position in zip(
        left, described, positions, strict=True
    ):
        rows.n_lost_geometries += taken.in_space and position is None
        text = canonical if block.kind == "molblock" else block.texts[place]
        origin = Repeated(
            identity_hash(identity), block.file, block.lines[place], block.names[place], text
        )
        if origin.identity_hash in seen:
            rows.repeated.append(origin)
            rows.repeated_positions.append(position)
            continue
        rows.molecules.append(taken.molecule)
        rows.smiles.append(text if of_given and not taken.is_altered else canonical)
        rows.positions.append(position)
        rows.origins.append(origin)
        for column, cells in block.kept.items():
            rows.kept[column].append(cells[place])
    return rows


def _take(
    block: Block, places: slice, texts: Sequence[str], spec: BuildSpec, rows: _Rows
) -> list[tuple[int, Taken]]:
    """Return what texts, those at some places, hold, each with its place; others are rejects."""
    left: list[tuple[int, Taken]] = []
    conditions = each_of(spec.filters)
    for place, text in enumerate(texts, places.start):
        line = block.lines[place]
        try:
            if fault := block.faults.get(line):
                raise NoMoleculeError(fault)
            taken = take(text, block.kind, spec.fragments)
        except NoMoleculeError as error:
            rows.n_invalid += 1
            reason = str(error)
        else:
            rows.n_altered += taken.is_altered
            objection = first_objection(conditions, taken.molecule)
            if objection is None:
                left.append((place, taken))
                continue
            reason = objection
        shown = "" if block.kind == "molblock" else text
        rows.rejects.append((block.file, line, block.names[place], shown, reason))
    return left


def _positions(
    left: Sequence[tuple[int, Taken]], texts: Sequence[str], blocks: Molblocks | None, first: int
) -> list[Positions | None]:
    """Return the coordinates of molecules of which the SMILES were written.

    Parameters
    ----------
    texts, blocks
        At some places, of which this is the first; the blocks if they were read before.
    """
    molecules: list[Chem.Mol | None] = [None] * len(texts)
    for place, taken in left:
        if taken.keeps_geometry:
            molecules[place - first] = taken.molecule
    if all(one is None for one in molecules):
        return [None] * len(left)
    # of all at once: that takes a tenth of the time
    found = coordinates(blocks or Molblocks.of(texts), molecules)
    return [found[place - first] for place, _ in left]


def _columns(
    rows: _Rows, spec: BuildSpec, keeps_origins: bool, has_positions: bool
) -> pa.RecordBatch:
    batch = make_batch(
        rows.smiles,
        [one.name for one in rows.origins],
        facts(rows.molecules),
        {name: kind.compute(rows.molecules) for name, kind in kinds_of(spec.morgan).items()},
        np.array([one.identity_hash for one in rows.origins], dtype=np.uint64),
    )
    more = stereo_column([n_unspecified(one) for one in rows.molecules]) | kept_columns(rows.kept)
    if has_positions:
        more |= position_columns(rows.positions)
    if keeps_origins:
        more |= origin_columns(rows.origins)
    return with_columns(batch, more)


def featurize_lines(block: Block, spec: BuildSpec, seen: Path, keeps_smiles: bool) -> Featurized:
    """Do the same where the hashes of molecules before the block lie in a file."""
    return featurize(block, spec, Seen(seen), keeps_smiles)
