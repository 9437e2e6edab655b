"""The page's sections as they last were, and the streams that tell its readers what changes."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from copy import copy
from math import inf

from markupsafe import Markup

from molloop.errors import MolloopError
from molloop.report.page import render
from molloop.report.page.connections import Places
from molloop.report.page.feed import Feed, Run
from molloop.report.status import RUNNING, UNKNOWN
from molloop.texts import html_text

LOOK_PERIOD_S = 0.5
SIGN_OF_LIFE_S = 10.0  # page.js connects anew where it misses three
FIGURE_SHARE = 0.002  # of the machine's time that drawing may take
MIN_FIGURE_PERIOD_S = 2.0
GOES_ON = (RUNNING, UNKNOWN)


class Sections:
    """The page's sections as they last were; made anew only where a reader asks for them."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._lock = asyncio.Lock()
        self._looked_s = self._drawn_s = -inf
        self._drawing_s = 0.0
        self._drawing: asyncio.Task[None] | None = None
        self._is_stale = True
        self.number = 0
        self.shown: dict[str, tuple[int, str]] = {}  # name -> number of its last change, text
        self._show(render.texts(feed.run))

    @property
    def has_ended(self) -> bool:
        """Whether nothing comes unless the run is resumed."""
        is_drawn = not self._is_stale and self._drawing is None
        return is_drawn and self._feed.run.state not in GOES_ON

    async def look(self) -> None:
        """Read what is new, at most so often, however many readers there are."""
        async with self._lock:
            if time.monotonic() - self._looked_s >= LOOK_PERIOD_S:
                self._looked_s = time.monotonic()
                try:
                    is_new = self._feed.read()
                except MolloopError as error:
                    self._show({"trouble": html_text(error)})
                    return
                if is_new:
                    self._is_stale = True
                    self._show(render.texts(self._feed.run))
                self._show({"trouble": ""})
                self._draw_if_due()

    def _draw_if_due(self) -> None:
        share = FIGURE_SHARE * (os.cpu_count() or 1)
        wait_s = max(MIN_FIGURE_PERIOD_S, self._drawing_s / share)
        has_ended = self._feed.run.state not in GOES_ON
        is_due = has_ended or time.monotonic() - self._drawn_s >= wait_s
        if self._is_stale and is_due and self._drawing is None:
            self._is_stale = False
            # what is drawn does not change meanwhile
            self._drawing = asyncio.create_task(self._draw(copy(self._feed.run)))

    async def _draw(self, run: Run) -> None:
        try:
            self._drawing_s, drawn = await asyncio.to_thread(_drawn, run)
            self._show(drawn | {"drawn": f"Figures as of {render.duration(run.record.time_s)}"})
        except Exception as error:  # noqa: BLE001  # the words go on
            self._show({"drawn": html_text(f"The figures cannot be drawn: {error}")})
        finally:
            self._drawn_s = time.monotonic()
            self._drawing = None

    def _show(self, sections: Mapping[str, str]) -> None:
        self.number += 1
        for name, text in sections.items():
            if name not in self.shown or self.shown[name][1] != text:
                self.shown[name] = (self.number, text)

    def since(self, number: int) -> dict[str, str]:
        """Return the sections that have changed since a number."""
        return {name: text for name, (when, text) in self.shown.items() if when > number}


def _drawn(run: Run) -> tuple[float, dict[str, Markup]]:
    """Return the figures, and the processor time that they took."""
    began_s = time.thread_time()
    drawn = render.figures(run) | render.about(run)
    return time.thread_time() - began_s, drawn


async def events(
    sections: Sections, streams: Places[object], is_ending: Callable[[], bool]
) -> AsyncIterator[str]:
    """Send what changes for as long as the reader stays; a run that has ended may go on.

    Parameters
    ----------
    streams
        This one ends when it loses its place there: the page's script then connects anew.
    """
    own = object()
    streams.take(own)
    number, told, told_s = 0, "", -inf
    try:
        while own in streams:
            if is_ending():
                yield "event: closed\ndata: {}\n\n"
                return
            await sections.look()
            changed = sections.since(number)
            number = sections.number
            if changed:
                yield f"event: sections\ndata: {json.dumps(changed)}\n\n"
            state = "The run has ended" if sections.has_ended else "Live"
            if state != told or time.monotonic() - told_s >= SIGN_OF_LIFE_S:
                told, told_s = state, time.monotonic()
                yield f"event: state\ndata: {json.dumps(state)}\n\n"
            await asyncio.sleep(LOOK_PERIOD_S)
    finally:
        streams.leave(own)
