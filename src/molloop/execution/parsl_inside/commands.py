"""The commands by which Parsl starts an interchange, and a pool of workers on each node.

Seen in Parsl 2026.10.26: `process_worker_pool.py` and `interchange.py` are looked for on PATH,
which lacks them in an environment that was not activated. So the interpreter that runs this runs
molloop's processes, and they run Parsl's. Of its default command the first word is replaced; its
options stay.
"""

import shlex
import sys

from parsl.executors import HighThroughputExecutor
from parsl.executors.high_throughput.executor import (
    DEFAULT_INTERCHANGE_LAUNCH_CMD,
    DEFAULT_LAUNCH_CMD,
)

from molloop.execution.parsl_inside import interchange, pool
from molloop.sandbox.processes import ONE_THREAD

POOL_SCRIPT = "process_worker_pool.py"  # in Parsl's default command
THREADS = " ".join(f"{name}={n}" for name, n in ONE_THREAD.items())
POOL = DEFAULT_LAUNCH_CMD.replace(
    POOL_SCRIPT,
    f"env {THREADS} {shlex.quote(sys.executable)} -P -m {pool.__name__} "
    "{addresses} {worker_port} {logdir}",
)
INTERCHANGE = [sys.executable, "-P", "-m", interchange.__name__]


def use_own(executor: HighThroughputExecutor) -> None:
    """Have an executor start molloop's processes, unless its user has named others."""
    if executor.launch_cmd == DEFAULT_LAUNCH_CMD:
        executor.launch_cmd = POOL
    if executor.interchange_launch_cmd == DEFAULT_INTERCHANGE_LAUNCH_CMD:
        executor.interchange_launch_cmd = INTERCHANGE
