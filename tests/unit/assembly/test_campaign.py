"""How a session ends: what is told, logged and raised."""

import logging
from contextlib import closing
from types import SimpleNamespace

import pytest
from small_run import new_store

from molloop.assembly import campaign
from molloop.assembly.campaign import Campaign, make_session
from molloop.campaign.events import Began, End, Stopped
from molloop.campaign.warm_start import WarmStart
from molloop.config.load import load
from molloop.config.settings import Settings
from molloop.errors import EngineError, InputError, RunError


@pytest.fixture
def session(small_library, tmp_path, monkeypatch, caplog):
    """Return a function that runs a session which ends, and whose tables are written, as told."""
    caplog.set_level(logging.INFO, logger="molloop")

    def run(end, reason, driving=None, writing=None):
        def raising(error):
            def call(found=None, *_):
                if error is not None:
                    raise error
                return found  # the tables show what was found

            return call

        monkeypatch.setattr(campaign, "write_reports", raising(writing))
        engine = SimpleNamespace(abandon=None, close=lambda: None)
        driver = SimpleNamespace(run=raising(driving))
        monkeypatch.setattr(Campaign, "_engine", lambda _: engine)
        monkeypatch.setattr(Campaign, "_driver", lambda *_: driver)
        monkeypatch.setattr(Campaign, "_with_accuracy", lambda _, found: found)
        with closing(new_store(tmp_path)) as store:
            store.append(0.0, [Began(24, 0), Stopped(reason, end)])
            warm_start = WarmStart((), {})
            one = Campaign(Settings(), tmp_path, store, small_library, warm_start)
            return one.run(None, None)

    return run


def test_a_configuration_that_would_not_be_read_back_is_refused(small_library):
    settings = load(site={"worker_init": "x" * 200_000})
    with pytest.raises(
        InputError, match=r"configuration: got '2\d\d,\d+ letters', expected 200,000"
    ):
        make_session(settings, small_library)


def test_a_session_that_ends_well_is_logged(session, caplog, tmp_path):
    found = session(End.DONE, "24 values are there")
    assert found.stopped == Stopped("24 values are there", End.DONE)
    assert caplog.messages == [
        f"{tmp_path}: a session began, of 24 molecules",
        f"{tmp_path}: the session ended, done: 24 values are there",
    ]


def test_what_fails_in_the_tables_stands_beside_why_a_run_ended(session, caplog):
    lost = EngineError("The workers are lost.", "Look at their log.")
    with pytest.raises(EngineError, match="workers are lost") as raised:
        session(End.DONE, "", driving=lost, writing=ValueError("no axis"))
    note = "Tables and figures cannot be written (ValueError: no axis)."
    assert raised.value.__notes__ == [note]
    [logged] = [one for one in caplog.records if one.exc_info]
    assert logged.levelno == logging.ERROR
    assert str(logged.exc_info[1]) == "no axis"


def test_a_run_that_failed_says_so_where_its_tables_cannot_be_written_either(session):
    with pytest.raises(RunError, match="The run stopped: half fail") as raised:
        session(End.FAILED, "half fail", writing=OSError("disk full"))
    [note] = raised.value.__notes__
    assert note.startswith("Tables and figures cannot be written (disk full).")


def test_what_fails_in_the_tables_of_a_run_that_ended_well_is_the_error(session):
    with pytest.raises(RunError, match=r"^Tables and figures cannot be written \(disk full\)"):
        session(End.DONE, "", writing=OSError("disk full"))


def test_an_error_that_is_met_again_is_told_once(session):
    same = RunError("The database is gone.", "Bring it back.")
    with pytest.raises(RunError) as raised:
        session(End.DONE, "", driving=same, writing=RunError(same.reason, same.remedy))
    assert not hasattr(raised.value, "__notes__")
