"""A run's record, read from its database."""

from molloop.goal import Goal, Objective
from molloop.store.follow import Mark
from molloop.store.reader import Reader
from molloop.store.record import Record


def read_record(
    reader: Reader, objective: Objective, stage: str, goal: Goal | None = None
) -> Record:
    """Return what a run has come to, of all that its database holds at some moment.

    Raises
    ------
    StoreError
        It cannot be read, or holds what no run has stored.
    """
    record = _filled(reader, Record(objective, stage, goal=goal))
    if record.left_out != record.told_left_out:
        record = _filled(reader, record.anew())
    if record.n_ended > record.n_submitted:
        told = f"{record.n_ended} have ended of {record.n_submitted} handed out"
        raise reader.damaged(told)
    return record


def _filled(reader: Reader, record: Record) -> Record:
    mark = Mark()
    while (news := reader.news(mark)).mark != mark:
        mark = news.mark
        record.take(news.events, news.simulated, news.tasks)
    return record
