"""What is to be known of a library, where a run is looked at."""

from contextlib import closing
from io import StringIO

import pytest
from rich.console import Console
from small_run import new_store

from molloop.campaign.events import Began, Resumed
from molloop.config.settings import Settings
from molloop.report.display import RunDisplay
from molloop.report.page.feed import Feed
from molloop.report.page.render import texts
from molloop.report.progress import ProgressDisplay

BEFORE = "3 of 10 molecules meet the conditions (left out by excluded_smarts = [<b>]: 7)"
SINCE = "2 of 10 molecules meet the conditions (left out by charge = 0: 8)"
EVENTS = [Began(10, 0, (BEFORE,)), Resumed(("conditions.charge: None -> 0",), (SINCE,), True)]


def test_the_page_shows_those_of_the_last_process(tmp_path):
    with closing(new_store(tmp_path)) as store:
        store.append(0.0, EVENTS[:1])
        assert [event for _, event in store.events()] == EVENTS[:1]
        began = texts(Feed(tmp_path).run)["progress"]
        store.append(1.0, EVENTS[1:])
        assert [event for _, event in store.events()] == EVENTS
    resumed = texts(Feed(tmp_path).run)["progress"]
    assert BEFORE.replace("<b>", "&lt;b&gt;") in began
    assert SINCE not in began
    assert SINCE in resumed
    assert "excluded_smarts" not in resumed


@pytest.mark.parametrize("is_quiet", [False, True])
def test_the_screen_shows_them_before_anything_runs(is_quiet):
    text = StringIO()
    console = Console(file=text, width=200)
    with ProgressDisplay(console, is_quiet=is_quiet) as progress:
        display = RunDisplay(console, Settings(), progress)
        for event in EVENTS:
            display.show_event(0.0, event, None)
    expected = [
        "qm9: 10 molecules · GFN2-xTB ΔSCF, uncorrected · seed 42",
        BEFORE,
        "going on with 0 values · conditions.charge: None -> 0",
        SINCE,
    ]
    assert text.getvalue().splitlines() == ([] if is_quiet else expected)
