import os
import shutil
import signal
from pathlib import Path

import hypothesis
import pytest

from molloop.library.ingest import open_or_build

# nothing is timed: machines are busy
hypothesis.settings.register_profile("molloop", deadline=None)
hypothesis.settings.load_profile("molloop")

# files of tests in memory, where it has room for them: much of their time they waited for disks
MEMORY, ROOM_BYTES = Path("/dev/shm"), 4 * 2**30
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# every one of them embeds and runs with xTB within a tenth of a second
SMALL_MOLECULES = [
    *("C", "N", "O", "CC", "CO", "CN", "C#N", "C=O", "CF", "FC(F)F", "CCO", "COC"),
    *("CC=O", "C#C", "C=C", "CC#N", "NC=O", "OC=O", "CCF", "CNC", "CCC", "CC(C)C", "C1CC1", "OO"),
]


@pytest.fixture
def terminal():
    """Have what is started heed the end of its terminal, also where the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(scope="session")
def small_smi(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "small.smi"
    path.write_text("\n".join(SMALL_MOLECULES) + "\n")
    return path


@pytest.fixture(scope="session")
def small_library(small_smi, tmp_path_factory):
    return open_or_build(str(small_smi), cache_dir=tmp_path_factory.mktemp("libraries"))
