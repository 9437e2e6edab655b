"""The run's SQLite database: events in their order, an outcome a simulation.

One writer, many short readers. A rollback journal and full synchronisation, because run
directories lie on network file systems and are read from other nodes.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from molloop.campaign.disk import what_is_there
from molloop.campaign.engine import Task, Work
from molloop.campaign.news import Mark, News, read_news
from molloop.campaign.records import (
    INSERT_OUTCOME,
    SCHEMA,
    SCHEMA_VERSION,
    Known,
    Session,
    Simulated,
    outcome_row,
    read_outcome,
)
from molloop.campaign.state import Event, decode, encode
from molloop.errors import StoreError

BUSY_TIMEOUT_S = 1.0  # within SQLite, where no signal is heard
PATIENCE_S = 300.0  # with readers that keep the writer waiting
TEMPORARY = Path("temporary database")


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
        with _errors(path):
            if path.exists():
                raise FileExistsError("it exists")
            unfinished.unlink(missing_ok=True)
            unfinished.touch(mode=0o600)
            with closing(cls(path, _connect(unfinished, "rw"))) as store:
                store._fill(known)
                store.add_session(session)
            unfinished.with_name(f"{unfinished.name}-journal").unlink(missing_ok=True)
            unfinished.rename(path)
        return cls.open(path)

    @classmethod
    def temporary(cls, known: Iterable[Known] = ()) -> "Store":
        """Make one that is gone when it is closed: for campaigns over tables of values."""
        # not ":memory:", where each transaction takes longer the more is there
        store = cls(TEMPORARY, sqlite3.connect("", isolation_level=None))
        store._fill(known)
        return store

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Open one to go on with it; a damaged file is told."""
        store = cls(path, _open(path, "rw"))
        with store._rows("PRAGMA quick_check(1)") as rows:
            [(verdict,)] = rows
        if verdict != "ok":
            store.close()
            raise _damaged(path, " ".join(verdict.split()))
        return store

    @classmethod
    def read(cls, path: Path) -> "Store":
        """Open one to read it, also while another process writes."""
        # what a killed writer has left half done can only be undone by one who may write
        mode = "rw" if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) else "ro"
        store = cls(path, _open(path, mode))
        store._connection.execute("PRAGMA query_only = 1")
        return store

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

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
            found = [Session(at, config, json.loads(text)) for at, config, text in rows]
        if not found:
            raise _damaged(self.path, "it names no process that has run it")
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
            return [(time_s, decode(kind, json.loads(body))) for time_s, kind, body in rows]

    def news(self, since: Mark) -> News:
        """Return what was stored next since a mark, all at the same moment, without geometries.

        So many events at once that reading them keeps no writer waiting; none where there is none.
        """
        with _errors(self.path):
            self._connection.execute("BEGIN")
            try:
                return read_news(self._connection, since)
            finally:
                self._connection.execute("ROLLBACK")

    def known(self) -> list[Known]:
        """Return the values known beforehand, in the order of their file."""
        with self._rows("SELECT smiles, value, molecule_id FROM known ORDER BY rowid") as rows:
            return [Known(*row) for row in rows]

    def simulated(self) -> list[Simulated]:
        """Return all outcomes, in the order of their proposals."""
        with self._rows("SELECT * FROM outcomes ORDER BY proposal") as rows:
            return [read_outcome(row) for row in rows]

    def training_rows(self) -> list[tuple[int, int, float]]:
        """Proposal, molecule id and value of every success, in the order of the proposals."""
        query = (
            "SELECT proposal, molecule_id, value FROM outcomes WHERE value IS NOT NULL "
            "ORDER BY proposal"
        )
        with self._rows(query) as rows:
            return list(rows)

    def tasks(self) -> list[Task]:
        """Return what workers did beside simulations, in the order in which it was known."""
        with self._rows("SELECT * FROM tasks ORDER BY rowid") as rows:
            return [Task(Work(work), *rest) for work, *rest in rows]

    def progress(self, sign: int, threshold: float | None) -> Progress:
        """Count what is there, all at the same moment.

        Parameters
        ----------
        sign
            1 where large values are good, -1 where small ones are.
        threshold
            Good values beyond it are counted.
        """

        def one(query: str, *values: object) -> tuple[Any, ...]:
            row: tuple[Any, ...] | None = self._connection.execute(query, values).fetchone()
            return row or (None, None, None)

        with _errors(self.path):
            self._connection.execute("BEGIN")
            try:
                time_s, kind, body = one(
                    "SELECT time_s, kind, body FROM events ORDER BY seq DESC LIMIT 1"
                )
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
            finally:
                self._connection.execute("ROLLBACK")
            last_event = None if kind is None else decode(kind, json.loads(body))
        return Progress(
            time_s=time_s or 0.0,
            last_event=last_event,
            n_submitted=n_submitted,
            n_values=n_values,
            failures=failures,
            n_rankings=n_rankings,
            best=None if value is None else (value, smiles),
            n_beyond=n_beyond,
        )

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
        with _errors(self.path):
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
                if not _is_busy(error) or waited_s >= PATIENCE_S:
                    raise
            else:
                return

    @contextmanager
    def _rows(self, query: str) -> Iterator[Iterator[tuple[Any, ...]]]:
        with _errors(self.path), closing(self._connection.execute(query)) as cursor:
            yield cursor


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_TIMEOUT_S,
    )
    if mode == "rw":
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = FULL")
    return connection


def _open(path: Path, mode: str) -> sqlite3.Connection:
    with _errors(path):
        connection = _connect(path, mode)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        connection.close()
        raise StoreError(
            f"{path} has schema version {version}, expected {SCHEMA_VERSION}.",
            "Read it with the molloop that wrote it.",
        )
    return connection


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, ValueError) as error:
        raise _explained(path, error) from error


def _is_busy(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_BUSY


def _explained(path: Path, error: Exception) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    if _is_busy(error):
        return StoreError(
            f"The run's database {path} is held by another process ({error}).",
            "`lsof` or `fuser` on that file say by which: a program that reads it and was "
            "stopped, perhaps. End that one or wait.",
        )
    if code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _damaged(path, str(error))
    if isinstance(error, ValueError):
        return _damaged(path, str(error))
    if path == TEMPORARY:
        return StoreError(
            f"The temporary database of a replay cannot be read or written ({error}).",
            "Set TMPDIR to a folder that has space and where you may write.",
        )
    verb = "read or written" if path.exists() else "made"
    return StoreError(f"The run's database {path} cannot be {verb} ({error}).", what_is_there(path))


def _damaged(path: Path, why: str) -> StoreError:
    return StoreError(
        f"The run's database {path} is damaged ({why}).",
        f"Put back a copy of it, or rescue what can be read with `sqlite3 {path} .recover`; a new "
        "run takes known values with --training-data.",
    )
