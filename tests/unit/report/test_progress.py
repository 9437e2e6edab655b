"""How far something is, on terminals and in logs; the clock is a number."""

import io
import os

import pytest
from rich.console import Console

from molloop.campaign.events import Began, Finished, Source, Submitted
from molloop.campaign.jobs import Simulated
from molloop.config.settings import Settings
from molloop.report.display import RunDisplay
from molloop.report.progress import LastingConsole, ProgressDisplay
from molloop.simulate.outcome import Failure, Success


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def log(clock, **options):
    file = io.StringIO()
    console = Console(file=file, force_terminal=False, width=40)
    return file, ProgressDisplay(console, clock=clock, **options)


def lines(file):
    return file.getvalue().splitlines()


def test_a_log_has_a_line_a_step_and_then_one_every_ten_seconds(clock):
    file, display = log(clock)
    display.show_library("reading", 0.0)
    for second in range(1, 26):
        clock.now_s = float(second)
        display.show_library("reading", second / 25)
    display.show_library("finding duplicates", 0.0)
    clock.now_s = 27.0
    display.show_library("finding duplicates", 0.0)
    display.show_library("writing shards", 0.0)
    clock.now_s = 27.9  # what takes no second has no line
    display.show_library("writing shards", 1.0)
    assert lines(file) == [
        "library: reading 4%, 1 s",
        "library: reading 44%, 11 s",
        "library: reading 84%, 21 s",
        "library: finding duplicates, 2 s",
    ]


def test_a_step_that_tells_nothing_of_itself_has_lines_until_it_is_over(clock):
    file, display = log(clock)
    display.tick()
    display.show("drawing")
    for clock.now_s in (0.9, 1.0, 10.9, 12.0, 12.5, 2000.0):
        display.tick()
    display.show("drawing", 1.0)
    clock.now_s = 3000.0
    display.tick()
    assert lines(file) == ["drawing, 1 s", "drawing, 12 s", "drawing, 2,000 s"]


def test_a_line_is_never_wrapped_and_no_markup(clock):
    file, display = log(clock)
    display.show("reading [bold]" + "runs/" * 20)
    clock.now_s = 3.0
    display.tick()
    assert lines(file) == ["reading [bold]" + "runs/" * 20 + ", 3 s"]


def test_a_quiet_display_shows_nothing(clock):
    for is_terminal in (True, False):
        file = io.StringIO()
        console = Console(file=file, force_terminal=is_terminal)
        with ProgressDisplay(console, is_quiet=True, clock=clock) as display:
            display.show("drawing")
            clock.now_s += 100
            display.show("drawing", 0.5)
            display.tick()
        assert file.getvalue() == ""


def test_a_terminal_has_a_bar_that_is_taken_away():
    file = io.StringIO()
    with ProgressDisplay(Console(file=file, force_terminal=True, width=80)) as display:
        display.show_library("reading", 0.4)
        display.show("drawing [of] runs")
        display.show("drawing [of] runs", 0.25, "1/4")
    text = file.getvalue()
    assert "drawing [of] runs" in text
    assert "1/4" in text
    assert text.rpartition("\x1b[2K")[2].strip("\n\r") in ("", "\x1b[?25h")


def test_a_dumb_terminal_has_lines(clock, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    file = io.StringIO()
    display = ProgressDisplay(Console(file=file, force_terminal=True), clock=clock)
    display.show("drawing")
    clock.now_s = 2.0
    display.show("drawing", 0.5)
    assert lines(file) == ["drawing 50%, 2 s"]


def test_a_reader_who_leaves_ends_nothing(clock):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as file:
        display = ProgressDisplay(LastingConsole(file=file, force_terminal=False), clock=clock)
        display.show("drawing")
        for clock.now_s in (2.0, 20.0):
            display.tick()


def test_a_run_with_a_time_limit_alone_says_how_much_of_it_is_over(clock):
    file = io.StringIO()
    settings = Settings.model_validate({"stopping": {"time_limit_s": 1200.0}})
    console = Console(file=file, force_terminal=False, width=120)
    progress = ProgressDisplay(console, clock=clock)
    display = RunDisplay(console, settings, progress)
    display.show_event(0.0, Began(5, 0), None)
    item = Simulated(0, 0, "gfn2", "C", 0, 300.0, "w", 0.0, 1.0, Success({"ie": 14.0}))
    display.show_event(300.0, Finished(0), item)
    clock.now_s = 400.0
    progress.tick()
    assert lines(file)[1:] == ["simulating 1 value, 300 of 1,200 s, 400 s"]


def test_a_run_has_a_line_after_a_minute_without_any(clock):
    file = io.StringIO()
    console = Console(file=file, force_terminal=False, width=120)
    settings = Settings.model_validate({"campaign": {"max_training_count": 1000}})
    progress = ProgressDisplay(console, clock=clock)
    display = RunDisplay(console, settings, progress)
    display.show_event(0.0, Began(5, 0), None)
    display.show_event(0.0, Submitted(tuple(range(200)), Source.INITIAL, 0), None)
    for number in range(130):
        clock.now_s = number / 2
        outcome = Success({"ie": 14.0}) if number > 3 else Failure("scf", "no")
        item = Simulated(number, number, "gfn2", "C", 0, clock.now_s, "w", 0.0, 1.0, outcome)
        display.show_event(clock.now_s, Finished(number), item)
    clock.now_s = 120.0
    progress.tick()
    assert lines(file)[1:] == [
        "simulating 117/1,000, 4 failed, 60 s",
        "simulating 126/1,000, 4 failed, 120 s",
    ]
