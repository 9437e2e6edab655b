"""Processes that start others: one thread each, and none outlives its parent."""

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

# OpenMP and the linear algebra libraries read these when they are loaded
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
}
KILL_TIMEOUT_S = 10.0
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with(parent_pid: int, number: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent ends; Linux only.

    The parent is the thread that started this process.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent_pid:  # it ended before the call
            os.kill(os.getpid(), number)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def has_children() -> bool:
    """Whether this process has any, dead or alive; cheap, so that it can be asked often."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def kill_descendants() -> bool:
    """Kill and reap all descendants of this process, which should have adopted its orphans.

    Return whether none is left: one that is stuck in the kernel stays for a while.

    Parents die first, so that none answers a child's death with another child. None is stopped
    before: it would stay so for ever if this process were killed meanwhile.
    """
    import psutil

    deadline_s = time.monotonic() + KILL_TIMEOUT_S
    while has_children() and time.monotonic() < deadline_s:
        family = psutil.Process().children(recursive=True)
        for one in family:  # parents before children
            with suppress(psutil.Error):
                one.kill()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.002)
    return not has_children()


def child_pids(pid: int) -> list[int]:
    """Children of a process, dead ones that nobody waited for included.

    On Linux it asks for them alone: to look through all processes of a node that is full of workers
    would take each of them a good part of its time.
    """
    if not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists():
        return _child_pids_by_psutil(pid)
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, path.read_text(encoding="ascii").split())
    return found


def _child_pids_by_psutil(pid: int) -> list[int]:
    import psutil

    with suppress(psutil.Error):
        return [one.pid for one in psutil.Process(pid).children()]
    return []


def command_line(pid: int) -> str:
    """Command line of a process, empty where it is dead."""
    import psutil

    with suppress(psutil.Error):
        return " ".join(psutil.Process(pid).cmdline())
    return ""


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and was not waited for does not."""
    import psutil

    with suppress(psutil.Error):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def memory_bytes(pid: int | None = None) -> int:
    """Resident memory of a process, this one by default; 0 where the system does not say."""
    # without pathlib and text, which take five times as long: it is asked for after each item
    with suppress(OSError), open(f"/proc/{pid or 'self'}/statm", "rb", buffering=0) as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0 if sys.platform == "linux" else _memory_bytes_by_psutil(pid)


def has_grown_beyond(limit_bytes: float) -> bool:
    """Whether this process takes more memory; cheap, so that it can be asked often."""
    import resource

    unit_bytes = 1024 if sys.platform == "linux" else 1
    most_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes
    return most_bytes > limit_bytes and memory_bytes() > limit_bytes


def _memory_bytes_by_psutil(pid: int | None) -> int:
    import psutil

    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def family_memory_bytes(pid: int) -> int:
    """Resident memory of all descendants of a process."""
    children = child_pids(pid)
    return sum(memory_bytes(child) + family_memory_bytes(child) for child in children)
