import subprocess
import sys

import psutil
import pytest

from molloop.sandbox import processes
from molloop.sandbox.processes import family_memory_bytes, memory_bytes

GROWN = """
import subprocess, sys
bulk = bytearray(60 * 2**20)
for place in range(0, len(bulk), 4096): bulk[place] = 1
child = None
if sys.argv[1] != "0":
    child = subprocess.Popen([sys.executable, "-c", sys.argv[2], "0", ""], stdout=subprocess.PIPE)
    child.stdout.readline()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("has_files", [True, False])
def test_the_memory_of_all_descendants(monkeypatch, has_files):
    if not has_files:
        monkeypatch.setattr(processes.Path, "exists", lambda _: False)
    before = family_memory_bytes(psutil.Process().pid)
    command = [sys.executable, "-c", GROWN, "1", GROWN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        grown = family_memory_bytes(psutil.Process().pid) - before
        assert 120e6 < grown < 220e6  # two processes of 63 MB and the interpreter each
        assert grown > family_memory_bytes(process.pid) > 60e6
        process.stdin.close()
    assert memory_bytes() > 10e6
    assert memory_bytes(2**22 + 1) == 0


def run(code):
    command = [sys.executable, "-c", f"from molloop.sandbox.processes import *\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_memory_that_was_given_back_does_not_count():
    code = """
print(has_grown_beyond(100e6))
bulk = bytearray(b"x") * 200_000_000
print(has_grown_beyond(100e6))
del bulk
print(has_grown_beyond(100e6))
"""
    assert run(code) == ["False", "True", "False"]


def test_all_descendants_are_killed():
    code = """
import subprocess
adopt_orphans()
print(has_children())
subprocess.run(["sh", "-c", "setsid sleep 1000 > /dev/null &"])
print(has_children(), kill_descendants(), has_children())
"""
    assert run(code) == ["False", "True", "True", "False"]


def test_the_dead_are_not_alive():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert process.pid in processes.child_pids(psutil.Process().pid)
        assert "input()" in processes.command_line(process.pid)
        assert processes.is_alive(process.pid)
        process.kill()
        while processes.is_alive(process.pid):  # a zombie, until it is waited for
            pass
        assert processes.command_line(process.pid) == ""
    assert not processes.is_alive(process.pid)
    assert process.pid not in processes.child_pids(psutil.Process().pid)
