"""The jobs that one of Parsl's providers has asked for.

Seen in Parsl 2026.10.26: no public call lists a provider's jobs, and Parsl does not take them back
where it has given up on an executor. So they are read from its book, `ClusterProvider.resources`,
which another thread writes, and schedulers are asked by its `execute_wait`.
"""

import shlex
import subprocess

from parsl.providers import PBSProProvider, SlurmProvider
from parsl.providers.base import ExecutionProvider
from parsl.providers.cluster_provider import ClusterProvider

from molloop.execution.schedulers import SCHEDULERS, Scheduler


def open_jobs(provider: ExecutionProvider | None) -> list[str]:
    """Return the jobs that a scheduler was asked for and that have not ended."""
    if not isinstance(provider, ClusterProvider):
        return []
    jobs = list(provider.resources.items())  # another thread may add some
    return [str(job) for job, one in jobs if not one["status"].terminal]


def words_of_scheduler(provider: ExecutionProvider | None) -> str:
    """Return what a scheduler says of the jobs that it was asked for: numbers, states, reasons."""
    scheduler = _scheduler_of(provider)
    if scheduler is None or not isinstance(provider, ClusterProvider):
        return "it cannot be asked"
    jobs = [str(job) for job in provider.resources]
    try:
        _, output, errors = provider.execute_wait(scheduler.question(jobs))
    except subprocess.TimeoutExpired:
        return "it does not answer"
    return " ".join((output or errors).split()) or "it says nothing"


def cancellation(provider: ExecutionProvider | None) -> str:
    """Return the command that takes all jobs back; empty where there is none."""
    scheduler, jobs = _scheduler_of(provider), open_jobs(provider)
    return shlex.join(scheduler.cancellation(jobs)) if scheduler is not None and jobs else ""


def cancel_without_waiting(provider: ExecutionProvider | None) -> str:
    """Have a process that outlives this one take all jobs back; return its words, if any."""
    if command := cancellation(provider):
        in_background = f"{command} < /dev/null > /dev/null 2>&1 &"
        subprocess.run(["sh", "-c", in_background], start_new_session=True, check=False)
    return command


def _scheduler_of(provider: ExecutionProvider | None) -> Scheduler | None:
    match provider:
        case SlurmProvider():
            return SCHEDULERS["slurm"]
        case PBSProProvider():
            return SCHEDULERS["pbs"]
    return None
