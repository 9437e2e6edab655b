"""Runs where users run them: schedulers, several nodes. What a machine lacks is said.

In CI none may be skipped: MOLLOOP_TEST_ALL=1 makes that a failure.
"""

import os
import subprocess
import sys

import pytest
from private_slurm import Slurm, missing


def pytest_collection_modifyitems(items):
    for item in items:
        if "/tests/system/" in str(item.path):
            item.add_marker("system")


@pytest.fixture(scope="session")
def lacking():
    """Skip, and say what this machine lacks."""

    def leave(what):
        if os.environ.get("MOLLOOP_TEST_ALL"):
            pytest.fail(what)
        pytest.skip(what)

    return leave


@pytest.fixture(scope="session")
def cluster(tmp_path_factory, lacking):
    if what := missing():
        lacking(what)
    slurm = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()


@pytest.fixture(scope="session")
def cache_home(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def environment(cache_home, tmp_path):
    return {
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(cache_home),
        # the tree under test, which need not be the one that is installed
        "PYTHONPATH": os.pathsep.join(
            [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
        "COLUMNS": "120",
        "LC_ALL": "C.UTF-8",
    }


@pytest.fixture
def start(tmp_path, environment):
    """Start the command; what is left of it at the end is killed."""
    started = []

    def begin(*words, extra=None, before=()):
        process = subprocess.Popen(
            [*before, sys.executable, "-m", "molloop", *map(str, words)],
            env=environment | (extra or {}),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()
