"""Sites: a name becomes a Parsl configuration."""

import logging
import os
import shlex
import sys
from pathlib import Path

import parsl
from parsl.dataflow.taskrecord import TaskRecord
from parsl.executors import HighThroughputExecutor
from parsl.executors.high_throughput.errors import ManagerLost, WorkerLost
from parsl.executors.high_throughput.executor import DEFAULT_LAUNCH_CMD
from parsl.jobs.error_handlers import windowed_error_handler
from parsl.logconfigs.file import FileLogging
from parsl.providers import LocalProvider

from molloop.errors import InputError
from molloop.execution.pool import HEARTBEAT_PERIOD_S
from molloop.execution.tasks import timed
from molloop.processes import ONE_THREAD

LABEL = "workers"
POOL_COMMAND = f"{shlex.quote(sys.executable)} -P -m molloop.execution.pool"
LOOPBACK = "127.0.0.1"
HEARTBEAT_THRESHOLD_S = 20
STRATEGY_PERIOD_S = 0.2
RANKING_RETRIES = 2
MANAGER_LOST_COST = 0.4  # of a retry: one lost worker ends the tasks of its whole node


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def local(n_workers: int, run_dir: Path) -> parsl.Config:
    """Workers on this machine, one core each, on the loopback interface.

    The interpreter that runs this starts the interchange and the workers: whether the
    environment is activated does not matter.

    Raises
    ------
    InputError
        The run directory's path has a blank or another character that the shell would read.
    """
    if shlex.quote(str(run_dir)) != str(run_dir):
        raise InputError(
            "run directory",
            str(run_dir),
            "a path of letters, digits and ._-+=:,@%/",
            "Parsl writes it into shell scripts unquoted: choose another with --run-dir.",
        )
    launch = DEFAULT_LAUNCH_CMD.replace(
        "process_worker_pool.py", f"{POOL_COMMAND} {{addresses}} {{worker_port}} {{logdir}}"
    )
    executor = HighThroughputExecutor(
        label=LABEL,
        address=LOOPBACK,
        max_workers_per_node=n_workers,
        # more workers than cores, if the user says so; Parsl rounds the quotient down
        cores_per_worker=min(1.0, 0.999 * available_cores() / n_workers),
        launch_cmd=launch,
        interchange_launch_cmd=[sys.executable, "-P", "-m", "molloop.execution.interchange"],
        block_error_handler=windowed_error_handler,
        heartbeat_period=HEARTBEAT_PERIOD_S,
        heartbeat_threshold=HEARTBEAT_THRESHOLD_S,
        provider=LocalProvider(
            init_blocks=1,
            min_blocks=1,
            max_blocks=1,
            worker_init="\n".join(f"export {name}={n}" for name, n in ONE_THREAD.items()),
        ),
    )
    return parsl.Config(
        executors=[executor],
        run_dir=str(run_dir),
        retries=RANKING_RETRIES,
        retry_handler=_retry_cost,
        strategy_period=STRATEGY_PERIOD_S,
        # the default log at DEBUG costs more than the tasks
        initialize_logging=FileLogging(level=logging.WARNING),
    )


def _retry_cost(error: Exception, task: TaskRecord) -> float:
    """Have a ranking's tasks run again where they were lost; simulations are the driver's."""
    if task["func_name"] == timed.__name__:
        match error:
            case WorkerLost():
                return 1.0
            case ManagerLost():
                return MANAGER_LOST_COST
    return RANKING_RETRIES + 1.0


SITES = {"local": local}
