"""Providers: what Parsl asks a scheduler for, or starts on the nodes that there are."""

import os
from functools import partial
from typing import Any

from parsl.launchers import MpiExecLauncher, SrunLauncher
from parsl.launchers.base import Launcher
from parsl.providers import LocalProvider, PBSProProvider, SlurmProvider
from parsl.providers.base import ExecutionProvider

from molloop.errors import InputError
from molloop.execution.allocation import Allocation
from molloop.execution.site_facts import SITES, SiteFacts
from molloop.settings import SiteSettings

SCHEDULER_POLL_S = 30  # schedulers serve many
SCHEDULER_TIMEOUT_S = 120  # of one of its commands


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers_per_node(site: SiteSettings, allocation: Allocation | None) -> int:
    """Return how many workers a node has.

    Raises
    ------
    InputError
        Nothing says how many cores the nodes of a cluster have.
    """
    facts = SITES[site.name]
    if workers := site.workers or facts.cores:
        return workers
    if facts.scheduler and allocation is None:
        raise InputError(
            "site.workers", None, "the number of workers of a node", "Give it as many as cores."
        )
    return available_cores()


def check_needs(site: SiteSettings) -> None:
    """Raise InputError where a setting is missing without which the scheduler takes no job."""
    for name in SITES[site.name].needs:
        if getattr(site, name) is None:
            raise InputError(
                f"site.{name}", None, f"the {name} that {site.name} wants", f"Set site.{name}."
            )


def provider_of(
    site: SiteSettings, facts: SiteFacts, allocation: Allocation | None
) -> ExecutionProvider:
    """Return what starts the workers of a site.

    Raises
    ------
    InputError
        A setting is missing, or asks for more nodes than the job has.
    """
    worker_init = "\n".join(line for line in (facts.worker_init, site.worker_init) if line)
    here = partial(LocalProvider, init_blocks=1, min_blocks=1, max_blocks=1)
    if not facts.scheduler:
        return here(worker_init=worker_init)
    if allocation is not None:
        n_nodes = site.nodes or allocation.nodes
        if n_nodes > allocation.nodes:
            raise InputError(
                "site.nodes", n_nodes, f"{allocation.nodes}, of this job", "Leave it out: all."
            )
        launcher = _launcher(site, facts, n_nodes)
        return here(worker_init=worker_init, nodes_per_block=n_nodes, launcher=launcher)
    check_needs(site)
    n_nodes = site.nodes or 1
    shared: dict[str, Any] = {
        "account": site.account,
        "nodes_per_block": n_nodes,
        "init_blocks": site.blocks,
        "min_blocks": 0,
        "max_blocks": site.blocks,
        "walltime": site.walltime,
        "worker_init": worker_init,
        "launcher": _launcher(site, facts, n_nodes),
        "cmd_timeout": SCHEDULER_TIMEOUT_S,
    }
    directives = "\n".join([*facts.directives, *site.directives])
    if facts.scheduler == "slurm":
        shared[facts.queue_option] = site.queue
        # a node that is lost is no matter to the others, and what follows is Parsl's to ask for
        options = f"{directives}\n#SBATCH --no-kill\n#SBATCH --no-requeue"
        return _Slurm(**shared, scheduler_options=options)
    return _Pbs(  # type: ignore[no-untyped-call]
        **shared,
        queue=site.queue,
        scheduler_options=directives,
        select_options=facts.select_options,
        cpus_per_node=facts.threads or workers_per_node(site, None),
    )


class _Slurm(SlurmProvider):
    @property
    def status_polling_interval(self) -> int:
        return SCHEDULER_POLL_S


class _Pbs(PBSProProvider):
    @property
    def status_polling_interval(self) -> int:
        return SCHEDULER_POLL_S


def _launcher(site: SiteSettings, facts: SiteFacts, n_nodes: int) -> Launcher:
    options = facts.launcher_options if site.launcher_options is None else site.launcher_options
    if facts.scheduler == "slurm":
        return SrunLauncher(overrides=f"--nodes={n_nodes} {options}")
    return MpiExecLauncher(bind_cmd=facts.bind_option, overrides=options)
