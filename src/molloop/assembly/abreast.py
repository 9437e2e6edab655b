"""Several calls at the same time, their results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from queue import SimpleQueue
from threading import Event, Thread
from typing import TypeVar

Given = TypeVar("Given")
Result = TypeVar("Result")
IsOver = Callable[[], bool]
AHEAD = 2  # calls a thread that may be begun before the first result is taken
POLL_S = 0.2


def _result(future: Future[Result]) -> Result:
    """Wait for a result, and hear Ctrl-C meanwhile.

    RDKit (2026.9.1) gives SIGINT back, after a search for a pattern, in a way that no longer ends a
    wait: what waits without a limit would not hear it.
    """
    while not future.done():
        wait((future,), POLL_S)
    return future.result()


def in_threads(
    function: Callable[[Given, IsOver], Result], given: Iterable[Given], n_threads: int
) -> Iterator[Result]:
    """Call a function with each of some things; what is not wanted any more is not begun.

    Parameters
    ----------
    function
        Its second argument says whether nobody waits for its result any more.
    """
    ended = Event()
    calls: SimpleQueue[tuple[Future[Result], Given] | None] = SimpleQueue()
    waiting: deque[Future[Result]] = deque()

    def work() -> None:
        while (call := calls.get()) is not None and not ended.is_set():
            future, one = call
            try:
                future.set_result(function(one, ended.is_set))
            except BaseException as error:  # noqa: BLE001 - who takes the result is told
                future.set_exception(error)

    # a program that ends waits for the threads of an executor, but not for these
    for _ in range(n_threads):
        Thread(target=work, daemon=True).start()
    try:
        for one in given:
            waiting.append(Future())
            calls.put((waiting[-1], one))
            if len(waiting) >= AHEAD * n_threads:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())
    finally:
        ended.set()
        for _ in range(n_threads):
            calls.put(None)
