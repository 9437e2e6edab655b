"""Between guard and child: kills whatever a task has started, however the child ends.

It computes nothing, so it always answers. It ends when the child ends, when it is told to, and when
the guard's thread ends; and no descendant outlives it, nor what these have left in their folder for
temporary files.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import partial
from types import FrameType

from molloop.sandbox.processes import adopt_orphans, die_with, kill_descendants

CHILD = "molloop.sandbox.child"


def main() -> None:
    """Start the child with the connection of the guard; end with its exit code, or 128 + signal."""
    connection, parent_pid = int(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # what a simulation writes may be large, and it may be killed at any time
    scratch = tempfile.mkdtemp(prefix="molloop-")
    signal.signal(signal.SIGTERM, partial(_end, scratch))
    adopt_orphans()
    die_with(parent_pid, signal.SIGTERM)
    command = [sys.executable, "-P", "-m", CHILD, str(connection), str(os.getpid())]
    # a task that kills its own group or session leaves this process to kill the rest
    child = subprocess.Popen(
        command,
        env=os.environ | {"TMPDIR": scratch},
        pass_fds=[connection],
        start_new_session=True,
    )
    os.close(connection)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child.pid:
            code = os.waitstatus_to_exitcode(status)
            _clear(scratch)
            os._exit(code if code >= 0 else 128 - code)


def _clear(scratch: str) -> None:
    kill_descendants()
    shutil.rmtree(scratch, ignore_errors=True)


def _end(scratch: str, _number: int, _frame: FrameType | None) -> None:
    _clear(scratch)
    os._exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    main()
