"""What a page shows of a run, kept up to date by reading what is new in its database."""

import time
from contextlib import closing
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

from molloop.config.load import parse
from molloop.config.settings import Settings
from molloop.report.names import short_name
from molloop.report.page.asked import built_with, in_words
from molloop.report.status import state_of
from molloop.store.database import JOURNAL_SUFFIX
from molloop.store.follow import Mark
from molloop.store.reader import Reader
from molloop.store.record import N_BEST, Record
from molloop.store.records import Session
from molloop.store.run_dir import find_run, is_held
from molloop.texts import utf8_text

# by then a change of a file has another time than the one before, on any file system
SETTLED_S = 2.0

State = tuple[int, int, int]
States = tuple[State | None, ...]


@dataclass
class Run:
    """A run, as far as its database has been read."""

    folder: Path
    settings: Settings
    sessions: list[Session]
    record: Record
    state: str = ""

    @property
    def name(self) -> str:
        """Name of its folder."""
        return utf8_text(self.folder.resolve().name or str(self.folder))

    @property
    def path(self) -> str:
        """Path of its folder."""
        return utf8_text(str(self.folder))

    @property
    def library(self) -> str:
        """What its library is called, without folders; empty where the database does not say it."""
        facts = self.sessions[-1].environment.get("library", {})
        return short_name(str(facts.get("title") or facts.get("name", "")))

    @property
    def conditions(self) -> list[str]:
        """What its configuration asks of the library's molecules, in words."""
        asked = self.settings.model_dump(exclude_defaults=True).get("conditions", {})
        return list(in_words(asked))

    @property
    def built_with(self) -> list[str]:
        """What its library was built to ask of molecules, in words."""
        return built_with(self.sessions[-1].environment.get("library", {}))

    def __copy__(self) -> "Run":
        """Return one that later outcomes do not change."""
        return replace(self, record=copy(self.record))


class Feed:
    """Reads a run: all at first, then what is new.

    Parameters
    ----------
    n_best
        How many of the best molecules are kept.

    Raises
    ------
    InputError
        The folder holds no run.
    StoreError
        From every method: its database cannot be read.
    """

    def __init__(self, folder: Path, n_best: int = N_BEST) -> None:
        self._n_best = n_best
        self._path = find_run(folder)
        self._seen: States | None = None  # of the files, where nobody changes them any more
        with closing(Reader.read(self._path)) as store:
            self._begin(folder, store)
        self.read()

    def _begin(self, folder: Path, store: Reader) -> None:
        sessions = store.sessions()
        settings = parse(sessions[-1].config)
        stage, goal = settings.protocol().stage, settings.goal().wider
        record = Record(settings.objective(), stage, self._n_best, goal=goal)
        self.run = Run(folder, settings, sessions, record)
        self._mark = Mark()
        self._is_new = True  # not told yet

    def read(self) -> bool:
        """Take in what is new; return whether anything is.

        Where another run has taken the folder, that one. The database is not opened where nothing
        can be new: to read what a killed run has left, all of it may have to be copied.
        """
        held = is_held(self.run.folder)  # first, as a run may end meanwhile
        states = _settled_states(self._path) if held is False else None
        if states is not None and states == self._seen:
            return False
        self._seen = None
        is_new = self._read(held)
        self._seen = states
        return is_new

    def _read(self, held: bool | None) -> bool:
        with closing(Reader.read(self._path)) as store:
            sessions = store.sessions()
            if sessions[0] != self.run.sessions[0] or self._has_other_goal(sessions):
                self._begin(self.run.folder, store)
            self._take_news(store)
            record = self.run.record
            if record.left_out != record.told_left_out:  # it goes on under other conditions
                self.run.record, self._mark = record.anew(), Mark()
                self._take_news(store)
        if sessions != self.run.sessions:
            self.run.sessions = sessions
            self.run.settings = parse(sessions[-1].config)
            self.run.record.search_for(self.run.settings.objective())
            self._is_new = True
        state = state_of(self.run.record.stopped, held)
        is_new, self._is_new = self._is_new or state != self.run.state, False
        self.run.state = state
        return is_new

    def _take_news(self, store: Reader) -> None:
        while (news := store.news(self._mark)).mark != self._mark:
            self._mark = news.mark
            self._is_new = True
            self.run.record.take(news.events, news.simulated, news.tasks)

    def _has_other_goal(self, sessions: list[Session]) -> bool:
        """Whether a run goes on within other constraints: then all values are looked at again."""
        if sessions == self.run.sessions:
            return False
        return parse(sessions[-1].config).goal().wider != self.run.record.goal


def _settled_states(path: Path) -> States | None:
    """Return what tells whether a database has changed; None where it has a moment ago."""
    states = tuple(map(_state, (path, path.with_name(path.name + JOURNAL_SUFFIX))))
    changed_ns = max((changed_ns for *_, changed_ns in filter(None, states)), default=0)
    return states if time.time() - changed_ns / 1e9 >= SETTLED_S else None


def _state(path: Path) -> State | None:
    """Return a file's number, size and time of change; None where there is none."""
    try:
        found = path.lstat()
    except OSError:  # reading it says why
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
