#!/usr/bin/env bash
# CPython 3.11.7, 3.12.1 and 3.13.0 (sqlite3 of the standard library), seen on 2026-11-29.
#
# A Python signal handler that raises SystemExit does not end a process whose query has a progress
# handler. The signal is heard while SQLite calls the progress handler; the exception is dropped
# there, and `execute` raises OperationalError instead, with no cause and no context. A program that
# reports database errors and goes on has not heard SIGTERM.
#
# Seen:
#   OperationalError: interrupted; cause None; context None
#   goes on after SIGTERM
#
# Expected otherwise: what the documentation of Connection.set_progress_handler says is that a
# non-zero return value ends the query with a DatabaseError; of exceptions it says nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat > "$folder/seen" <<'SEEN'
OperationalError: interrupted; cause None; context None
goes on after SIGTERM
SEEN
cat > "$folder/query.py" <<'PYTHON'
import os
import signal
import sqlite3
import threading


def end(number, frame):
    raise SystemExit(128 + number)


signal.signal(signal.SIGTERM, end)
connection = sqlite3.connect(":memory:")
connection.set_progress_handler(lambda: 0, 1000)
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
numbers = "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 30000000)"
try:
    connection.execute(f"{numbers} SELECT count(*) FROM n").fetchall()
except sqlite3.OperationalError as error:
    print(f"OperationalError: {error}; cause {error.__cause__}; context {error.__context__}")
print("goes on after SIGTERM")
PYTHON

python3 --version
python3 "$folder/query.py" 2> /dev/null | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"
