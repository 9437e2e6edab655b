"""What is new in a run's database, for those who follow it."""

import sqlite3
from dataclasses import dataclass
from math import inf
from typing import Any

from molloop.campaign.engine import Task
from molloop.campaign.events import Event
from molloop.campaign.jobs import Simulated
from molloop.simulate.outcome import OWN
from molloop.store.outcomes import read_outcomes
from molloop.store.records import read_event, read_task

MAX_NEWS = 2_000  # as fast as more, with less memory
FOLLOWED = {"job_values": "1", "calculations": f"name = '{OWN}'"}


@dataclass(frozen=True, slots=True)
class Mark:
    """How much of a store has been read.

    Attributes
    ----------
    time_s, at
        When the last outcomes were known, and the proposals of those.
    """

    n_events: int = 0
    n_tasks: int = 0
    time_s: float = -inf
    at: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class News:
    """What was stored since a mark, and the mark to ask with next.

    Attributes
    ----------
    events
        But those of outcomes, in their order.
    simulated
        In the order in which they were known, without geometries, and of calculations with the
        molecule's own alone, which says its charge.
    """

    mark: Mark
    events: list[tuple[float, Event]]
    simulated: list[Simulated]
    tasks: list[Task]


def read_news(connection: sqlite3.Connection, since: Mark) -> News:
    """Return what was stored next since a mark; within a transaction, see `Reader.news`."""

    def rows(query: str, *values: object) -> list[tuple[Any, ...]]:
        return connection.execute(query, values).fetchall()

    events = rows(
        # the outcomes tell of those that finished
        "SELECT seq, time_s, kind, CASE kind WHEN 'Finished' THEN NULL ELSE body END "
        "FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
        since.n_events,
        MAX_NEWS,
    )
    tasks = rows("SELECT rowid, * FROM tasks WHERE rowid > ? ORDER BY rowid", since.n_tasks)
    if not events and not tasks:
        return News(since, [], [], [])
    n_events, until_s = events[-1][:2] if events else (since.n_events, since.time_s)
    outcomes = read_outcomes(
        connection, "time_s BETWEEN ? AND ?", (since.time_s, until_s), FOLLOWED
    )
    simulated = sorted(
        (one for one in outcomes if one.proposal not in since.at),
        key=lambda one: (one.time_s, one.proposal),
    )
    time_s = simulated[-1].time_s if simulated else since.time_s
    at = {one.proposal for one in simulated if one.time_s == time_s}
    before = since.at if time_s == since.time_s else frozenset()
    return News(
        Mark(n_events, tasks[-1][0] if tasks else since.n_tasks, time_s, before | at),
        [read_event(row) for _, *row in events if row[-1] is not None],
        simulated,
        [read_task(row) for _, *row in tasks],
    )
