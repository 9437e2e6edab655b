"""The run's SQLite database: events in their order, an outcome a simulation.

One writer, many short readers. A rollback journal and full synchronisation, because run
directories lie on network file systems and are read from other nodes.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from molloop.campaign.state import Event, decode, encode
from molloop.errors import StoreError
from molloop.simulate.outcome import Failure, Geometry, Outcome, Success

SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 30.0

_SCHEMA = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    time_s REAL NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
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
"""


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


class Store:
    """An open database.

    Raises
    ------
    StoreError
        From every method: the file cannot be read or written.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        with self._errors():
            if create:
                path.touch(mode=0o600, exist_ok=False)
            self._connection = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=rw",
                uri=True,
                isolation_level=None,
                timeout=BUSY_TIMEOUT_S,
            )
            self._connection.execute("PRAGMA journal_mode = TRUNCATE")
            self._connection.execute("PRAGMA synchronous = FULL")
            if create:
                self._connection.executescript(
                    f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
                )
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"{path} has schema version {version}, expected {SCHEMA_VERSION}.",
                "Read it with the molloop that wrote it.",
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def append(
        self, time_s: float, events: Sequence[Event], simulated: Sequence[Simulated] = ()
    ) -> None:
        """Store some events and the outcomes that belong to them: all of it or nothing."""
        rows = [(time_s, kind, json.dumps(body)) for kind, body in map(encode, events)]
        with self._transaction() as connection:
            connection.executemany("INSERT INTO events (time_s, kind, body) VALUES (?, ?, ?)", rows)
            connection.executemany(
                f"INSERT INTO outcomes VALUES ({', '.join('?' * 20)})",
                [_outcome_row(item) for item in simulated],
            )

    def add_known(self, known: Iterable[Known]) -> None:
        """Store values known beforehand."""
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO known VALUES (?, ?, ?)",
                [(item.smiles, item.value, item.molecule_id) for item in known],
            )

    def events(self) -> list[tuple[float, Event]]:
        """Return all events with their times, in their order."""
        with self._rows("SELECT time_s, kind, body FROM events ORDER BY seq") as rows:
            return [(time_s, decode(kind, json.loads(body))) for time_s, kind, body in rows]

    def known(self) -> list[Known]:
        """Return the values known beforehand, in the order of their file."""
        with self._rows("SELECT smiles, value, molecule_id FROM known ORDER BY rowid") as rows:
            return [Known(*row) for row in rows]

    def simulated(self) -> list[Simulated]:
        """Return all outcomes, in the order of their proposals."""
        with self._rows("SELECT * FROM outcomes ORDER BY proposal") as rows:
            return [_read_outcome(row) for row in rows]

    def training_rows(self) -> list[tuple[int, float]]:
        """Molecule id and value of every success, in the order of the proposals."""
        query = "SELECT molecule_id, value FROM outcomes WHERE value IS NOT NULL ORDER BY proposal"
        with self._rows(query) as rows:
            return list(rows)

    def failures(self) -> list[tuple[str, str, int]]:
        """Kind, an example of its message and how many, the most frequent kind first."""
        query = (
            "SELECT failure_kind, min(failure_message), count(*) AS n FROM outcomes "
            "WHERE failure_kind IS NOT NULL GROUP BY failure_kind ORDER BY n DESC, failure_kind"
        )
        with self._rows(query) as rows:
            return list(rows)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _rows(self, query: str) -> Iterator[Iterator[tuple[Any, ...]]]:
        with self._errors(), closing(self._connection.execute(query)) as cursor:
            yield cursor

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            raise StoreError(
                f"The run's database {self.path} cannot be read or written ({error}).",
                "Check that the disk has space and that you may write there.",
            ) from error


def _outcome_row(item: Simulated) -> tuple[object, ...]:
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
        failure = (outcome.kind, outcome.message, int(outcome.can_retry))
        return (*common, None, None, None, None, None, *failure, outcome.schema_version)
    numbers = positions = None
    if outcome.geometry is not None:
        numbers = outcome.geometry.numbers.astype("u1").tobytes()
        positions = outcome.geometry.positions_angstrom.astype("<f8").tobytes()
    texts = (json.dumps(outcome.details), json.dumps(outcome.flags))
    success = (outcome.value, *texts, numbers, positions)
    return (*common, *success, None, None, None, outcome.schema_version)


def _read_outcome(row: tuple[Any, ...]) -> Simulated:
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
