"""The watched pool, with a pool of the test's own in the place of Parsl's."""

import os
import platform
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress

import psutil
import pytest

from molloop.execution.pool import loss_marker

# two members, one of which notes what it is; other children come and go
POOL = """
import multiprocessing, subprocess, sys, time
from pathlib import Path

def member(number):
    Path(sys.argv[1] + f"/member-{number}").write_text(str(multiprocessing.current_process().pid))
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    time.sleep(60)

if __name__ == "__main__":
    seconds, code = float(sys.argv[2]), int(sys.argv[3])
    context = multiprocessing.get_context("spawn")
    for number in range(2):
        context.Process(target=member, args=(number,)).start()
    subprocess.run([sys.executable, "-c", "pass"])
    if sys.argv[4:] == ["stubborn"]:
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(seconds)
    import os
    os._exit(code)
"""
# times of tests, not of nodes
WATCHED = """
import sys
from molloop.execution import pool
pool.WORKER_POOL = "fake_pool"
pool.LOOK_PERIOD_S = 0.05
pool.LOSS_GRACE_S = 0.5
pool.HEARTBEAT_PERIOD_S = 0.1
pool.UNREACHABLE_S = 0.5
pool.LASTING_S = {lasting_s}
pool.main()
"""


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def start(tmp_path):
    (tmp_path / "fake_pool.py").write_text(POOL)
    started = []

    def begin(port, *arguments, lasting_s=60):
        script = WATCHED.format(lasting_s=lasting_s)
        words = ["127.0.0.1", str(port), str(tmp_path), str(tmp_path), *map(str, arguments)]
        process = subprocess.Popen(
            [sys.executable, "-c", script, *words],
            env=os.environ | {"PYTHONPATH": str(tmp_path), "MOLLOOP_TEST_MARK": str(tmp_path)},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def members(tmp_path):
    """Wait until the pool's members have noted who they are."""
    paths = [tmp_path / "member-0", tmp_path / "member-1"]
    for _ in range(400):
        with suppress(OSError, ValueError):
            return [int(path.read_text()) for path in paths]
        time.sleep(0.05)
    raise AssertionError("no member within 20 s")


def alive(tmp_path):
    found = []
    for one in psutil.process_iter():
        with suppress(psutil.Error):
            is_marked = one.environ().get("MOLLOOP_TEST_MARK") == str(tmp_path)
            if is_marked and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one.pid)
    return found


def test_a_pool_that_ends_says_how(start, port, tmp_path):
    for code in (0, 3):
        process = start(port, 1.0, code)
        _, stderr = process.communicate(timeout=20)
        assert (process.returncode, stderr) == (code, "")
        assert alive(tmp_path) == []


@pytest.mark.parametrize("number", [0, 1])
def test_a_pool_that_lost_a_process_is_ended_after_a_while(start, port, tmp_path, number):
    process = start(port, 60, 0)
    os.kill(members(tmp_path)[number], signal.SIGKILL)
    began_s = time.monotonic()
    _, stderr = process.communicate(timeout=20)
    assert time.monotonic() - began_s > 0.4
    assert process.returncode == 0
    assert stderr == "The pool of workers was ended: it lost one of its processes.\n"
    assert loss_marker(str(tmp_path), platform.node()).exists()
    assert alive(tmp_path) == []


def test_the_end_of_a_pool_that_has_worked_is_no_failure(start, port, tmp_path):
    process = start(port, 1.0, 3, lasting_s=0)
    members(tmp_path)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_pool_without_an_interchange_is_ended(start, tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        process = start(port, 60, 0)
        members(tmp_path)
        time.sleep(1.0)
        assert process.poll() is None
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"nothing answers at 127.0.0.1, port {port}" in stderr
    assert not loss_marker(str(tmp_path), platform.node()).exists()
    assert alive(tmp_path) == []


def test_nothing_outlives_a_pool_that_is_told_to_end(start, port, tmp_path):
    process = start(port, 60, 0, "stubborn")
    members(tmp_path)
    process.terminate()
    assert process.wait(timeout=20) == 143
    assert alive(tmp_path) == []


def test_a_pool_ends_with_its_watch(start, port, tmp_path):
    process = start(port, 60, 0)
    members(tmp_path)
    [pool] = [one for one in psutil.Process(process.pid).children() if one.status() != "zombie"]
    process.kill()
    pool.wait(timeout=20)
    for pid in alive(tmp_path):  # of Parsl's, the workers end by themselves
        os.kill(pid, signal.SIGKILL)
