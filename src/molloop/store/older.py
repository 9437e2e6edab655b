"""Databases of older versions, read as if they were of this one.

Views in memory show an older version's tables as this version's; the file is not changed.
"""

import sqlite3
import tomllib

from molloop.goal import Quantity
from molloop.simulate.protocol import WHOLE
from molloop.store.records import read_session
from molloop.store.stored import read_text

# as `stage_name` has it
_STAGE = f"CASE WHEN fidelity IN {WHOLE} THEN level ELSE level || ' ' || fidelity END"
# one value a molecule, and loose numbers beside it
_VIEWS_OF_3 = f"""
CREATE TEMP VIEW stages AS
    SELECT DISTINCT {_STAGE} AS name, level, fidelity FROM outcomes;
CREATE TEMP VIEW molecules AS
    SELECT molecule_id, min(smiles) AS smiles, '' AS name FROM outcomes GROUP BY molecule_id;
CREATE TEMP VIEW jobs AS
    SELECT proposal, molecule_id, {_STAGE} AS stage, batch, time_s, worker, began_s, ended_s,
    seconds, flags, failure_kind, failure_message FROM outcomes;
CREATE TEMP VIEW job_values AS
    SELECT proposal, -1 AS place, (SELECT name FROM asked) AS quantity, value FROM outcomes
        WHERE value IS NOT NULL
    UNION ALL
    SELECT proposal, one.id AS place, one.key AS quantity, one.value AS value
        FROM outcomes, json_each(outcomes.details) AS one
        WHERE outcomes.value IS NOT NULL AND one.type IN ('integer', 'real');
CREATE TEMP VIEW calculations AS
    SELECT proposal, 0 AS place, '' AS name, 0 AS charge, 0 AS n_unpaired, '' AS method,
    0.0 AS energy_ev, '' AS geometry, '' AS solvent, 0 AS n_steps FROM outcomes WHERE 0;
CREATE TEMP VIEW geometries AS
    SELECT proposal, 0 AS place, 'molecule' AS name, numbers, positions_angstrom FROM outcomes
        WHERE numbers IS NOT NULL;
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
    connection.executescript(_VIEWS_OF_3)


def _quantity(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT * FROM sessions ORDER BY rowid LIMIT 1").fetchone()
    if row is None:
        return "value"  # who reads the sessions says that there are none
    try:
        settings = tomllib.loads(read_session(row).config)
        return Quantity(read_text(settings["property"]["name"], "name")).name
    except (KeyError, TypeError, RecursionError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"its configuration names no property: {error}") from error
