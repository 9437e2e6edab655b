"""A database whose writer was killed in the middle of a transaction."""

import subprocess
import sys

SCRIPT = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = TRUNCATE")
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
row = ("x", "y" * 99)
for _ in range(5000):
    connection.execute("INSERT INTO events VALUES (NULL, 1, ?, ?)", row)
os._exit(9)
"""


def kill_in_mid_write(path):
    """Begin to write many events, and end without a word; return the journal that is left."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(path)], check=False)
    assert done.returncode == 9
    journal = path.with_name(f"{path.name}-journal")
    assert journal.stat().st_size > 0
    return journal
