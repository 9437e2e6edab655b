"""The nodes of a scheduler's job that this process is in, and their cores."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path

import psutil

from molloop.errors import InputError
from molloop.execution.site import Site
from molloop.limits import available_cores

NODE_FILE, NODE_LIST = "PBS_NODEFILE", "SLURM_JOB_NODELIST"
# how long a job that is taken back, or whose time is over, has from SIGTERM to SIGKILL: by default,
# KillWait of Slurm, kill_delay of PBS's queues
KILL_DELAY_S = {"slurm": 30.0, "pbs": 10.0}
# of what a scheduler leaves a job that it ends, and at most: tables and figures take the rest
GRACE_SHARE, LONGEST_GRACE_S = 0.3, 4.0


@dataclass(frozen=True, slots=True)
class Allocation:
    """A job of a scheduler.

    Attributes
    ----------
    scheduler
        ``slurm`` or ``pbs``.
    job
        Its number, as the scheduler has it.
    nodes
        How many it has.
    cpus
        Of a node, hardware threads among them, of the one that has the fewest; None: not said.
    """

    scheduler: str
    job: str
    nodes: int
    cpus: int | None = None


def current_allocation(environment: Mapping[str, str] = os.environ) -> Allocation | None:
    """Return the job that an environment tells of; None outside of any.

    Raises
    ------
    InputError
        The file that PBS names cannot be read.
    """
    if path := environment.get(NODE_FILE):
        try:
            names = Path(path).read_text(encoding="utf-8").split()
        except OSError as error:
            raise InputError(
                NODE_FILE, path, "the file of the job's nodes", f"It cannot be read: {error}."
            ) from error
        n_cpus = environment.get("NCPUS", "")
        cpus = int(n_cpus) if n_cpus.isdigit() else None
        return Allocation("pbs", environment.get("PBS_JOBID", ""), len(set(names)), cpus)
    if environment.get(NODE_LIST):
        nodes = int(environment.get("SLURM_JOB_NUM_NODES", "1"))
        # such as 64(x2),32; SLURM_CPUS_ON_NODE is not there in a shell that salloc has started
        counts = re.findall(r"(\d+)(?:\(x\d+\))?", environment.get("SLURM_JOB_CPUS_PER_NODE", ""))
        cpus = min(map(int, counts)) if counts else None
        return Allocation("slurm", environment.get("SLURM_JOB_ID", ""), nodes, cpus)
    return None


def last_grace_s(environment: Mapping[str, str] = os.environ) -> float:
    """Return how long simulations may be waited for once a scheduler ends the job around them.

    It tells all of the job to end, the workers too, so that hardly any comes back. Outside of any
    job, infinity.
    """
    schedulers = {"pbs": NODE_FILE, "slurm": NODE_LIST}
    delays_s = [KILL_DELAY_S[name] for name, mark in schedulers.items() if environment.get(mark)]
    return min((min(LONGEST_GRACE_S, GRACE_SHARE * one) for one in delays_s), default=inf)


def workers_per_node(site: Site, allocation: Allocation | None) -> int:
    """Return how many workers a node has: as many as its cores are enough for.

    Raises
    ------
    InputError
        Nothing says how many cores the nodes of a cluster have.
    """
    if site.workers:
        return site.workers
    if not site.scheduler:
        return max(1, available_cores() // site.worker_cores)
    if allocation is None:
        raise InputError(
            "site.workers",
            None,
            "the number of workers of a node",
            "Give it as many as cores, divided by simulation.cores.",
        )
    n_threads, n_cores = psutil.cpu_count() or 1, psutil.cpu_count(logical=False) or 1
    cpus = allocation.cpus or n_threads
    # some clusters count hardware threads, others cores
    n = cpus if cpus <= n_cores else cpus * n_cores // n_threads
    return max(1, n // site.worker_cores)
