"""The tables of a run's database, version by version, and whether a database has just these."""

import sqlite3
from contextlib import closing
from functools import cache

SCHEMA_VERSION = 4
# what both versions have
_COMMON = """
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
"""
SCHEMAS = {
    # one outcome a molecule, level and fidelity, with one value
    3: f"""{_COMMON}
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
""",
    4: f"""{_COMMON}
CREATE TABLE known (
    smiles TEXT NOT NULL,
    value REAL NOT NULL,
    molecule_id INTEGER,
    level TEXT NOT NULL,
    name TEXT NOT NULL,
    flags TEXT NOT NULL,
    charge INTEGER,
    n_unpaired INTEGER,
    further TEXT NOT NULL
) STRICT;
CREATE TABLE stages (
    name TEXT PRIMARY KEY,
    level TEXT NOT NULL,
    fidelity TEXT NOT NULL
) STRICT;
CREATE TABLE molecules (
    molecule_id INTEGER PRIMARY KEY,
    smiles TEXT NOT NULL,
    name TEXT NOT NULL,
    kept TEXT NOT NULL
) STRICT;
CREATE TABLE jobs (
    proposal INTEGER PRIMARY KEY,
    molecule_id INTEGER NOT NULL,
    stage TEXT NOT NULL,
    batch INTEGER NOT NULL,
    time_s REAL NOT NULL,
    worker TEXT NOT NULL,
    began_s REAL NOT NULL,
    ended_s REAL NOT NULL,
    seconds REAL NOT NULL,
    flags TEXT,
    failure_kind TEXT,
    failure_message TEXT,
    CHECK ((flags IS NULL) <> (failure_kind IS NULL))
) STRICT;
CREATE UNIQUE INDEX one_success ON jobs (molecule_id, stage) WHERE failure_kind IS NULL;
CREATE INDEX when_known ON jobs (time_s);
CREATE TABLE job_values (
    proposal INTEGER NOT NULL,
    place INTEGER NOT NULL,
    quantity TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (proposal, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE calculations (
    proposal INTEGER NOT NULL,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    charge INTEGER NOT NULL,
    n_unpaired INTEGER NOT NULL,
    method TEXT NOT NULL,
    energy_ev REAL NOT NULL,
    geometry TEXT NOT NULL,
    solvent TEXT NOT NULL,
    n_steps INTEGER NOT NULL,
    PRIMARY KEY (proposal, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE geometries (
    proposal INTEGER NOT NULL,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    numbers BLOB NOT NULL,
    positions_angstrom BLOB NOT NULL,
    PRIMARY KEY (proposal, place)
) STRICT, WITHOUT ROWID;
""",
}
SCHEMA = SCHEMAS[SCHEMA_VERSION]

Entry = tuple[str, str, str, str | None]  # kind, name, table, SQL


def check_schema(connection: sqlite3.Connection, version: int) -> None:
    """Look whether a database has the tables and indexes of a version, and nothing else.

    Raises
    ------
    ValueError
        It has others: a view or a trigger could run anything when it is read or written.
    """
    expected, found = _expected(version), _entries(connection)
    for what, entries in (("has", found - expected), ("lacks", expected - found)):
        for kind, name, *_ in sorted(entries, key=str)[:1]:
            raise ValueError(f"it {what} the {kind} {name!r} as no run of version {version} does")


@cache
def _expected(version: int) -> frozenset[Entry]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMAS[version])
        return _entries(connection)


def _entries(connection: sqlite3.Connection) -> frozenset[Entry]:
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema")
    return frozenset(rows)
