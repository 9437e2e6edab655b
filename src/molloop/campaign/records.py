"""What a run stores: records, and the tables that hold them."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from molloop.simulate.outcome import Failure, Geometry, Outcome, Success
from molloop.simulate.validation import storable

SCHEMA_VERSION = 3

SCHEMA = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    time_s REAL NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE sessions (
    began_at TEXT NOT NULL,
    config TEXT NOT NULL,
    environment TEXT NOT NULL
) STRICT;
CREATE TABLE tasks (
    work TEXT NOT NULL,
    worker TEXT NOT NULL,
    began_s REAL NOT NULL,
    ended_s REAL NOT NULL
) STRICT;
CREATE TABLE known (
    smiles TEXT NOT NULL,
    value REAL NOT NULL,
    molecule_id INTEGER
) STRICT;
CREATE TABLE outcomes (
    proposal INTEGER PRIMARY KEY,
    molecule_id INTEGER NOT NULL,
    smiles TEXT NOT NULL,
    batch INTEGER NOT NULL,
    level TEXT NOT NULL,
    fidelity TEXT NOT NULL,
    time_s REAL NOT NULL,
    worker TEXT NOT NULL,
    began_s REAL NOT NULL,
    ended_s REAL NOT NULL,
    seconds REAL NOT NULL,
    value REAL,
    details TEXT,
    flags TEXT,
    numbers BLOB,
    positions_angstrom BLOB,
    failure_kind TEXT,
    failure_message TEXT,
    can_retry INTEGER,
    schema_version INTEGER NOT NULL,
    CHECK ((value IS NULL) <> (failure_kind IS NULL))
) STRICT;
CREATE UNIQUE INDEX one_success ON outcomes (molecule_id, level, fidelity)
    WHERE value IS NOT NULL;
CREATE INDEX when_known ON outcomes (time_s);
"""
INSERT_OUTCOME = f"INSERT INTO outcomes VALUES ({', '.join('?' * 20)})"


@dataclass(frozen=True, slots=True)
class Known:
    """A value known beforehand, and the molecule's id where the library holds it."""

    smiles: str
    value: float
    molecule_id: int | None


@dataclass(frozen=True, slots=True)
class Simulated:
    """An outcome, and how it came about.

    Attributes
    ----------
    proposal
        Its place in the order of all proposals, from 0.
    batch
        0 for the initial design, then the number of the ranking that chose it.
    time_s
        When it was known, in seconds from the beginning of the run.
    began_s, ended_s
        When the worker had it, on the same clock.
    """

    proposal: int
    molecule_id: int
    smiles: str
    batch: int
    time_s: float
    worker: str
    began_s: float
    ended_s: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Session:
    """A process that runs the campaign: the first one began it, others resumed it.

    Attributes
    ----------
    began_at
        Date and time, ISO 8601.
    config
        The resolved configuration, as TOML.
    environment
        What it runs on, and with which versions.
    """

    began_at: str
    config: str
    environment: dict[str, Any]


def outcome_row(item: Simulated) -> tuple[object, ...]:
    """Return the row of the table `outcomes`."""
    outcome = item.outcome
    common = (
        item.proposal,
        item.molecule_id,
        item.smiles,
        item.batch,
        outcome.level,
        outcome.fidelity,
        item.time_s,
        item.worker,
        item.began_s,
        item.ended_s,
        outcome.seconds,
    )
    if isinstance(outcome, Failure):
        failure = (storable(outcome.kind), storable(outcome.message), int(outcome.can_retry))
        return (*common, None, None, None, None, None, *failure, outcome.schema_version)
    numbers = positions = None
    if outcome.geometry is not None:
        numbers = outcome.geometry.numbers.astype("u1").tobytes()
        positions = outcome.geometry.positions_angstrom.astype("<f8").tobytes()
    texts = (json.dumps(outcome.details), json.dumps(outcome.flags))
    success = (outcome.value, *texts, numbers, positions)
    return (*common, *success, None, None, None, outcome.schema_version)


def read_outcome(row: tuple[Any, ...]) -> Simulated:
    """Read a row of the table `outcomes` back."""
    (proposal, molecule_id, smiles, batch, level, fidelity, time_s, worker, began_s, ended_s,
     seconds, value, details, flags, numbers, positions, kind, message, can_retry,
     version) = row  # fmt: skip
    outcome: Outcome
    if kind is not None:
        outcome = Failure(kind, message, level, fidelity, bool(can_retry), seconds, version)
    else:
        geometry = None
        if numbers is not None:
            geometry = Geometry(
                np.frombuffer(numbers, dtype="u1"),
                np.frombuffer(positions, dtype="<f8").reshape(-1, 3),
            )
        facts = (json.loads(details), tuple(json.loads(flags)))
        outcome = Success(value, level, fidelity, *facts, geometry, seconds, version)
    return Simulated(
        proposal, molecule_id, smiles, batch, time_s, worker, began_s, ended_s, outcome
    )
