import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
from half_written import kill_in_mid_write

from molloop.campaign.events import Began, Finished, Source, Submitted
from molloop.campaign.jobs import Simulated
from molloop.errors import StoreError
from molloop.goal import Objective, Quantity
from molloop.simulate.outcome import Failure, Success
from molloop.store import database, trouble
from molloop.store.reader import Reader
from molloop.store.recorded import read_record
from molloop.store.records import Session
from molloop.store.writer import Store

SESSION = Session("2026-01-02T03:04:05+00:00", "x = 1\n", {"host": "node", "pid": 7})
BOTH = pytest.mark.parametrize("how", [Store.open, Store.read])

IE = Objective(Quantity("IE", "eV"))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "run" / "campaign.sqlite"
    path.parent.mkdir()
    with closing(Store.create(path, SESSION)) as store:
        store.append(1.0, [Began(3, 0)])
    return path


def contents(folder):
    return {
        one.name: (one.read_bytes(), one.stat().st_mtime_ns, one.stat().st_mode)
        for one in folder.iterdir()
    }


def change(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_reading_changes_nothing_on_disk(path):
    before = contents(path.parent)
    with closing(Reader.read(path)) as store:
        assert store.events() == [(1.0, Began(3, 0))]
    assert contents(path.parent) == before


def test_what_a_killed_writer_left_is_undone_in_a_copy_by_who_reads(path):
    journal = kill_in_mid_write(path)
    before = contents(path.parent)
    for _ in range(2):
        with closing(Reader.read(path)) as store:
            assert store.events() == [(1.0, Began(3, 0))]
    assert contents(path.parent) == before
    Store.open(path).close()  # who goes on undoes it in place
    assert not journal.exists()
    assert path.stat().st_size < len(before[path.name][0])


def test_a_copy_that_would_fill_the_disk_is_not_made(path, monkeypatch):
    kill_in_mid_write(path)
    monkeypatch.setattr(database, "MAX_COPY_BYTES", 1000)
    with pytest.raises(StoreError, match=r"a copy in .* takes \d+ bytes"):
        Reader.read(path)


def test_a_database_that_changes_while_it_is_copied_is_copied_again(path, monkeypatch):
    kill_in_mid_write(path)
    copyfile = database.shutil.copyfile
    calls = []

    def changing(source, target, **options):
        copyfile(source, target, **options)
        calls.append(source)
        if len(calls) == 1:
            os.utime(path, ns=(1, 1))

    monkeypatch.setattr(database.shutil, "copyfile", changing)
    with closing(Reader.read(path)) as store:
        assert len(store.events()) == 1
    assert len(calls) == 4


@BOTH
@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("CREATE VIEW odd AS SELECT 1", "has the view 'odd'"),
        ("CREATE TRIGGER odd AFTER INSERT ON tasks BEGIN SELECT 1; END", "has the trigger 'odd'"),
        ("CREATE TABLE odd (x)", "has the table 'odd'"),
        ("CREATE INDEX odd ON tasks (work)", "has the index 'odd'"),
        ("ALTER TABLE tasks ADD COLUMN odd TEXT", "has the table 'tasks'"),
        ("ALTER TABLE tasks RENAME COLUMN work TO odd", "has the table 'tasks'"),
        ("DROP INDEX when_known", "lacks the index 'when_known'"),
        ("DROP TABLE tasks", "lacks the table 'tasks'"),
        ("PRAGMA user_version = 2", "schema version 2, expected 4"),
        ("PRAGMA user_version = 5", "schema version 5, expected 4"),
    ],
)
def test_a_schema_that_is_not_exactly_ours_is_refused(path, how, statement, told):
    change(path, statement)
    before = contents(path.parent)
    with pytest.raises(StoreError, match=told) as caught:
        how(path)
    assert "\n" not in str(caught.value)
    assert contents(path.parent) == before


@BOTH
def test_the_database_of_another_program_stays_as_it_is(tmp_path, how):
    path = tmp_path / "campaign.sqlite"
    change(path, "PRAGMA journal_mode = WAL", "CREATE TABLE notes (x)")
    before = contents(tmp_path)
    with pytest.raises(StoreError, match="another journal mode"):
        how(path)
    assert contents(tmp_path) == before
    change(path, "PRAGMA journal_mode = PERSIST")
    before = contents(tmp_path)
    with pytest.raises(StoreError, match="schema version 0"):
        how(path)
    assert contents(tmp_path) == before


@BOTH
@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_the_files_of_other_journal_modes_are_refused(path, how, suffix):
    path.with_name(path.name + suffix).touch()
    with pytest.raises(StoreError, match=f"lies campaign.sqlite{suffix}.*Move it away"):
        how(path)


@BOTH
def test_a_journal_that_names_another_file_is_refused(path, how):
    # the end of such a journal, with a name of no letters: there is nothing to be touched
    journal = path.with_name(f"{path.name}-journal")
    journal.write_bytes(bytes(16) + bytes.fromhex("d9d505f920a163d7"))
    with pytest.raises(StoreError, match="names other files"):
        how(path)
    journal.write_bytes(bytes.fromhex("d9d505f920a163d7") + bytes(16))
    how(path).close()  # only its end counts


@BOTH
def test_links_and_special_files_are_refused(path, how, tmp_path):
    journal = path.with_name(f"{path.name}-journal")
    journal.unlink(missing_ok=True)
    os.mkfifo(journal)
    with pytest.raises(StoreError, match="journal is a pipe"):
        how(path)
    journal.unlink()
    journal.symlink_to(tmp_path / "nothing")
    with pytest.raises(StoreError, match="journal is a link"):
        how(path)
    link = tmp_path / "campaign.sqlite"
    link.symlink_to(path)
    with pytest.raises(StoreError, match=r"campaign\.sqlite is a link"):
        how(link)


def test_reading_that_takes_too_long_ends(path, monkeypatch):
    with closing(Store.open(path)) as store:
        store.append(2.0, [Began(3, 0)] * 20_000)
    monkeypatch.setattr(database, "LIMIT_S", 0.0)
    monkeypatch.setattr(database, "LIMIT_BYTES_PER_S", 1e12)
    monkeypatch.setattr(database, "STEPS_PER_LOOK", 100)
    with pytest.raises(StoreError, match="takes longer than its size explains"):
        Reader.read(path).events()


def test_a_cell_that_no_run_has_written_is_not_read(path, monkeypatch):
    change(path, f"UPDATE sessions SET config = '{'x' * 20_000}'")
    monkeypatch.setattr(database, "MAX_CELL_BYTES", 10_000)
    with (
        closing(Reader.read(path)) as store,
        pytest.raises(StoreError, match=r"damaged .*too big"),
    ):
        store.sessions()


def test_reading_drops_no_lock_of_a_writer_in_the_same_process(path):
    # POSIX drops all locks of a process on a file once it closes any descriptor of that
    script = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
    )
    with closing(Store.open(path)) as writer, writer._transaction():
        Reader.read(path).close()
        done = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
        )
    assert "database is locked" in done.stderr


def test_texts_that_are_no_utf8_are_damage(path):
    change(path, "UPDATE sessions SET config = CAST(x'ff41' AS TEXT)")
    with closing(Reader.read(path)) as store, pytest.raises(StoreError, match="is damaged"):
        store.sessions()


def test_words_that_are_no_json_are_damage_in_counts_too(path):
    change(path, "UPDATE events SET kind = 'Submitted', body = '{'")
    with closing(Reader.read(path)) as store, pytest.raises(StoreError, match="is damaged"):
        read_record(store, IE, "gfn2")


def test_a_signal_ends_a_command_while_sqlite_works(path):
    # SQLite drops the exception that the handler of a signal raises while it calls back
    script = f"""
from pathlib import Path
from molloop import cli
from molloop.store import database, trouble
def read():
    connection = database.open_to_read(Path({str(path)!r}))
    print("reads", flush=True)
    with trouble.errors_told(Path("x")):
        connection.execute(
            "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n) SELECT count(*) FROM n"
        ).fetchall()
cli.app = lambda **_: read()
cli.main()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "reads\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    _, words = process.communicate(timeout=8)  # reading alone would end after 10 s
    assert words == "molloop: ended by SIGTERM.\n"
    assert process.returncode == 128 + signal.SIGTERM


def test_a_signal_of_python_s_own_ends_a_reader_as_python_does(path):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with closing(database.open_to_read(path)) as connection:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        count = "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n) SELECT count(*)"
        with pytest.raises(KeyboardInterrupt), trouble.errors_told(path):
            connection.execute(f"{count} FROM n").fetchall()


def test_a_hole_in_a_file_buys_no_time(path):
    deadline_s = database._deadline_s(path)
    os.truncate(path, 2**30)
    assert database._deadline_s(path) < deadline_s + 5


def test_a_copy_is_read_in_limited_time_too(path, monkeypatch):
    with closing(Store.open(path)) as store:
        store.append(2.0, [Began(3, 0)] * 20_000)
    kill_in_mid_write(path)
    monkeypatch.setattr(database, "LIMIT_S", 0.0)
    monkeypatch.setattr(database, "LIMIT_BYTES_PER_S", 1e12)
    monkeypatch.setattr(database, "STEPS_PER_LOOK", 100)
    with pytest.raises(StoreError, match="takes longer than its size explains"):
        Reader.read(path).events()


@pytest.mark.parametrize("column", ["smiles", "failure_kind", "failure_message"])
def test_cells_of_another_type_are_damage_in_counts_too(path, column):
    failure = Failure("scf", "no")
    outcome = Success({"ie": 15.0}) if column == "smiles" else failure
    with closing(Store.open(path)) as store:
        row = Simulated(0, 1, "gfn2", "C", 0, 2.0, "w", 1.0, 2.0, outcome)
        store.append(2.0, [Submitted((1,), Source.INITIAL, 0), Finished(1)], [row])
    table = "molecules" if column == "smiles" else "jobs"
    ours = f"SELECT sql FROM sqlite_schema WHERE name = '{table}'"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        [(sql,)] = connection.execute(ours)
        change_sql = f"UPDATE sqlite_schema SET sql = ? WHERE name = '{table}'"
        connection.execute("PRAGMA writable_schema = 1")
        connection.execute(change_sql, (sql.replace(") STRICT", ")"),))
    change(path, f"UPDATE {table} SET {column} = x'00ff'")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = 1")
        connection.execute(change_sql, (sql,))
    with closing(Reader.read(path)) as store, pytest.raises(StoreError, match="is damaged"):
        read_record(store, IE, "gfn2")


def test_more_ends_than_beginnings_are_damage(path):
    with closing(Store.open(path)) as store:
        row = Simulated(0, 1, "gfn2", "C", 0, 2.0, "w", 1.0, 2.0, Success({"ie": 15.0}))
        store.append(2.0, [Finished(1)], [row])
    with closing(Reader.read(path)) as store, pytest.raises(StoreError, match="1 have ended of 0"):
        read_record(store, IE, "gfn2")


@BOTH
def test_a_schema_that_is_no_utf8_is_damage(path, how):
    change(
        path,
        "PRAGMA writable_schema = 1",
        "UPDATE sqlite_schema SET tbl_name = CAST(x'ff41' AS TEXT) WHERE name = 'when_known'",
    )
    with pytest.raises(StoreError, match="is damaged"):
        how(path)
