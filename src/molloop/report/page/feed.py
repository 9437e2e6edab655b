"""What a page shows of a run, kept up to date by reading what is new in its database."""

import heapq
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

from molloop.campaign.engine import Task, Work
from molloop.campaign.events import Began, Event, Ranked, Resumed, Source, Stopped, Submitted
from molloop.campaign.jobs import Simulated
from molloop.config.load import parse
from molloop.config.settings import Settings
from molloop.report.status import state_of
from molloop.simulate.outcome import Failure, Success
from molloop.store.database import JOURNAL_SUFFIX
from molloop.store.follow import Mark, News
from molloop.store.records import Session
from molloop.store.run_dir import find_run, is_held
from molloop.store.store import Store
from molloop.texts import utf8_text

N_BEST = 10
N_RECENT = 12
N_MESSAGES = 3
MAX_KINDS = 200  # that messages are kept of
N_LAST = 50
# by then a change of a file has another time than the one before, on any file system
SETTLED_S = 2.0

State = tuple[int, int, int]
States = tuple[State | None, ...]


class Tasks(Sequence[Task]):
    """Tasks in columns, a fifth of the memory: a run may have 10^5 and more."""

    def __init__(self) -> None:
        self._kinds = list(Work)
        self._works, self._workers = array("b"), array("i")
        self._began_s, self._ended_s = array("d"), array("d")
        self._numbers: dict[str, int] = {}  # of the workers
        self._names: list[str] = []

    def append(self, task: Task) -> None:
        """Add one."""
        if task.worker not in self._numbers:
            self._numbers[task.worker] = len(self._names)
            self._names.append(task.worker)
        self._works.append(self._kinds.index(task.work))
        self._workers.append(self._numbers[task.worker])
        self._began_s.append(task.began_s)
        self._ended_s.append(task.ended_s)

    def __len__(self) -> int:
        return len(self._works)

    def __iter__(self) -> Iterator[Task]:
        works = map(self._kinds.__getitem__, self._works)
        workers = map(self._names.__getitem__, self._workers)
        return map(Task, works, workers, self._began_s, self._ended_s)

    @overload
    def __getitem__(self, place: int) -> Task: ...
    @overload
    def __getitem__(self, place: slice) -> list[Task]: ...
    def __getitem__(self, place: int | slice) -> Task | list[Task]:
        if isinstance(place, slice):
            return [self[row] for row in range(*place.indices(len(self)))]
        return Task(
            self._kinds[self._works[place]],
            self._names[self._workers[place]],
            self._began_s[place],
            self._ended_s[place],
        )

    def __copy__(self) -> "Tasks":
        other = Tasks()
        for name, column in vars(self).items():
            setattr(other, name, copy(column))
        return other


@dataclass
class Errors:
    """Sums of what rankings expected of the molecules that they chose, and what these have."""

    n: int = 0
    absolute: float = 0.0
    signed: float = 0.0
    n_within: int = 0

    def add(self, mean: float, std: float, value: float) -> None:
        """Count a molecule: predicted mean and standard deviation, simulated value."""
        error = mean - value
        self.n += 1
        self.absolute += abs(error)
        self.signed += error
        self.n_within += abs(error) <= std


@dataclass
class Run:
    """A run, as far as its database has been read.

    Attributes
    ----------
    times_s, values
        Of each success, in the order in which they were known.
    pairs
        Predicted mean and standard deviation, and simulated value, of what a ranking chose, one
        after the other.
    errors
        The same in sums.
    best
        Value times sign, minus proposal, and simulation of the best ones; a heap.
    tasks
        What workers did, simulations among it.
    failures, messages
        How many by kind, and some of what they said.
    n_beyond
        Values beyond the threshold.
    is_beyond
        Whether each of the last ones is, in the same order.
    """

    folder: Path
    settings: Settings
    sessions: list[Session]
    state: str = ""
    stopped: Stopped | None = None
    n_molecules: int = 0
    n_known: int = 0
    time_s: float = 0.0
    n_submitted: int = 0
    n_rankings: int = 0
    resumed_s: list[float] = field(default_factory=list)
    times_s: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    pairs: "array[float]" = field(default_factory=lambda: array("d"))
    errors: Errors = field(default_factory=Errors)
    best: list[tuple[float, int, Simulated]] = field(default_factory=list)
    recent: list[Simulated] = field(default_factory=list)
    tasks: Tasks = field(default_factory=Tasks)
    failures: Counter[str] = field(default_factory=Counter)
    messages: dict[str, list[str]] = field(default_factory=dict)
    n_beyond: int = 0
    is_beyond: deque[bool] = field(default_factory=lambda: deque(maxlen=N_LAST))
    _ranked: dict[int, tuple[float, float]] = field(default_factory=dict)
    _predicted: dict[int, tuple[float, float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of its folder."""
        return utf8_text(self.folder.resolve().name or str(self.folder))

    @property
    def path(self) -> str:
        """Path of its folder."""
        return utf8_text(str(self.folder))

    @property
    def n_values(self) -> int:
        """Values that are there."""
        return len(self.values)

    @property
    def n_failed(self) -> int:
        """Simulations that gave none."""
        return self.failures.total()

    def recount(self) -> None:
        """Count the values beyond the threshold anew, as that has changed."""
        target = self.settings.target()
        is_beyond = [target.is_beyond_threshold(value) for value in self.values]
        self.n_beyond = sum(is_beyond)
        self.is_beyond = deque(is_beyond, maxlen=N_LAST)

    def best_first(self) -> list[Simulated]:
        """Return the best molecules, the best first."""
        return [item for *_, item in sorted(self.best, reverse=True)]

    def __copy__(self) -> "Run":
        """Return one that later outcomes do not change."""
        growing = (list, array, deque, Counter, Errors, Tasks)
        own: dict[str, Any] = {
            name: copy(one) for name, one in vars(self).items() if isinstance(one, growing)
        }
        return replace(self, **own)

    def take_event(self, time_s: float, event: Event) -> None:
        """Count an event."""
        self.time_s = max(self.time_s, time_s)
        match event:
            case Began(n_molecules, n_known):
                self.n_molecules, self.n_known = n_molecules, n_known
            case Resumed():
                self.resumed_s.append(time_s)
                self.stopped = None
            case Submitted(molecule_ids, source):
                self.n_submitted += len(molecule_ids)
                if source is Source.RANKING:
                    known = self._ranked
                    self._predicted |= {key: known[key] for key in molecule_ids if key in known}
            case Ranked(_, molecule_ids, means, stds):
                self.n_rankings += 1
                both = zip(means, stds, strict=True)
                self._ranked = dict(zip(molecule_ids, both, strict=False))
            case Stopped():
                self.stopped = event

    def take_outcome(self, item: Simulated) -> None:
        """Count an outcome."""
        target = self.settings.target()
        self.time_s = max(self.time_s, item.time_s)
        self.recent = [item, *self.recent[: N_RECENT - 1]]
        if item.worker:
            self.tasks.append(Task(Work.SIMULATE, item.worker, item.began_s, item.ended_s))
        expected = self._predicted.pop(item.molecule_id, None)
        match item.outcome:
            case Success(value):
                self.times_s.append(item.time_s)
                self.values.append(value)
                is_beyond = target.is_beyond_threshold(value)
                self.n_beyond += is_beyond
                self.is_beyond.append(is_beyond)
                if expected is not None:
                    self.pairs.extend((*expected, value))
                    self.errors.add(*expected, value)
                entry = (target.sign * value, -item.proposal, item)
                (heapq.heappush if len(self.best) < N_BEST else heapq.heappushpop)(self.best, entry)
            case Failure(kind, message):
                self.failures[kind] += 1
                if kind in self.messages or len(self.messages) < MAX_KINDS:
                    some = self.messages.setdefault(kind, [])
                    if len(some) < N_MESSAGES and message not in some:
                        some.append(message)


class Feed:
    """Reads a run: all at first, then what is new.

    Raises
    ------
    InputError
        The folder holds no run.
    StoreError
        From every method: its database cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._path = find_run(folder)
        self._seen: States | None = None  # of the files, where nobody changes them any more
        with closing(Store.read(self._path)) as store:
            self._begin(folder, store)
        self.read()

    def _begin(self, folder: Path, store: Store) -> None:
        sessions = store.sessions()
        self.run = Run(folder, parse(sessions[-1].config), sessions)
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
        with closing(Store.read(self._path)) as store:
            sessions = store.sessions()
            if sessions[0] != self.run.sessions[0]:
                self._begin(self.run.folder, store)
            while (news := store.news(self._mark)).mark != self._mark:
                self._mark = news.mark
                self._is_new = True
                self._take(news)
        if sessions != self.run.sessions:
            self.run.sessions = sessions
            self.run.settings = parse(sessions[-1].config)
            self.run.recount()
            self._is_new = True
        state = state_of(self.run.stopped, held)
        is_new, self._is_new = self._is_new or state != self.run.state, False
        self.run.state = state
        return is_new

    def _take(self, news: News) -> None:
        entries: list[tuple[float, int, Any]] = [
            *((time_s, 0, event) for time_s, event in news.events),
            *((item.time_s, 1, item) for item in news.simulated),
        ]
        # a ranking is known before what it chose has ended
        for time_s, is_outcome, one in sorted(entries, key=lambda entry: entry[:2]):
            if is_outcome:
                self.run.take_outcome(one)
            else:
                self.run.take_event(time_s, one)
        for task in news.tasks:
            self.run.tasks.append(task)


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
