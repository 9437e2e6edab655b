"""The run's SQLite database, read: events in their order, an outcome a job."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

from molloop.campaign.engine import Task
from molloop.campaign.events import Event
from molloop.campaign.jobs import Known, Simulated
from molloop.errors import StoreError
from molloop.store import database
from molloop.store.follow import Mark, News, read_news
from molloop.store.outcomes import read_outcomes
from molloop.store.records import (
    KNOWN_COLUMNS,
    Session,
    Stage,
    read_cells,
    read_event,
    read_known,
    read_session,
    read_stage,
    read_task,
    read_value,
)
from molloop.store.searched import SearchedLibrary
from molloop.store.stored import read_count, read_text
from molloop.store.trouble import damaged, errors_told


class Reader:
    """An open database; nothing on disk changes, and another process may write meanwhile.

    Raises
    ------
    StoreError
        From every method: the file cannot be read.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open one to read it."""
        return cls(path, database.open_to_read(path))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def damaged(self, reason: str) -> StoreError:
        """Return the error that says what no run has stored."""
        return damaged(self.path, reason)

    def sessions(self) -> list[Session]:
        """Return the processes that have run it, in their order; there is one at least."""
        with self._rows("SELECT * FROM sessions ORDER BY rowid") as rows:
            found = list(map(read_session, rows))
        if not found:
            raise self.damaged("it names no process that has run it")
        return found

    def stages(self) -> dict[str, Stage]:
        """Return the stages by their names, the first one first."""
        with self._rows("SELECT name, level, fidelity FROM stages ORDER BY rowid") as rows:
            return {one.name: one for one in map(read_stage, rows)}

    def events(self) -> list[tuple[float, Event]]:
        """Return all events with their times, in their order."""
        with self._rows("SELECT time_s, kind, body FROM events ORDER BY seq") as rows:
            return list(map(read_event, rows))

    def news(self, since: Mark) -> News:
        """Return what was stored next since a mark, all at the same moment; see `read_news`.

        So many events at once that reading them keeps no writer waiting; none where there is none.
        """
        with self._moment() as connection:
            return read_news(connection, since)

    def known(self) -> list[Known]:
        """Return the values known beforehand, in the order of their file."""
        query = f"SELECT {KNOWN_COLUMNS} FROM known ORDER BY rowid"
        with self._rows(query) as rows:
            return list(map(read_known, rows))

    def simulated(self) -> list[Simulated]:
        """Return all outcomes, in the order of their proposals."""
        with self._moment() as connection:
            return list(read_outcomes(connection))

    def searched(self) -> SearchedLibrary:
        """Return what is known of the library that the run has searched."""
        facts = self.sessions()[-1].environment.get("library", {})
        title = facts.get("title") or facts.get("name", "")
        query = "SELECT molecule_id, name, kept FROM molecules ORDER BY molecule_id"
        with self._rows(query) as rows:
            return SearchedLibrary.of(str(title), map(read_cells, rows))

    def training_rows(self, quantity: str, stage: str) -> list[tuple[int, int, float]]:
        """Proposal, molecule id and value of a quantity, in the order of the proposals."""
        query = (
            "SELECT proposal, molecule_id, value FROM jobs JOIN job_values USING (proposal) "
            "WHERE quantity = ? AND stage = ? ORDER BY proposal"
        )
        with self._rows(query, quantity, stage) as rows:
            return [
                (
                    read_count(proposal, "proposal"),
                    read_count(key, "molecule id"),
                    read_value(value),
                )
                for proposal, key, value in rows
            ]

    def failed_rows(self, stage: str) -> list[tuple[int, int, str]]:
        """Proposal, molecule id and kind of each failure, in the order of the proposals."""
        query = (
            "SELECT proposal, molecule_id, failure_kind FROM jobs "
            "WHERE failure_kind IS NOT NULL AND stage = ? ORDER BY proposal"
        )
        with self._rows(query, stage) as rows:
            return [
                (
                    read_count(proposal, "proposal"),
                    read_count(key, "molecule id"),
                    read_text(kind, "kind of failure"),
                )
                for proposal, key, kind in rows
            ]

    def tasks(self) -> list[Task]:
        """Return what workers did beside simulations, in the order in which it was known."""
        with self._rows("SELECT * FROM tasks ORDER BY rowid") as rows:
            return list(map(read_task, rows))

    def failures(self, stage: str) -> list[tuple[str, str, int]]:
        """Kind, an example of its message and how many in a stage, the most frequent kind first."""
        query = (
            "SELECT failure_kind, min(failure_message), count(*) AS n FROM jobs "
            "WHERE failure_kind IS NOT NULL AND stage = ? GROUP BY failure_kind "
            "ORDER BY n DESC, failure_kind"
        )
        with self._rows(query, stage) as rows:
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
    def _rows(self, query: str, *values: object) -> Iterator[Iterator[tuple[Any, ...]]]:
        with errors_told(self.path), closing(self._connection.execute(query, values)) as cursor:
            yield cursor
