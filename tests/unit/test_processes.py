"""Calls in several processes."""

import os
import pickle
import signal
import subprocess
import sys
import time

import psutil
import pytest

from molloop.errors import RunError
from molloop.processes import _Stored, in_processes

WORDS = ("counts", "Count again.")
OWNER = """
import os, sys, time
from molloop.processes import in_processes
def wait(path):
    open(path, "w").write(str(os.getpid()))
    time.sleep(600)  # until it ends with its owner
with in_processes(wait, [(sys.argv[1],), (sys.argv[2],)], 2, "waits", "Wait.") as found:
    next(found)
"""


def long_text(number):
    return str(number) * 1_000_000, os.getpid()


def refuse(number):
    raise ValueError(f"no {number}")


class LostOnItsWay:
    """Its process is killed where it is to be written."""

    def __reduce__(self):
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def lose(number):
    return LostOnItsWay() if number == 3 else number


@pytest.mark.parametrize("n_processes", [1, 2])
def test_long_results_come_in_order_and_nothing_of_them_stays(tmp_path, n_processes):
    tasks = [(number,) for number in range(8)]
    with in_processes(long_text, tasks, n_processes, *WORDS, tmp_path) as found:
        texts, pids = zip(*found, strict=True)
    assert texts == tuple(str(number) * 1_000_000 for number in range(8))
    assert (os.getpid() in pids) is (n_processes == 1)
    assert list(tmp_path.iterdir()) == []


def test_what_goes_through_the_pipe_is_written_in_one_piece():
    assert len(pickle.dumps(_Stored("f" * 32))) < 512  # POSIX's least PIPE_BUF


def test_a_process_that_is_lost_with_its_result_is_an_error(tmp_path):
    tasks = ((number,) for number in range(9))
    with (
        pytest.raises(RunError, match="A process that counts was lost") as error,
        in_processes(lose, tasks, 2, *WORDS, tmp_path) as found,
    ):
        list(found)
    assert error.value.remedy.endswith("Count again.")
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_a_call_is_raised_as_it_is(tmp_path):
    with (
        pytest.raises(ValueError, match="no 0"),
        in_processes(refuse, [(0,), (1,)], 2, *WORDS, tmp_path) as found,
    ):
        list(found)
    assert list(tmp_path.iterdir()) == []


def test_processes_end_with_their_owner(tmp_path):
    told = [tmp_path / "a", tmp_path / "b"]
    owner = subprocess.Popen([sys.executable, "-c", OWNER, *map(str, told)])
    try:
        pids = [int(_wait_for(path)) for path in told]
    finally:
        owner.kill()
        owner.wait()
    _, alive = psutil.wait_procs(
        [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=30
    )
    assert alive == []


def _wait_for(path):
    until = time.monotonic() + 60
    while not path.exists() or not path.read_text():
        assert time.monotonic() < until
        time.sleep(0.05)  # another process writes it
    return path.read_text()
