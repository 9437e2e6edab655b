"""Providers: what Parsl asks a scheduler for, or starts on the nodes that there are."""

import shlex
import subprocess
import threading
import time
from collections import deque
from contextlib import suppress
from copy import copy
from functools import partial
from math import inf
from typing import Any

from parsl.jobs.states import JobState, JobStatus
from parsl.launchers import MpiExecLauncher, SrunLauncher
from parsl.launchers.base import Launcher
from parsl.providers import LocalProvider, PBSProProvider, SlurmProvider
from parsl.providers.base import ExecutionProvider
from parsl.providers.cluster_provider import ClusterProvider
from parsl.providers.errors import SubmitException

from molloop.errors import InputError
from molloop.execution.allocation import Allocation, workers_per_node
from molloop.execution.blocks import LASTING_S
from molloop.execution.pool import JOB_BEGAN_S
from molloop.execution.schedulers import SCHEDULERS, Scheduler, check_needs, exports
from molloop.settings import SiteSettings, seconds_of
from molloop.site_facts import SiteFacts, directives_of

SCHEDULER_POLL_S = 30  # schedulers serve many
SCHEDULER_TIMEOUT_S = 120  # of one of its commands
LISTED_S = 90  # so long after it was submitted, accounting knows a job
LONGEST_PAUSE_S = 300
MIN_BLOCK_S = 300
# in a job's script: cores of the node that has the fewest, from such as 64(x2),32
LEAST_CPUS = "$(tr , '\\n' <<< $SLURM_JOB_CPUS_PER_NODE | sort -n | head -n 1 | cut -d '(' -f 1)"


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
        launcher = _launcher(site, facts, n_nodes, str(allocation.cpus or 1))
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
        "worker_init": "\n".join([f"export {JOB_BEGAN_S}=$(date +%s)", *exports(), worker_init]),
        "launcher": _launcher(site, facts, n_nodes, LEAST_CPUS),
        "cmd_timeout": SCHEDULER_TIMEOUT_S,
    }
    if (walltime_s := seconds_of(site.walltime)) < MIN_BLOCK_S:
        raise InputError(
            "site.walltime", site.walltime, f"{MIN_BLOCK_S // 60} minutes at least",
            f"An allocation takes nothing more for its last minutes; {walltime_s} s are too few.",
        )  # fmt: skip
    always = SCHEDULERS[facts.scheduler].directives
    directives = directives_of((*always, *facts.directives), site.directives)
    shared["scheduler_options"] = "\n".join(directives)
    if facts.scheduler == "slurm":
        shared[facts.queue_option] = site.queue
        return _Slurm(**shared)
    return _Pbs(
        **shared,
        queue=site.queue,
        select_options=facts.select_options,
        cpus_per_node=facts.threads or workers_per_node(site, None),
    )


class _Paced(ClusterProvider):
    """Asks a scheduler rarely, and knows its jobs better than Parsl.

    Of as many submissions as there may be blocks, the first and the last are half a minute apart
    at least: what ends at once is not asked for again in the same second. After a refusal, or a job
    that ran for less than a minute, none is made for half a minute, and for twice as long after
    the next one.
    """

    # what it says of a job that it has forgotten, and its answer where it knows of none
    forgotten: str
    none = ""

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)  # type: ignore[no-untyped-call]
        self.run_ends = threading.Event()
        self._asked_s = -inf
        self._submitted_s: deque[float] = deque(maxlen=self.max_blocks)
        # since the last submission: where it was refused, and where a job did not last
        self._refused_pause_s = self._short_pause_s = 0.0

    @property
    def lists_late(self) -> bool:
        """Whether a job may be there that the scheduler does not list yet."""
        return False

    def submit(self, *words: Any, **named: Any) -> str:
        times_s = self._submitted_s
        pause_s = max(self._refused_pause_s, self._short_pause_s)
        next_s = times_s[-1] + pause_s if times_s else 0.0
        if len(times_s) == self.max_blocks:
            next_s = max(next_s, times_s[0] + SCHEDULER_POLL_S)
        self.run_ends.wait(max(0.0, next_s - time.monotonic()))
        if self.run_ends.is_set():
            raise SubmitException("block", "the run ends", 1)
        times_s.append(time.monotonic())
        try:
            job: object = super().submit(*words, **named)  # type: ignore[safe-super]
            if job is None:  # Parsl's word where the scheduler names none
                raise SubmitException("block", "the scheduler has named no job", 0)
        except (SubmitException, subprocess.TimeoutExpired):
            self._refused_pause_s = _longer(self._refused_pause_s)
            raise
        self._refused_pause_s = 0.0
        return str(job)

    def execute_wait(self, cmd: str, timeout: int | None = None) -> tuple[int, str, str]:
        code, output, errors = super().execute_wait(cmd, timeout)  # type: ignore[no-untyped-call]
        # that it has forgotten one is no failure
        if self.forgotten in errors:
            return 0, output.strip() or self.none, errors
        return code, output, errors

    def _status(self) -> None:
        # Parsl asks again at once where it has failed elsewhere meanwhile
        now_s = time.monotonic()
        if now_s - self._asked_s < SCHEDULER_POLL_S - 1:
            return
        self._asked_s = now_s
        # Parsl's would ask for those that have ended, or say that they were completed
        open_ones = {job: one for job, one in self.resources.items() if not one["status"].terminal}
        before = {job: one["status"] for job, one in open_ones.items()}
        for jobs in self._questions(open_ones):
            asked = copy(self)  # another thread may look at all of them meanwhile
            asked.resources = jobs
            with suppress(ValueError, KeyError, subprocess.TimeoutExpired):  # no answer
                super(_Paced, asked)._status()  # type: ignore[safe-super, no-untyped-call]
        for job, one in open_ones.items():
            if self._is_unheard_of(one, before[job]):
                one["status"] = before[job]
            elif one["status"].state is JobState.HELD:  # Parsl would ask for another
                one["status"] = JobStatus(JobState.PENDING)
            self._note_life(one)

    def _note_life(self, one: dict[str, Any]) -> None:
        """Have the next submission wait where a job has not lasted."""
        now_s = time.monotonic()
        if one["status"].state is JobState.RUNNING:
            one.setdefault("began_s", now_s)
        elif one["status"].terminal:
            is_short = now_s - one.get("began_s", now_s) < LASTING_S
            self._short_pause_s = _longer(self._short_pause_s) if is_short else 0.0

    def _questions(self, waiting: dict[Any, Any]) -> list[dict[Any, Any]]:
        """Return the jobs that are asked for together."""
        return [waiting] if waiting else []

    def _is_unheard_of(self, one: dict[str, Any], before: JobStatus) -> bool:
        """Whether a state says nothing: one that Parsl cannot read, or of a job not yet listed."""
        state = one["status"].state
        seen_s = one.setdefault("first_seen_s", time.monotonic())
        is_new = self.lists_late and time.monotonic() - seen_s < LISTED_S
        is_missing = state is JobState.COMPLETED and before.state is JobState.PENDING and is_new
        return state is JobState.UNKNOWN or is_missing

    @property
    def status_polling_interval(self) -> int:
        return SCHEDULER_POLL_S


def _longer(pause_s: float) -> float:
    return min(max(2 * pause_s, SCHEDULER_POLL_S), LONGEST_PAUSE_S)


class _Slurm(_Paced, SlurmProvider):
    forgotten = "Invalid job id"

    @property
    def lists_late(self) -> bool:
        """Accounting is; squeue is not."""
        return str(self._cmd).startswith("sacct")


class _Pbs(_Paced, PBSProProvider):
    forgotten, none = "Unknown Job", "{}"

    def _questions(self, waiting: dict[Any, Any]) -> list[dict[Any, Any]]:
        """Return them one by one: of several, some versions tell of the first alone."""
        return [{job: one} for job, one in waiting.items()]


class _MpiExec(MpiExecLauncher):
    """Keeps its list of nodes beside the script, not in the user's working directory."""

    def __call__(self, *words: Any) -> str:
        script: str = super().__call__(*words)
        return script.replace('"$JOBNAME.nodes"', '"${SCRIPT_DIR:+$SCRIPT_DIR/}$JOBNAME.nodes"')


def _launcher(site: SiteSettings, facts: SiteFacts, n_nodes: int, cpus: str) -> Launcher:
    options = facts.launcher_options if site.launcher_options is None else site.launcher_options
    if facts.scheduler == "slurm":
        options = options.replace("$SLURM_CPUS_ON_NODE", cpus)
        return SrunLauncher(overrides=f"--nodes={n_nodes} {options}")
    return _MpiExec(bind_cmd=facts.bind_option, overrides=options)


def stop_asking(provider: ExecutionProvider | None) -> None:
    """Have a provider submit nothing more."""
    if isinstance(provider, _Paced):
        provider.run_ends.set()


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
