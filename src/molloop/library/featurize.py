"""A block of lines becomes molecules with their features; what is refused says why."""

import os
import threading
import time
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from rdkit import Chem

from molloop.library.batches import make_batch
from molloop.library.duplicates import Seen
from molloop.library.facts import facts
from molloop.library.features import identity_hash, parse
from molloop.library.kinds import KINDS
from molloop.library.manifest import BuildSpec, Counts
from molloop.library.sources import Block

INVALID = "not a valid molecule"
PARENT_POLL_S = 1.0

Reject = tuple[str, int, str, str]  # file, line, SMILES, reason


@dataclass(frozen=True)
class Featurized:
    """What became of a block.

    Attributes
    ----------
    molecules
        Columns of shards, in the order of the lines.
    rejects
        What is no molecule, or filtered out.
    counts
        Of the block's lines; most duplicates are found later.
    """

    molecules: pa.RecordBatch
    rejects: tuple[Reject, ...]
    counts: Counts


def featurize(
    block: Block, spec: BuildSpec, seen: Container[int] = (), keeps_smiles: bool = True
) -> Featurized:
    """Parse and filter the lines of a block, and compute the features of what is left.

    Parameters
    ----------
    seen
        Hashes of molecules in blocks before it, not necessarily of all: these are left out.
    keeps_smiles
        Whether a SMILES stays as the block has it, or becomes the canonical one.
    """
    molecules: list[Chem.Mol] = []
    smiles: list[str] = []
    names: list[str] = []
    hashes: list[int] = []
    rejects: list[Reject] = []
    n_invalid = n_duplicates = 0
    for line, text, name in zip(block.lines, block.texts, block.names, strict=True):
        fault = block.faults.get(line)
        molecule = None if fault else parse(text)
        if molecule is None:
            n_invalid += 1
            rejects.append((block.file, line, text, fault or INVALID))
            continue
        if objection := spec.filters.objection(molecule):
            rejects.append((block.file, line, text, objection))
            continue
        canonical = Chem.MolToSmiles(molecule)
        key = identity_hash(canonical)
        if key in seen:
            n_duplicates += 1
            continue
        molecules.append(molecule)
        smiles.append(text if keeps_smiles else canonical)
        names.append(name)
        hashes.append(key)
    return Featurized(
        make_batch(
            smiles,
            names,
            facts(molecules),
            {name: kind.compute(molecules, spec.morgan) for name, kind in KINDS.items()},
            np.array(hashes, dtype=np.uint64),
        ),
        tuple(rejects),
        Counts(len(block.lines), n_invalid, len(rejects) - n_invalid, n_duplicates),
    )


def featurize_for(
    parent_pid: int, block: Block, spec: BuildSpec, seen: Path, keeps_smiles: bool
) -> Featurized:
    """Do the same in a process that does not outlive the one that asked for it."""
    _end_with(parent_pid)
    return featurize(block, spec, Seen(seen), keeps_smiles)


def _end_with(parent_pid: int) -> None:
    # a pool does not notice that its owner was killed, and would wait for more work
    name = f"end-with-{parent_pid}"
    if os.getpid() != parent_pid and name not in {one.name for one in threading.enumerate()}:
        threading.Thread(target=_watch, args=(parent_pid,), name=name, daemon=True).start()


def _watch(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(PARENT_POLL_S)
    os._exit(1)
