"""Several calls at the same time."""

import time
from queue import SimpleQueue

import pytest

from molloop.assembly.abreast import in_threads


def test_results_come_in_order():
    def late(one, _):
        time.sleep(0.05 if one == 0 else 0)
        return 10 * one

    assert list(in_threads(late, range(7), 3)) == [0, 10, 20, 30, 40, 50, 60]
    assert list(in_threads(late, [], 3)) == []


def test_what_a_call_raises_reaches_the_caller():
    def raising(one, _):
        if one == 1:
            raise KeyError(one)
        return one

    found = in_threads(raising, range(3), 2)
    assert next(found) == 0
    with pytest.raises(KeyError, match="1"):
        next(found)


def test_calls_that_nobody_waits_for_are_told_and_others_not_begun():
    told = SimpleQueue()

    def waiting(one, is_over):
        while one and not is_over():
            time.sleep(0.005)
        told.put(one)

    found = in_threads(waiting, range(100), 2)
    next(found)
    time.sleep(0.1)  # both threads wait
    found.close()
    assert told.get() == 0
    assert {told.get(timeout=10), told.get(timeout=10)} == {1, 2}
    time.sleep(0.1)
    assert told.empty()
