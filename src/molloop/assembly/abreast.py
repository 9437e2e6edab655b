"""Several calls at the same time, their results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Result = TypeVar("Result")
AHEAD = 2  # calls a thread that may be begun before the first result is taken


def in_threads(
    function: Callable[[Given], Result], given: Iterable[Given], n_threads: int
) -> Iterator[Result]:
    """Call a function with each of some things; what is not wanted any more is not begun."""
    pool = ThreadPoolExecutor(n_threads)
    waiting: deque[Future[Result]] = deque()
    try:
        for one in given:
            waiting.append(pool.submit(function, one))
            if len(waiting) >= AHEAD * n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
