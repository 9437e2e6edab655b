"""A site becomes a Parsl configuration."""

import importlib
import logging
import shlex
import socket
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import cast

import parsl
import psutil
from parsl.dataflow.taskrecord import TaskRecord
from parsl.executors import HighThroughputExecutor, MPIExecutor
from parsl.executors.base import ParslExecutor
from parsl.executors.high_throughput.errors import ManagerLost, WorkerLost
from parsl.logconfigs.file import FileLogging
from parsl.providers.base import ExecutionProvider

from molloop.errors import InputError
from molloop.execution.allocation import current_allocation, workers_per_node
from molloop.execution.blocks import BlockLimit
from molloop.execution.parsl_inside import commands
from molloop.execution.parsl_inside.pool import HEARTBEAT_PERIOD_S
from molloop.execution.providers import provider_of
from molloop.execution.site import Site

LABEL = "workers"
LOOPBACK = "127.0.0.1"
DOCUMENTATION_HOST = "192.0.2.1"  # no host has it (RFC 5737)
HEARTBEAT_THRESHOLD_S = 20
STRATEGY_PERIOD_S = 0.2
# before a block's end, in which what is being simulated may end: so long, or so many simulations
DRAIN_S, JOBS_BEFORE_END = 120, 2
RANKING_RETRIES = 2
MANAGER_LOST_COST = 0.4  # of a retry: one lost worker ends the tasks of its whole node
AS_MANY_AS_ASKED = 0.001  # cores a worker: their number is the setting's


def parsl_config(site: Site, run_dir: Path) -> parsl.Config:
    """Return the configuration of a site, with the directory that takes Parsl's files.

    Within a job of the site's scheduler, the run uses that job's nodes; outside, Parsl asks the
    scheduler for blocks of nodes. The interpreter that runs this starts the interchange and the
    workers: whether the environment is activated does not matter. No address is asked for on the
    Internet, and what goes over the network is encrypted.

    Raises
    ------
    InputError
        The directory's path has a blank or another character that the shell would read, or a
        setting is missing or is not of this machine.
    """
    check_path(run_dir)
    config = _own_config(site.function) if site.function else parsl.Config([_executor(site)])
    config.run_dir = str(run_dir)
    config.retries = RANKING_RETRIES
    config.retry_handler = _retry_cost
    config.strategy_period = STRATEGY_PERIOD_S
    # the default log at DEBUG costs more than the tasks
    config.initialize_logging = FileLogging(level=logging.WARNING)
    return config


def check_path(run_dir: Path) -> None:
    """Raise InputError where a run directory's path cannot stand in a script as it is."""
    if shlex.quote(str(run_dir)) != str(run_dir):
        raise InputError(
            "run directory",
            str(run_dir),
            "a path of letters, digits and ._-+=:,@%/",
            "Parsl writes it into shell scripts unquoted: choose another with --run-dir.",
        )


def count_workers(config: parsl.Config) -> int:
    """Return how many workers a configuration has when all of its blocks run."""
    executor = cast("HighThroughputExecutor", config.executors[0])
    blocks = cast("ExecutionProvider", executor.provider)
    return int(executor.max_workers_per_node * blocks.nodes_per_block * blocks.max_blocks)


def address_of(interface: str | None) -> str:
    """Return this host's IPv4 address on a network.

    Without one, that of the host's name; where that is its own loopback, that of its default route.

    Raises
    ------
    InputError
        There is no such network.
    """
    addresses = {
        name: [one.address for one in some if one.family is socket.AF_INET]
        for name, some in psutil.net_if_addrs().items()
    }
    if interface is not None:
        if not addresses.get(interface):
            names = ", ".join(name for name, some in addresses.items() if some)
            raise InputError("site.interface", interface, f"one of {names}", "Name another.")
        return str(addresses[interface][0])
    others = [one for some in addresses.values() for one in some if not one.startswith("127.")]
    try:
        named = socket.gethostbyname(socket.gethostname())
    except OSError:
        named = ""
    return next((one for one in (named, _routed()) if one in others), next(iter(others), LOOPBACK))


def _routed() -> str:
    """Return the address that this host has for others; nothing is sent for it."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect((DOCUMENTATION_HOST, 9))
        return str(one.getsockname()[0])
    return ""


def _own_config(name: str) -> parsl.Config:
    """Call a user's function, package.module:function, that returns a configuration."""
    module, _, function = name.partition(":")
    try:
        config = getattr(importlib.import_module(module), function)()
    except Exception as error:
        raise InputError(
            "site.name",
            name,
            "a function that can be imported and called without arguments",
            f"It fails ({type(error).__name__}: {error}). Is its folder on PYTHONPATH?",
        ) from error
    executors: list[ParslExecutor] = list(getattr(config, "executors", ()))
    if len(executors) != 1 or not isinstance(executor := executors[0], HighThroughputExecutor):
        raise InputError(
            "site.name",
            name,
            "a function that returns a parsl.Config with one HighThroughputExecutor",
            "Let it return Config(executors=[HighThroughputExecutor(...)]).",
        )
    if executor.max_workers_per_node == float("inf"):
        raise InputError(
            "site.name", name, "max_workers_per_node in its executor", "molloop sizes tasks by it."
        )
    if executor.address is None or not executor.encrypted:
        raise InputError(
            "site.name",
            name,
            "an executor with an address, and encrypted",
            "Without an address Parsl asks the Internet for it; give both.",
        )
    if isinstance(executor, MPIExecutor):
        raise InputError(
            "site.name",
            name,
            "an executor whose tasks run on one core, not an MPIExecutor",
            "Take a HighThroughputExecutor: no simulation here is a program of MPI.",
        )
    commands.use_own(executor)
    return cast("parsl.Config", config)


def _executor(site: Site) -> HighThroughputExecutor:
    allocation = current_allocation() if site.scheduler else None
    if allocation is not None and allocation.scheduler != site.scheduler:
        scheduler = allocation.scheduler
        raise InputError(
            "site.name",
            site.name,
            f"a site with {scheduler}, in a job of it",
            f"Name one, such as --site {scheduler}, or run it outside of the job.",
        )
    is_asked_for = bool(site.scheduler) and allocation is None
    return HighThroughputExecutor(
        label=LABEL,
        address=address_of(site.interface) if site.scheduler else LOOPBACK,
        max_workers_per_node=workers_per_node(site, allocation),
        cores_per_worker=AS_MANY_AS_ASKED,
        cpu_affinity=site.cpu_affinity,
        launch_cmd=commands.POOL,
        interchange_launch_cmd=commands.INTERCHANGE,
        block_error_handler=BlockLimit(),
        heartbeat_period=HEARTBEAT_PERIOD_S,
        heartbeat_threshold=HEARTBEAT_THRESHOLD_S,
        drain_period=drain_period_s(site) if is_asked_for else None,
        provider=provider_of(site, allocation),
    )


def drain_period_s(site: Site) -> int:
    """Return after how long an allocation's workers begin nothing more; half of it at least."""
    last_s = max(DRAIN_S, JOBS_BEFORE_END * site.job_s)
    return max(site.walltime_s - ceil(last_s), site.walltime_s // 2)


def _retry_cost(error: Exception, _task: TaskRecord) -> float:
    """Have a ranking's tasks run again where they were lost."""
    match error:
        case WorkerLost():
            return 1.0
        case ManagerLost():
            return MANAGER_LOST_COST
    return RANKING_RETRIES + 1.0
