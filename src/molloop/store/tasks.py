"""What workers did, in columns."""

from array import array
from collections.abc import Iterator, Sequence
from copy import copy
from typing import overload

from molloop.campaign.engine import Task, Work


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
