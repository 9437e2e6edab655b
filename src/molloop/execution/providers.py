"""Providers: what Parsl asks a scheduler for, or starts on the nodes that there are."""

from functools import partial
from typing import Any

from parsl.launchers import SrunLauncher
from parsl.launchers.base import Launcher
from parsl.providers import LocalProvider
from parsl.providers.base import ExecutionProvider

from molloop.errors import InputError
from molloop.execution.allocation import Allocation, workers_per_node
from molloop.execution.parsl_inside.launcher import MpiExec
from molloop.execution.parsl_inside.paced import Pbs, Slurm
from molloop.execution.parsl_inside.pool import JOB_BEGAN_S
from molloop.execution.schedulers import SCHEDULER_TIMEOUT_S, SCHEDULERS, check_needs, exports
from molloop.execution.site import Site, directives_of

MIN_BLOCK_S = 300
# in a job's script: cores of the node that has the fewest, from such as 64(x2),32
LEAST_CPUS = "$(tr , '\\n' <<< $SLURM_JOB_CPUS_PER_NODE | sort -n | head -n 1 | cut -d '(' -f 1)"


def provider_of(site: Site, allocation: Allocation | None) -> ExecutionProvider:
    """Return what starts the workers of a site.

    Raises
    ------
    InputError
        A setting is missing, or asks for more nodes than the job has.
    """
    here = partial(LocalProvider, init_blocks=1, min_blocks=1, max_blocks=1)
    if not site.scheduler:
        return here(worker_init=site.worker_init)
    if allocation is not None:
        n_nodes = site.nodes or allocation.nodes
        if n_nodes > allocation.nodes:
            raise InputError(
                "site.nodes", n_nodes, f"{allocation.nodes}, of this job", "Leave it out: all."
            )
        launcher = _launcher(site, n_nodes, str(allocation.cpus or 1))
        return here(worker_init=site.worker_init, nodes_per_block=n_nodes, launcher=launcher)
    check_needs(site)
    n_nodes = site.nodes or 1
    shared: dict[str, Any] = {
        "account": site.account,
        "nodes_per_block": n_nodes,
        "init_blocks": site.blocks,
        "min_blocks": 0,
        "max_blocks": site.blocks,
        "walltime": site.walltime,
        "worker_init": "\n".join(
            [f"export {JOB_BEGAN_S}=$(date +%s)", *exports(), site.worker_init]
        ),
        "launcher": _launcher(site, n_nodes, LEAST_CPUS),
        "cmd_timeout": SCHEDULER_TIMEOUT_S,
    }
    if site.walltime_s < MIN_BLOCK_S:
        raise InputError(
            "site.walltime",
            site.walltime,
            f"{MIN_BLOCK_S // 60} minutes at least",
            "An allocation takes nothing more for its last minutes; "
            f"{site.walltime_s} s are too few.",
        )
    directives = directives_of(SCHEDULERS[site.scheduler].directives, site.directives)
    shared["scheduler_options"] = "\n".join(directives)
    if site.scheduler == "slurm":
        shared[site.queue_option] = site.queue
        return Slurm(**shared)
    return Pbs(
        **shared,
        queue=site.queue,
        select_options=site.select_options,
        cpus_per_node=site.threads or workers_per_node(site, None) * site.worker_cores,
    )


def _launcher(site: Site, n_nodes: int, cpus: str) -> Launcher:
    options = site.launcher_options
    if site.scheduler == "slurm":
        options = options.replace("$SLURM_CPUS_ON_NODE", cpus)
        return SrunLauncher(overrides=f"--nodes={n_nodes} {options}")
    return MpiExec(bind_cmd=site.bind_option, overrides=options)
