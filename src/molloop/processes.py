"""Calls in several processes: in order, and ended with an error where a process is lost."""

import os
import pickle
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from molloop.errors import RunError

OWNER_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class _Stored:
    """A result that lies in a file of this name."""

    name: str

    def take(self, folder: Path) -> Any:
        path = folder / self.name
        content = path.read_bytes()
        path.unlink()
        return pickle.loads(content)


@contextmanager
def in_processes(
    function: Callable[..., Any],
    tasks: Iterable[tuple[Any, ...]],
    n_processes: int,
    work: str,
    then: str,
    folder: Path | None = None,
) -> Iterator[Generator[Any]]:
    """Call a function with the arguments of each task; its results come in the order of the tasks.

    A result is written to a file, and only its name goes through joblib's pipe. A process that is
    killed while it writes a long result there leaves half of it, and joblib 1.6 waits for the other
    half for good; a name is short enough to be written in one piece.

    Parameters
    ----------
    tasks
        Asked for in another thread, little by little.
    work, then
        For the error where a process is lost: what it did ("parses molecules"), and what to do now.
    folder
        Of the results; by default one in the system's folder for temporary files.

    Raises
    ------
    RunError
        A process was lost.
    OSError
        A result cannot be written.
    """
    import joblib  # takes a while, and most commands need none of it

    with TemporaryDirectory(prefix="molloop-", dir=folder) as results:
        call = joblib.delayed(_call)
        place = Path(results).absolute()  # processes of an earlier call may be elsewhere
        parallel = joblib.Parallel(n_processes, return_as="generator", pre_dispatch="2*n_jobs")
        outputs = parallel(call(os.getpid(), place, function, task) for task in tasks)
        try:
            yield _taken(outputs, place, work, then)
        finally:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of results that nobody takes
                outputs.close()


def _taken(outputs: Iterable[Any], folder: Path, work: str, then: str) -> Generator[Any]:
    try:
        for one in outputs:
            yield one.take(folder) if isinstance(one, _Stored) else one
    except BrokenExecutor as error:
        raise RunError(
            f"A process that {work} was lost ({error}).",
            f"Was it killed, for its memory perhaps? {then}",
        ) from error


def _call(owner: int, folder: Path, function: Callable[..., Any], task: tuple[Any, ...]) -> Any:
    if os.getpid() == owner:
        return function(*task)
    _end_with(owner)
    stored = _Stored(uuid4().hex)
    content = pickle.dumps(function(*task), pickle.HIGHEST_PROTOCOL)
    (folder / stored.name).write_bytes(content)
    return stored


def _end_with(owner: int) -> None:
    # joblib does not notice that the owner of its processes was killed: they would wait for work
    name = f"end-with-{owner}"
    if name not in {one.name for one in threading.enumerate()}:
        threading.Thread(target=_watch, args=(owner,), name=name, daemon=True).start()


def _watch(owner: int) -> None:
    while os.getppid() == owner:
        time.sleep(OWNER_POLL_S)  # not every system tells a process that its parent is gone
    os._exit(1)
