"""The run's SQLite database, written: one writer, many short readers.

A rollback journal and full synchronisation, because run directories lie on network file systems and
are read from other nodes.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from molloop.campaign.engine import Task
from molloop.campaign.events import Event
from molloop.campaign.jobs import Known, Simulated
from molloop.store import database
from molloop.store.events import encode
from molloop.store.reader import Reader
from molloop.store.records import Session, Stage, known_row, rows_of
from molloop.store.schema import SCHEMA, SCHEMA_VERSION
from molloop.store.trouble import TEMPORARY, errors_told, is_busy

PATIENCE_S = 300.0  # with readers that keep the writer waiting
# molecules of a later stage are there already
_INSERTS = {
    name: f"INSERT INTO {name} VALUES ({', '.join('?' * n)})"
    f"{' ON CONFLICT (molecule_id) DO NOTHING' if name == 'molecules' else ''}"
    for name, n in {
        "molecules": 4,
        "jobs": 12,
        "job_values": 4,
        "calculations": 10,
        "geometries": 5,
    }.items()
}


class Store(Reader):
    """An open database that is written; `create`, `open` and `temporary` make one.

    Raises
    ------
    StoreError
        From every method: the file cannot be read or written.
    """

    @classmethod
    def create(
        cls, path: Path, session: Session, known: Iterable[Known] = (), stages: Iterable[Stage] = ()
    ) -> "Store":
        """Make a new one; it appears under its name when it is whole."""
        unfinished = path.with_name(f"{path.name}.tmp")
        with errors_told(path):
            if path.exists():
                raise FileExistsError("it exists")
            with closing(cls(path, database.create(unfinished))) as store:
                store._fill(known, stages)
                store.add_session(session)
            unfinished.with_name(f"{unfinished.name}-journal").unlink(missing_ok=True)
            unfinished.rename(path)
        return cls.open(path)

    @classmethod
    def temporary(cls, known: Iterable[Known] = (), stages: Iterable[Stage] = ()) -> "Store":
        """Make one that is gone when it is closed: for campaigns over tables of values."""
        store = cls(TEMPORARY, database.create_temporary())
        store._fill(known, stages)
        return store

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Open one to go on with it; a damaged file is told."""
        return cls(path, database.open_to_write(path))

    def _fill(self, known: Iterable[Known], stages: Iterable[Stage]) -> None:
        schema = f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        self._connection.executescript(schema)
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO stages VALUES (?, ?, ?)",
                [(one.name, one.level, one.fidelity) for one in stages],
            )
            connection.executemany(
                "INSERT INTO known VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", map(known_row, known)
            )

    def add_session(self, session: Session) -> None:
        """Store who goes on with the campaign, and how."""
        row = (session.began_at, session.config, json.dumps(session.environment))
        with self._transaction() as connection:
            connection.execute("INSERT INTO sessions VALUES (?, ?, ?)", row)

    def append(
        self,
        time_s: float,
        events: Sequence[Event],
        simulated: Sequence[Simulated] = (),
        tasks: Sequence[Task] = (),
    ) -> None:
        """Store some events, and the outcomes and tasks that belong to them: all or nothing."""
        rows = [(time_s, *encode(event)) for event in events]
        with self._transaction() as connection:
            connection.executemany("INSERT INTO events (time_s, kind, body) VALUES (?, ?, ?)", rows)
            for name, parts in rows_of(simulated).items() if simulated else ():
                if parts:
                    connection.executemany(_INSERTS[name], parts)
            if tasks:
                connection.executemany(
                    "INSERT INTO tasks VALUES (?, ?, ?, ?)",
                    [(task.work, task.worker, task.began_s, task.ended_s) for task in tasks],
                )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with errors_told(self.path):
            self._insist("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._insist("COMMIT")
            except BaseException:  # a signal too: all or nothing
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
                if not is_busy(error) or waited_s >= PATIENCE_S:
                    raise
            else:
                return
