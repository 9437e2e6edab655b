"""The watched pool, with a pool of the test's own in the place of Parsl's."""

import os
import platform
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from molloop.execution.parsl_inside import pool
from molloop.execution.parsl_inside.pool import Interchange, Reach, loss_marker

SOURCES = Path(pool.__file__).parents[3]
# two members, one of which notes what it is; other children come and go
POOL = """
import multiprocessing, multiprocessing.util, subprocess, sys, time
from pathlib import Path

def member(number):
    Path(sys.argv[1] + f"/member-{number}").write_text(str(multiprocessing.current_process().pid))
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    time.sleep(60)

if __name__ == "__main__":
    seconds, code = float(sys.argv[2]), int(sys.argv[3])
    with Path(sys.argv[1] + "/arguments").open("a") as file:
        file.write(" ".join(sys.argv[4:]) + "\\n")
    context = multiprocessing.get_context("spawn")
    multiprocessing.util.get_temp_dir()  # which nobody removes who is killed
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
from molloop.execution.parsl_inside import pool
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
    (tmp_path / "tmp").mkdir()
    started = []

    def begin(port, *arguments, lasting_s=60):
        script = WATCHED.format(lasting_s=lasting_s)
        words = ["127.0.0.1", str(port), str(tmp_path), str(tmp_path), *map(str, arguments)]
        process = subprocess.Popen(
            [sys.executable, "-c", script, *words],
            env=os.environ
            | {
                "PYTHONPATH": f"{tmp_path}{os.pathsep}{SOURCES}",
                "MOLLOOP_TEST_MARK": str(tmp_path),
                "TMPDIR": str(tmp_path / "tmp"),
            },
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
        assert not any((tmp_path / "tmp").iterdir())


def wait_for_others(tmp_path, before):
    until_s = time.monotonic() + 20
    while set(members(tmp_path)) & set(before):
        assert time.monotonic() < until_s, "no other pool within 20 s"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [0, 1])
def test_a_pool_that_lost_a_process_is_replaced_after_a_while(start, port, tmp_path, number):
    process = start(port, 60, 0)
    before = members(tmp_path)
    os.kill(before[number], signal.SIGKILL)
    began_s = time.monotonic()
    wait_for_others(tmp_path, before)
    assert time.monotonic() - began_s > 0.4
    assert loss_marker(str(tmp_path), platform.node()).exists()
    assert not set(before) & set(alive(tmp_path))
    process.terminate()
    _, stderr = process.communicate(timeout=20)
    assert stderr == "The pool of workers was ended: it lost one of its processes.\n"
    assert alive(tmp_path) == []
    assert not any((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("code", [0, 3])
def test_a_pool_that_has_worked_is_replaced(start, port, tmp_path, code):
    process = start(port, 1.0, code, lasting_s=0)
    wait_for_others(tmp_path, members(tmp_path))
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=20)


def test_pools_of_a_block_drain_at_the_same_time(start, port, tmp_path):
    process = start(port, 1.5, 0, "--drain_period=3", lasting_s=0)
    process.communicate(timeout=30)
    assert process.returncode == 0
    first, second, *_ = (tmp_path / "arguments").read_text().splitlines()
    assert first == "--drain_period=3 --drain_period=3"
    assert second in (f"{first} --drain_period=1", f"{first} --drain_period=2")


def test_a_pool_drains_by_the_time_of_its_job(start, port, tmp_path, monkeypatch):
    monkeypatch.setenv(pool.JOB_BEGAN_S, str(time.time() - 1000))
    start(port, 0.5, 3, "--drain_period=1030", lasting_s=60).communicate(timeout=20)
    [line] = (tmp_path / "arguments").read_text().splitlines()
    assert int(line.rpartition("=")[2]) == pytest.approx(30, abs=3)


def test_a_pool_that_never_drains_is_told_so_once(start, port, tmp_path):
    start(port, 0.5, 3, "--drain_period=None").communicate(timeout=20)
    assert (tmp_path / "arguments").read_text() == "--drain_period=None\n"


@pytest.mark.parametrize(
    ("found", "comes_back"),
    [("answers", True), ("silent silent answers", True), ("silent refuses", False)],
)
def test_a_host_that_cannot_be_reached_is_waited_for(monkeypatch, found, comes_back):
    words = {"answers": Reach.ANSWERS, "silent": Reach.SILENT, "refuses": Reach.REFUSES}
    answers = iter(found.split())
    monkeypatch.setattr(pool, "LOOK_PERIOD_S", 0.0)
    monkeypatch.setattr(Interchange, "reach", lambda _: words[next(answers)])
    assert Interchange(["10.0.0.1"], 1).comes_back() is comes_back
    assert list(answers) == []


def test_but_not_for_ever(monkeypatch):
    monkeypatch.setattr(pool, "CUT_OFF_S", 0.0)
    monkeypatch.setattr(Interchange, "reach", lambda _: Reach.SILENT)
    assert not Interchange(["10.0.0.1"], 1).comes_back()


def test_a_pool_without_an_interchange_is_ended(start, tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        process = start(port, 60, 0)
        members(tmp_path)
        time.sleep(1.0)
        assert process.poll() is None
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"nothing answers at 127.0.0.1, port {port}." in stderr
    assert f"Nothing answers at 127.0.0.1, port {port}." in stderr
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
    [child] = [one for one in psutil.Process(process.pid).children() if one.status() != "zombie"]
    process.kill()
    child.wait(timeout=20)
    for pid in alive(tmp_path):  # of Parsl's, the workers end by themselves
        os.kill(pid, signal.SIGKILL)
