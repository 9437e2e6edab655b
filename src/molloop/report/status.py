"""Where a run stands, read from its directory alone, while it goes on or afterwards."""

from contextlib import closing
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from molloop.campaign.events import Stopped
from molloop.config.load import parse
from molloop.store.reader import Reader
from molloop.store.recorded import read_record
from molloop.store.run_dir import find_run, is_held

RUNNING, UNKNOWN, ENDED = "running", "unknown", "ended without a word"


@dataclass(frozen=True, slots=True)
class Status:
    """Where a run stands.

    Attributes
    ----------
    state
        ``running``; how it ended: ``done``, ``failed``, ``interrupted``, or ``ended without a
        word`` where its process is gone; ``unknown`` where the file system cannot tell whether
        there is one.
    reason
        Why it ended.
    host, pid
        Of the last process that ran it.
    n_sessions
        Processes that ran it.
    time_s
        How long it has gone on, pauses left out.
    n_values, n_wanted
        Values that are stored, and how many were asked for; None where time alone ends the run. Of
        several stages, those of the last one.
    n_under_way
        Molecules handed out and without an outcome, of a run that goes on.
    n_not_finished
        The same of a run that has ended: a resumed run simulates them again.
    failures
        How many have failed, by kind.
    n_rankings
        That have ended.
    best
        Value and SMILES of the best molecule.
    n_beyond_threshold
        Values beyond the threshold; None without one.
    time_limit_s
        After which it ends; None without one.
    best_name
        What the user's file calls the best molecule; empty where it says nothing.
    n_excluded
        Values that are never among the best, as a flag casts doubt on them.
    n_of_stages, n_failed_of_stages
        Values in each stage, and simulations that failed there, where there are several.
    n_front
        Molecules on the Pareto front; None where there is one objective.
    n_broken
        Values of molecules that break a constraint, or lack a quantity of the goal.
    n_left_out
        Values of other molecules that do not meet the conditions.
    """

    state: str
    reason: str
    host: str
    pid: int
    n_sessions: int
    time_s: float
    n_values: int
    n_wanted: int | None
    n_under_way: int
    n_not_finished: int
    failures: dict[str, int]
    n_rankings: int
    column: str
    best: tuple[float, str] | None
    n_beyond_threshold: int | None
    time_limit_s: float | None = None
    best_name: str = ""
    n_excluded: int = 0
    n_of_stages: dict[str, int] = field(default_factory=dict)
    n_failed_of_stages: dict[str, int] = field(default_factory=dict)
    n_front: int | None = None
    n_broken: int = 0
    n_left_out: int = 0


def state_of(ending: Stopped | None, is_held: bool | None) -> str:
    """Return a run's state by how it has ended, and by whether a process holds its directory."""
    if ending is not None:
        return ending.end.value
    return {True: RUNNING, None: UNKNOWN, False: ENDED}[is_held]


def split_open(state: str, n_open: int) -> tuple[int, int]:
    """Return how many molecules without an outcome are under way, and how many not finished.

    Nothing is under way once a run has ended.
    """
    return (n_open, 0) if state in (RUNNING, UNKNOWN) else (0, n_open)


def read_status(run_dir: str | PathLike[str]) -> Status:
    """Read where a run stands, while it goes on or afterwards.

    Raises
    ------
    InputError
        The folder holds no run.
    StoreError
        Its database cannot be read.
    """
    folder = Path(run_dir)
    path = find_run(folder)
    held = is_held(folder)  # asked first: a run that ends meanwhile is not taken for a lost one
    with closing(Reader.read(path)) as store:
        sessions = store.sessions()
        settings = parse(sessions[-1].config)
        objective = settings.objective()
        record = read_record(store, objective, settings.protocol().stage, settings.goal().wider)
    ending = record.stopped
    state = state_of(ending, held)
    n_under_way, n_not_finished = split_open(state, record.n_open)
    best = [(record.value(item), item.smiles) for item in record.best(1)]
    names = [one.stage for one in settings.protocols()] if settings.stages else []
    tallies = {name: record.of_stages[name] for name in names}
    return Status(
        state=state,
        reason=ending.reason if ending is not None else "",
        host=str(sessions[-1].environment.get("host", "")),
        pid=int(sessions[-1].environment.get("pid", 0)),
        n_sessions=len(sessions),
        time_s=record.time_s,
        n_values=record.n_values,
        n_wanted=settings.max_counts()[-1],
        n_under_way=n_under_way,
        n_not_finished=n_not_finished,
        failures=dict(record.failures.most_common()),
        n_rankings=record.n_rankings,
        column=objective.quantity.column,
        best=best[0] if best else None,
        n_beyond_threshold=record.n_beyond if objective.threshold is not None else None,
        best_name=record.best(1)[0].name if best else "",
        time_limit_s=settings.stopping.time_limit_s,
        n_excluded=record.n_excluded,
        n_of_stages={name: one.n_values for name, one in tallies.items()},
        n_failed_of_stages={name: one.n_failed for name, one in tallies.items()},
        n_front=len(record.front()) if settings.goal().has_front else None,
        n_broken=record.n_broken,
        n_left_out=record.n_left_out,
    )
