"""Outcomes read from the tables of jobs and of what belongs to them, side by side."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from molloop.campaign.jobs import Simulated
from molloop.store.records import JOB_COLUMNS, PARTS, read_outcome

ALL = dict.fromkeys(PARTS, "1")
Rows = Iterator[tuple[Any, ...]]


def read_outcomes(
    connection: sqlite3.Connection,
    where: str = "1",
    values: Sequence[object] = (),
    parts: Mapping[str, str] = ALL,
) -> Iterator[Simulated]:
    """Return outcomes in the order of their proposals; within a transaction.

    Parameters
    ----------
    where, values
        Of the table `jobs`, which ones.
    parts
        Tables of what is read of them, each with which of its rows; the others are left empty.

    Raises
    ------
    ValueError
        A row holds what no run has stored.
    """
    jobs = connection.execute(
        f"SELECT {JOB_COLUMNS} FROM jobs LEFT JOIN molecules USING (molecule_id) "
        f"WHERE {where} ORDER BY proposal",
        values,
    )
    streams = {
        name: _Parts(
            connection.execute(
                f"SELECT proposal, {PARTS[name]} FROM jobs JOIN {name} USING (proposal) "
                f"WHERE {where} AND {which} ORDER BY proposal, place",
                values,
            )
        )
        for name, which in parts.items()
    }
    for job in jobs:
        yield read_outcome(
            job, *(streams[name].of(job[0]) if name in streams else () for name in PARTS)
        )


class _Parts:
    """Rows in the order of the proposals that they belong to, taken proposal by proposal."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._next: tuple[Any, ...] | None = next(rows, None)

    def of(self, proposal: int) -> list[tuple[Any, ...]]:
        """Return the rows of a proposal, which comes after those asked for before."""
        found = []
        while (row := self._next) is not None and row[0] <= proposal:
            found += [row[1:]] if row[0] == proposal else []
            self._next = next(self._rows, None)
        return found
