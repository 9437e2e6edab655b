"""The run's SQLite database: events in their order, an outcome a simulation.

One writer, many short readers. A rollback journal and full synchronisation, because run
directories lie on network file systems and are read from other nodes.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from molloop.campaign.engine import Task
from molloop.campaign.events import Event
from molloop.campaign.jobs import Known, Simulated
from molloop.errors import StoreError
from molloop.store import database
from molloop.store.database import TEMPORARY, damaged, errors_told
from molloop.store.events import encode
from molloop.store.follow import Mark, News, read_news
from molloop.store.records import (
    INSERT_OUTCOME,
    Session,
    outcome_row,
    read_event,
    read_known,
    read_outcome,
    read_session,
    read_task,
    read_value,
)
from molloop.store.schema import SCHEMA, SCHEMA_VERSION
from molloop.store.stored import read_text

PATIENCE_S = 300.0  # with readers that keep the writer waiting


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign is, in counts.

    Attributes
    ----------
    time_s
        Of the last event.
    failures
        How many, by kind.
    best
        Value and SMILES of the best molecule.
    n_beyond
        Values beyond a threshold.
    """

    time_s: float
    last_event: Event | None
    n_submitted: int
    n_values: int
    failures: dict[str, int]
    n_rankings: int
    best: tuple[float, str] | None
    n_beyond: int


class Store:
    """An open database; `create`, `open` and `read` make one.

    Raises
    ------
    StoreError
        From every method: the file cannot be read or written.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def create(cls, path: Path, session: Session, known: Iterable[Known] = ()) -> "Store":
        """Make a new one; it appears under its name when it is whole."""
        unfinished = path.with_name(f"{path.name}.tmp")
        with errors_told(path):
            if path.exists():
                raise FileExistsError("it exists")
            with closing(cls(path, database.create(unfinished))) as store:
                store._fill(known)
                store.add_session(session)
            unfinished.with_name(f"{unfinished.name}-journal").unlink(missing_ok=True)
            unfinished.rename(path)
        return cls.open(path)

    @classmethod
    def temporary(cls, known: Iterable[Known] = ()) -> "Store":
        """Make one that is gone when it is closed: for campaigns over tables of values."""
        store = cls(TEMPORARY, database.create_temporary())
        store._fill(known)
        return store

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Open one to go on with it; a damaged file is told."""
        return cls(path, database.open_to_write(path))

    @classmethod
    def read(cls, path: Path) -> "Store":
        """Open one to read it, also while another process writes; nothing on disk changes."""
        return cls(path, database.open_to_read(path))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def damaged(self, reason: str) -> StoreError:
        """Return the error that says what no run has stored."""
        return damaged(self.path, reason)

    def _fill(self, known: Iterable[Known]) -> None:
        schema = f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        self._connection.executescript(schema)
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO known VALUES (?, ?, ?)",
                [(item.smiles, item.value, item.molecule_id) for item in known],
            )

    def add_session(self, session: Session) -> None:
        """Store who goes on with the campaign, and how."""
        row = (session.began_at, session.config, json.dumps(session.environment))
        with self._transaction() as connection:
            connection.execute("INSERT INTO sessions VALUES (?, ?, ?)", row)

    def sessions(self) -> list[Session]:
        """Return the processes that have run it, in their order; there is one at least."""
        with self._rows("SELECT * FROM sessions ORDER BY rowid") as rows:
            found = list(map(read_session, rows))
        if not found:
            raise damaged(self.path, "it names no process that has run it")
        return found

    def append(
        self,
        time_s: float,
        events: Sequence[Event],
        simulated: Sequence[Simulated] = (),
        tasks: Sequence[Task] = (),
    ) -> None:
        """Store some events, and the outcomes and tasks that belong to them: all or nothing."""
        rows = [(time_s, kind, json.dumps(body)) for kind, body in map(encode, events)]
        with self._transaction() as connection:
            connection.executemany("INSERT INTO events (time_s, kind, body) VALUES (?, ?, ?)", rows)
            connection.executemany(
                INSERT_OUTCOME,
                [outcome_row(item) for item in simulated],
            )
            if tasks:
                connection.executemany(
                    "INSERT INTO tasks VALUES (?, ?, ?, ?)",
                    [(task.work, task.worker, task.began_s, task.ended_s) for task in tasks],
                )

    def events(self) -> list[tuple[float, Event]]:
        """Return all events with their times, in their order."""
        with self._rows("SELECT time_s, kind, body FROM events ORDER BY seq") as rows:
            return list(map(read_event, rows))

    def news(self, since: Mark) -> News:
        """Return what was stored next since a mark, all at the same moment, without geometries.

        So many events at once that reading them keeps no writer waiting; none where there is none.
        """
        with self._moment() as connection:
            return read_news(connection, since)

    def known(self) -> list[Known]:
        """Return the values known beforehand, in the order of their file."""
        with self._rows("SELECT smiles, value, molecule_id FROM known ORDER BY rowid") as rows:
            return list(map(read_known, rows))

    def simulated(self) -> list[Simulated]:
        """Return all outcomes, in the order of their proposals."""
        with self._rows("SELECT * FROM outcomes ORDER BY proposal") as rows:
            return list(map(read_outcome, rows))

    def training_rows(self) -> list[tuple[int, int, float]]:
        """Proposal, molecule id and value of every success, in the order of the proposals."""
        query = (
            "SELECT proposal, molecule_id, value FROM outcomes WHERE value IS NOT NULL "
            "ORDER BY proposal"
        )
        with self._rows(query) as rows:
            return [(proposal, key, read_value(value)) for proposal, key, value in rows]

    def tasks(self) -> list[Task]:
        """Return what workers did beside simulations, in the order in which it was known."""
        with self._rows("SELECT * FROM tasks ORDER BY rowid") as rows:
            return list(map(read_task, rows))

    def progress(self, sign: int, threshold: float | None) -> Progress:
        """Count what is there, all at the same moment.

        Parameters
        ----------
        sign
            1 where large values are good, -1 where small ones are.
        threshold
            Good values beyond it are counted.
        """
        with self._moment() as connection:

            def one(query: str, *values: object) -> tuple[Any, ...]:
                row: tuple[Any, ...] | None = connection.execute(query, values).fetchone()
                return row or (None, None, None)

            last = one("SELECT time_s, kind, body FROM events ORDER BY seq DESC LIMIT 1")
            time_s, last_event = (0.0, None) if last[0] is None else read_event(last)
            (n_submitted,) = one(
                "SELECT ifnull(sum(json_array_length(body, '$.molecule_ids')), 0) "
                "FROM events WHERE kind = 'Submitted'"
            )
            n_values, n_beyond = one(
                "SELECT count(*), ifnull(sum(? * (value - ?) > 0), 0) FROM outcomes "
                "WHERE value IS NOT NULL",
                sign,
                threshold,
            )
            (n_rankings,) = one("SELECT count(*) FROM events WHERE kind = 'Ranked'")
            value, smiles, *_ = one(
                "SELECT value, smiles FROM outcomes WHERE value IS NOT NULL "
                "ORDER BY ? * value DESC, proposal LIMIT 1",
                sign,
            )
            failures = {kind: n for kind, _, n in self.failures()}
            best = None if value is None else (read_value(value), read_text(smiles, "SMILES"))
        n_finished = n_values + sum(failures.values())
        if n_finished > n_submitted:
            raise damaged(self.path, f"{n_finished} have ended of {n_submitted} handed out")
        return Progress(
            time_s=time_s,
            last_event=last_event,
            n_submitted=n_submitted,
            n_values=n_values,
            failures=failures,
            n_rankings=n_rankings,
            best=best,
            n_beyond=n_beyond,
        )

    def failures(self) -> list[tuple[str, str, int]]:
        """Kind, an example of its message and how many, the most frequent kind first."""
        query = (
            "SELECT failure_kind, min(failure_message), count(*) AS n FROM outcomes "
            "WHERE failure_kind IS NOT NULL GROUP BY failure_kind ORDER BY n DESC, failure_kind"
        )
        with self._rows(query) as rows:
            return [
                (read_text(kind, "kind of failure"), read_text(message, "message"), n)
                for kind, message, n in rows
            ]

    @contextmanager
    def _moment(self) -> Iterator[sqlite3.Connection]:
        """Have all that is read be of the same moment."""
        with errors_told(self.path):
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with errors_told(self.path):
            self._insist("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._insist("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _insist(self, statement: str) -> None:
        """Execute it however long a reader stays; between two tries, signals are heard."""
        began_s = time.monotonic()
        while True:
            try:
                self._connection.execute(statement)
            except sqlite3.OperationalError as error:
                waited_s = time.monotonic() - began_s
                if not database.is_busy(error) or waited_s >= PATIENCE_S:
                    raise
            else:
                return

    @contextmanager
    def _rows(self, query: str) -> Iterator[Iterator[tuple[Any, ...]]]:
        with errors_told(self.path), closing(self._connection.execute(query)) as cursor:
            yield cursor
