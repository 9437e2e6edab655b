"""Databases of older versions, read as if they were of this one.

Tables and views in memory show an older version's as this version's; the file is not changed.
"""

import sqlite3
import tomllib

from molloop.goal import Quantity
from molloop.simulate.protocol import WHOLE
from molloop.store.records import read_session
from molloop.store.stored import read_text

# as `stage_name` has it
_STAGE = f"CASE WHEN fidelity IN {WHOLE} THEN level ELSE level || ' ' || fidelity END"
# One value a molecule, level and fidelity, and loose numbers beside it. What is grouped or put
# together of several rows is a table, filled once: a view would be worked out anew for each page of
# news. A job that another process stores meanwhile is left out with its molecule.
_TABLES_OF_3 = f"""
BEGIN;
CREATE TEMP TABLE stages (name TEXT PRIMARY KEY, level TEXT NOT NULL, fidelity TEXT NOT NULL);
INSERT INTO stages SELECT {_STAGE}, min(level), min(fidelity) FROM outcomes GROUP BY 1;
CREATE TEMP TABLE molecules (
    molecule_id INTEGER PRIMARY KEY, smiles TEXT NOT NULL, name TEXT NOT NULL,
    kept TEXT NOT NULL
);
INSERT OR IGNORE INTO molecules SELECT molecule_id, smiles, '', '{{}}' FROM outcomes;
CREATE TEMP TABLE job_values (
    proposal INTEGER NOT NULL, place INTEGER NOT NULL, quantity TEXT NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (proposal, place)
) WITHOUT ROWID;
INSERT INTO job_values
    SELECT proposal, -1, (SELECT name FROM asked), value FROM outcomes WHERE value IS NOT NULL;
INSERT INTO job_values
    SELECT proposal, one.id, one.key, one.value FROM outcomes, json_each(outcomes.details) AS one
    WHERE outcomes.value IS NOT NULL AND one.type IN ('integer', 'real')
    AND one.key <> (SELECT name FROM asked);
CREATE TEMP VIEW jobs AS
    SELECT proposal, molecule_id, {_STAGE} AS stage, batch, time_s, worker, began_s, ended_s,
    seconds, flags, failure_kind, failure_message FROM outcomes;
CREATE TEMP VIEW calculations AS
    SELECT proposal, 0 AS place, '' AS name, 0 AS charge, 0 AS n_unpaired, '' AS method,
    0.0 AS energy_ev, '' AS geometry, '' AS solvent, 0 AS n_steps FROM outcomes WHERE 0;
CREATE TEMP VIEW geometries AS
    SELECT proposal, 0 AS place, 'molecule' AS name, numbers, positions_angstrom FROM outcomes
        WHERE numbers IS NOT NULL;
CREATE TEMP VIEW known AS
    SELECT rowid AS rowid, smiles, value, molecule_id, '' AS level, '' AS name, '[]' AS flags,
    NULL AS charge, NULL AS n_unpaired, '{{}}' AS further FROM main.known;
COMMIT;
"""


def show_as_current(connection: sqlite3.Connection, version: int) -> None:
    """Have a connection show an older database as one of this version.

    Raises
    ------
    ValueError
        The run's configuration does not say what its values are called.
    """
    if version != 3:  # the only one that is read
        return
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("CREATE TEMP TABLE asked (name TEXT NOT NULL)")
    connection.execute("INSERT INTO asked VALUES (?)", (_quantity(connection),))
    connection.executescript(_TABLES_OF_3)


def _quantity(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT * FROM sessions ORDER BY rowid LIMIT 1").fetchone()
    if row is None:
        return "value"  # who reads the sessions says that there are none
    try:
        settings = tomllib.loads(read_session(row).config)
        return Quantity(read_text(settings["property"]["name"], "name")).name
    except (KeyError, TypeError, RecursionError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"its configuration names no property: {error}") from error
