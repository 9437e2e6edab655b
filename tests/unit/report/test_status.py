import io
import json
from contextlib import closing
from dataclasses import asdict

import pytest
from rich.console import Console
from small_run import STEPS, new_store

from molloop import results
from molloop.campaign.events import End, Resumed, Stopped
from molloop.config.load import load
from molloop.report.page.feed import Feed
from molloop.report.page.render import facts, left_s, texts
from molloop.report.status import read_status
from molloop.report.summary import summary_lines
from molloop.report.terminal import status_table
from molloop.store.reader import Reader
from molloop.store.records import Session
from molloop.store.run_dir import RunDir
from molloop.store.writer import Store

TIME_IS_OVER = (9.0, [Stopped("its time limit of 9 s is over", End.DONE)], [], [])


def store_run(folder, steps):
    """Store a run that has handed out five molecules and has three outcomes."""
    with closing(new_store(folder)) as store:
        for step in steps:
            store.append(*step)


@pytest.mark.parametrize(
    ("last", "state", "expected"),
    [
        ([TIME_IS_OVER], "done", (0, 2)),
        ([], "ended without a word", (0, 2)),
        ([TIME_IS_OVER, (9.0, [Resumed()], [], [])], "ended without a word", (0, 2)),
        (STEPS[4:], "done", (0, 0)),
    ],
)
def test_nothing_is_under_way_once_a_run_has_ended(tmp_path, last, state, expected):
    store_run(tmp_path, [*STEPS[:4], *last])
    status = read_status(tmp_path)
    assert status.state == state
    told = json.loads(json.dumps(asdict(status)))
    assert (told["n_under_way"], told["n_not_finished"]) == expected
    shown = facts(Feed(tmp_path).run)
    assert (shown["n_under_way"], shown["n_not_finished"]) == expected


def test_a_run_with_a_time_limit_alone_has_no_count(tmp_path):
    config = load(stopping={"time_limit_s": 600.0}).to_toml()
    with closing(Store.create(tmp_path / "campaign.sqlite", Session("now", config, {}))) as store:
        for step in STEPS[:4]:
            store.append(*step)
    status = read_status(tmp_path)
    assert (status.n_wanted, status.time_limit_s, status.n_values) == (None, 600.0, 2)
    console = Console(file=io.StringIO(), width=80)
    console.print(status_table(status))
    assert "2 of as many as 600 s allow" in console.file.getvalue()
    run = Feed(tmp_path).run
    assert facts(run)["share"] == 4 / 600
    shown = texts(run)["progress"]
    assert 'aria-label="Time" aria-valuemin="0" aria-valuemax="600" aria-valuenow="4"' in shown
    assert "4.0 s of 10 min 0 s" in shown
    assert left_s(run) == 596.0


def test_what_has_no_outcome_is_under_way_while_a_process_holds_the_run(tmp_path):
    store_run(tmp_path, STEPS[:4])
    with closing(RunDir(tmp_path, is_new=False)):
        status = read_status(tmp_path)
        shown = facts(Feed(tmp_path).run)
    assert (status.state, status.n_under_way, status.n_not_finished) == ("running", 2, 0)
    assert (shown["n_under_way"], shown["n_not_finished"]) == (2, 0)


def test_a_summary_says_what_a_time_limit_has_cut_off(tmp_path):
    store_run(tmp_path, [*STEPS[:4], TIME_IS_OVER])
    settings = load()
    with closing(Reader.read(tmp_path / "campaign.sqlite")) as store:
        found = results.read(store, settings.goal(), settings.protocol())
    assert found.n_not_finished == 2
    assert summary_lines(found)[:2] == [
        "Ended: its time limit of 9 s is over.",
        "Not finished: 2 of the molecules that were handed out.",
    ]
