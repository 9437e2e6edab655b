import sqlite3
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from molloop import results
from molloop.campaign.engine import Task, Work
from molloop.campaign.events import Began, Finished, Source, Submitted
from molloop.campaign.jobs import Known, Simulated
from molloop.config.settings import Settings
from molloop.errors import StoreError
from molloop.molecule import Geometry
from molloop.simulate.outcome import LARGEST_VALUE, Calculation, Failure, Success
from molloop.simulate.validation import accepted, checked
from molloop.store import writer
from molloop.store.reader import Reader
from molloop.store.records import Session, Stage
from molloop.store.writer import Store

SESSION = Session("2026-01-02T03:04:05+00:00", "x = 1\n", {"host": "node", "pid": 7})


@pytest.fixture
def store(tmp_path):
    store = Store.create(tmp_path / "campaign.sqlite", SESSION)
    yield store
    store.close()


NEUTRAL = Calculation(-1, 1, "GFN2-xTB", -137.25, "molecule", "water", 7)
WATER = Geometry(np.array([8, 1, 1], np.uint8), np.arange(9, dtype=float).reshape(3, 3) / 7)


def success(value=15.0, has_geometry=True, **changes):
    fields = {"calculations": {"molecule": NEUTRAL}, "flags": ("not_converged",), "seconds": 0.25}
    values = {"ie": value, "gap": -1.5}
    geometries = {"molecule": WATER, "ion": WATER} if has_geometry else {}
    return Success(values, geometries=geometries, **fields | changes)


def simulated(proposal, molecule_id, outcome):
    return Simulated(proposal, molecule_id, "gfn2", "O", 1, 2.5, "host:1", 1.0, 2.0, outcome)


def equal(one, other):
    """Compare two records; arrays do not compare by themselves."""
    if isinstance(one.outcome, Success):
        ours, theirs = one.outcome.geometries, other.outcome.geometries
        assert list(ours) == list(theirs)
        for name, geometry in ours.items():
            assert np.array_equal(geometry.numbers, theirs[name].numbers)
            assert np.array_equal(geometry.positions_angstrom, theirs[name].positions_angstrom)
    return repr(one) == repr(other)


@given(
    # SQLite keeps no negative zero
    value=st.floats(-LARGEST_VALUE, LARGEST_VALUE).map(lambda value: value + 0.0),
    others=st.dictionaries(
        st.text(), st.floats(-LARGEST_VALUE, LARGEST_VALUE).map(lambda x: x + 0.0)
    ),
    names=st.lists(st.text(), unique=True, max_size=3),
    flags=st.lists(st.text(min_size=1)).map(tuple),
    message=st.text(),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_outcomes_read_back_bit_for_bit(tmp_path, value, others, names, flags, message):
    path = tmp_path / "campaign.sqlite"
    path.unlink(missing_ok=True)
    try:
        calculations = dict.fromkeys(names, NEUTRAL)
        first = checked(Success({"ie": value} | others, calculations, {}, flags), "ie")
    except ValueError:  # two names that differ in what cannot be stored
        reject()
    rows = [
        simulated(0, 7, first),
        simulated(1, 8, success(value, has_geometry=False)),
        simulated(2, 9, checked(Failure("embedding", message, 0.5))),
    ]
    store = Store.create(path, SESSION)
    store.append(1.0, [], rows)
    store.close()
    store = Store.open(path)
    read = store.simulated()
    store.close()
    assert all(equal(one, other) for one, other in zip(rows, read, strict=True))


@given(
    charge=st.integers(),
    n_unpaired=st.integers(),
    n_steps=st.integers(),
    energy_ev=st.floats() | st.integers(),
    others=st.dictionaries(st.text(), st.floats() | st.integers(), max_size=3),
    seconds=st.floats(),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_taken_in_is_read_back(
    store, charge, n_unpaired, n_steps, energy_ev, others, seconds
):
    calculation = Calculation(charge, n_unpaired, "x", energy_ev, n_steps=n_steps)
    given_one = Success({"ie": 1.0} | others, {"a": calculation}, seconds=seconds)
    kept = simulated(0, 7, accepted(given_one, "ie"))
    for table in ("jobs", "job_values", "calculations"):
        store._connection.execute(f"DELETE FROM {table}")
    store.append(1.0, [], [kept])
    [read] = store.simulated()
    # a column of REAL has no integers, nor a negative zero
    assert read.outcome == kept.outcome


def test_events_read_back_in_order(store):
    first = [Began(10, 0), Submitted((1, 2), Source.INITIAL, 0)]
    store.append(0.5, first)
    store.append(1.5, [Finished(2)])
    assert store.events() == [(0.5, first[0]), (0.5, first[1]), (1.5, Finished(2))]


def test_what_a_run_began_with_reads_back(tmp_path):
    known = [Known("C", 17.0, 3), Known("CC", 15.5, None, "experiment", "ethane")]
    known.append(Known("O=O", 12.0, None, flags=("unstable", "\ue000"), charge=0, n_unpaired=2))
    known.append(Known("N", 10.0, None, further={"ea": -1.5, "molar_mass": 17.031}))
    stage = Stage("gfn2", "gfn2", "relaxed")
    store = Store.create(tmp_path / "campaign.sqlite", SESSION, known, [stage])
    assert store.stages() == {"gfn2": stage}
    second = replace(SESSION, config="x = 2\n")
    store.add_session(second)
    assert store.known() == known
    assert store.sessions() == [SESSION, second]
    store.close()


def test_a_job_of_a_stage_that_is_not_told_of_is_damage(store):
    goal, protocol = Settings().goal(), Settings().protocol()
    store.append(1.0, [], [simulated(0, 1, success())])
    assert len(results.read(store, goal, protocol).simulated) == 1
    store.append(2.0, [], [replace(simulated(1, 2, success()), stage="odd")])
    with pytest.raises(StoreError, match=r"is damaged .*jobs of the stage 'odd'"):
        results.read(store, goal, protocol)


def test_tasks_read_back(store):
    tasks = [Task(Work.TRAIN, "host:1", 0.25, 0.5), Task(Work.RANK, "host:2", 0.5, 0.75)]
    store.append(1.0, [], [], tasks)
    assert store.tasks() == tasks


def test_training_rows_follow_the_proposals(store):
    store.append(1.0, [], [simulated(2, 5, success(13.0)), simulated(0, 9, success(14.0))])
    store.append(1.0, [], [simulated(1, 4, Failure("scf", ""))])
    elsewhere = replace(simulated(3, 9, success(1.0)), stage="ipea1")
    store.append(1.0, [], [elsewhere])
    assert store.training_rows("ie", "gfn2") == [(0, 9, 14.0), (2, 5, 13.0)]
    assert store.training_rows("gap", "gfn2") == [(0, 9, -1.5), (2, 5, -1.5)]
    assert store.training_rows("ie", "ipea1") == [(3, 9, 1.0)]


def test_failures_follow_the_proposals(store):
    store.append(1.0, [], [simulated(2, 5, Failure("scf", "")), simulated(0, 9, success(14.0))])
    store.append(1.0, [], [simulated(1, 4, Failure("worker", ""))])
    elsewhere = replace(simulated(3, 9, Failure("spin", "")), stage="ipea1")
    store.append(1.0, [], [elsewhere])
    assert store.failed_rows("gfn2") == [(1, 4, "worker"), (2, 5, "scf")]
    assert store.failed_rows("ipea1") == [(3, 9, "spin")]


def test_failures_are_counted_by_kind(store):
    kinds = ["scf", "embedding", "scf"]
    store.append(
        0.0,
        [],
        [simulated(k, k, Failure(kind, f"{kind} {k}")) for k, kind in enumerate(kinds)],
    )
    elsewhere = replace(simulated(9, 0, Failure("scf", "")), stage="ipea1")
    store.append(0.0, [], [elsewhere])
    assert store.failures("gfn2") == [("scf", "scf 0", 2), ("embedding", "embedding 1", 1)]
    assert store.failures("ipea1") == [("scf", "", 1)]


def test_a_molecule_has_one_success_and_a_transaction_is_all_or_nothing(store):
    store.append(1.0, [Finished(1)], [simulated(0, 1, success())])
    rows = [simulated(1, 2, success()), simulated(2, 1, success())]
    with pytest.raises(StoreError, match="UNIQUE"):
        store.append(2.0, [Finished(2), Finished(1)], rows)
    assert [item.molecule_id for item in store.simulated()] == [1]
    assert len(store.events()) == 1
    store.append(3.0, [], [rows[0]])
    assert len(store.simulated()) == 2


def test_a_second_process_reads_while_the_first_writes(store):
    other = Reader.read(store.path)
    store.append(1.0, [Began(3, 0)])
    assert len(other.events()) == 1
    other.close()
    other = Store.read(store.path)
    with pytest.raises(StoreError, match="readonly"):
        other.append(2.0, [Began(3, 0)])
    other.close()


def test_the_file_belongs_to_its_owner_and_is_synchronised(store):
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    pragma = {
        name: store._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous")
    }
    assert pragma == {"journal_mode": "truncate", "synchronous": 2}
    assert not store.path.with_name(store.path.name + "-wal").exists()


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
@pytest.mark.parametrize("how", [Store.open, Reader.read])
def test_another_file_is_refused(tmp_path, content, how):
    path = tmp_path / "campaign.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"campaign\.sqlite"):
        how(path)


def test_a_damaged_file_is_told_before_it_is_used(store):
    store.append(1.0, [Began(3, 0)], [simulated(k, k, success()) for k in range(200)])
    store.close()
    content = bytearray(store.path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = b"\xff" * 8192
    store.path.write_bytes(content)
    with pytest.raises(StoreError, match=r"is damaged.*recover"):
        Store.open(store.path)


def test_a_missing_file_is_not_made(tmp_path):
    with pytest.raises(StoreError):
        Store.open(tmp_path / "none.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_not_overwritten(store):
    with pytest.raises(StoreError, match="exists"):
        Store.create(store.path, SESSION)


def test_a_store_appears_when_it_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "campaign.sqlite"
    monkeypatch.setattr(Store, "add_session", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Store.create(path, SESSION)
    assert not path.exists()
    monkeypatch.undo()
    Store.create(path, SESSION).close()
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_full_disk_loses_nothing_and_names_the_remedy(store):
    store.append(1.0, [Began(3, 0)], [simulated(0, 1, success())])
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    many = [simulated(k, k, success()) for k in range(2, 400)]
    with pytest.raises(StoreError, match=r"full.*disk has space.*molloop resume"):
        store.append(2.0, [Finished(1)], many)
    assert [item.molecule_id for item in store.simulated()] == [1]
    assert len(store.events()) == 1
    store._connection.execute("PRAGMA max_page_count = 100000")
    store.append(2.0, [Finished(1)], many)


def test_a_half_written_transaction_is_undone_by_who_opens_it_next(store):
    store.append(1.0, [Began(3, 0)])
    script = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA journal_mode = TRUNCATE'); c.execute('PRAGMA cache_size = 1')\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "row = ('x', 'y' * 99)\n"
        "for k in range(5000): c.execute('INSERT INTO events VALUES (NULL, 1, ?, ?)', row)\n"
        "os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(store.path)], check=False)
    assert done.returncode == 9
    assert store.path.with_name(f"{store.path.name}-journal").stat().st_size > 0
    reader = Reader.read(store.path)
    assert len(reader.events()) == 1
    reader.close()


def test_what_is_no_unicode_in_a_message_is_kept_as_far_as_it_can_be(store):
    failure = Failure("k\udcff", "a\udcffb" + 9000 * "c")
    store.append(1.0, [Finished(7, "k")], [simulated(0, 7, failure)])
    [found] = store.simulated()
    assert found.outcome.kind == "k_"
    assert found.outcome.message.startswith("a?bcc")
    assert len(found.outcome.message) < 5000


def test_a_temporary_store_says_where_it_lacks_space():
    store = Store.temporary([Known("C", 12.5, 3)])
    assert store.known() == [Known("C", 12.5, 3)]
    store._connection.execute("PRAGMA max_page_count = 1")  # no more than there are
    with pytest.raises(StoreError, match=r"temporary database of a replay.* full\)") as caught:
        store.append(1.0, [Finished(key) for key in range(500)])
    assert "Set TMPDIR" in caught.value.remedy
    assert store.events() == []
    store.close()


def _hold(path, seconds, is_held):
    """Read a database, and stop in the middle for a while."""
    reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchall()
    is_held.set()
    time.sleep(seconds)
    reader.execute("ROLLBACK")
    reader.close()


def test_a_reader_that_stops_in_the_middle_is_waited_for(store, monkeypatch):
    monkeypatch.setattr(writer, "PATIENCE_S", 20.0)
    is_held = threading.Event()
    reader = threading.Thread(target=_hold, args=(store.path, 2.5, is_held))
    reader.start()
    is_held.wait()
    store.append(1.0, [Began(9, 0)])  # SQLite's own patience is a second
    reader.join()
    assert store.events() == [(1.0, Began(9, 0))]


def test_a_reader_that_never_goes_is_told(store, monkeypatch):
    monkeypatch.setattr(writer, "PATIENCE_S", 0.0)
    is_held = threading.Event()
    reader = threading.Thread(target=_hold, args=(store.path, 2.5, is_held))
    reader.start()
    is_held.wait()
    with pytest.raises(StoreError, match="held by another process"):
        store.append(1.0, [Began(9, 0)])
    reader.join()
    store.append(2.0, [Began(9, 0)])
    assert store.events() == [(2.0, Began(9, 0))]


def test_a_database_that_names_no_process_is_damaged(store):
    with sqlite3.connect(store.path) as connection:
        connection.execute("DELETE FROM sessions")
    connection.close()
    with pytest.raises(StoreError, match="names no process"):
        store.sessions()


def test_what_the_file_says_of_a_molecule_is_stored_with_it(store):
    cells = {"mw": "16.04", "=x": "'a\nb", "": "\u202e"}
    ours = replace(simulated(0, 7, success()), name="no. 7", kept=cells)
    others = simulated(1, 8, Failure("scf", "no"))
    store.append(1.0, [Began(9, 0), Submitted((7, 8), Source.INITIAL, 0)])
    store.append(2.0, [Finished(7), Finished(8)], [ours, others])
    found = store.searched()
    assert (found.kept(7), found.kept(8), found.kept(9)) == (cells, {}, {})
    assert (found.name(7), found.name(8)) == ("no. 7", "")
    assert found.kept_names == ("mw", "=x", "")
    assert [item.name for item in store.simulated()] == ["no. 7", ""]


def test_kept_cells_that_are_none_are_damage(store):
    store.append(1.0, [Began(9, 0), Submitted((7,), Source.INITIAL, 0)])
    store.append(2.0, [Finished(7)], [simulated(0, 7, success())])
    store._connection.execute("UPDATE molecules SET kept = '[1]'")
    with pytest.raises(StoreError, match=r"damaged.*kept columns"):
        store.searched()


def test_a_job_without_its_molecule_is_damage(store):
    store.append(1.0, [Began(9, 0), Submitted((7, 8), Source.INITIAL, 0)])
    rows = [simulated(0, 7, Failure("scf", "no")), simulated(1, 8, success())]
    store.append(2.0, [Finished(7, "scf"), Finished(8)], rows)
    store._connection.execute("DELETE FROM molecules WHERE molecule_id = 7")
    with pytest.raises(StoreError, match=r"damaged.*SMILES"):
        store.simulated()
