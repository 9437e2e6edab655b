"""Runs as a user starts them: the command, real Parsl, real xTB."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "molloop"]


@pytest.fixture(scope="session")
def cache_home(tmp_path_factory, worker_id):
    """Return a user's cache directory: libraries are built once, for all that run tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "cache"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def environment(cache_home):
    # the directory of the interpreter is not on the PATH: no environment is activated
    kept = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    return kept | {"XDG_CACHE_HOME": str(cache_home), "PATH": "/usr/bin:/bin", "COLUMNS": "120"}


@pytest.fixture
def command():
    return COMMAND


@pytest.fixture
def examples():
    return ROOT / "examples"


@pytest.fixture
def molloop(tmp_path, environment):
    def run(*arguments, extra=None):
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment | (extra or {}),
            timeout=300,
        )

    return run
