"""Providers: what Parsl asks a scheduler for, or starts on the nodes that there are."""

import shlex
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from parsl.jobs.states import JobState, JobStatus
from parsl.launchers import MpiExecLauncher, SrunLauncher
from parsl.launchers.base import Launcher
from parsl.providers import LocalProvider, PBSProProvider, SlurmProvider
from parsl.providers.base import ExecutionProvider
from parsl.providers.cluster_provider import ClusterProvider
from parsl.providers.errors import SubmitException

from molloop.config.site import SiteSettings, seconds_of
from molloop.config.sites import SiteFacts, directives_of
from molloop.errors import InputError
from molloop.execution.allocation import Allocation, workers_per_node
from molloop.execution.answers import ENDED_BY_SIGTERM, Answer, Unsaid, ended, not_taken_back
from molloop.execution.blocks import LASTING_S
from molloop.execution.pool import JOB_BEGAN_S
from molloop.execution.schedulers import (
    SACCT,
    SCHEDULERS,
    SQUEUE,
    Scheduler,
    ask_slurm,
    check_needs,
    exports,
)

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

    A job has ended where the scheduler says so, or answers that it does not know it; no answer says
    nothing. Why it has ended, its script says too, in a file beside it.
    """

    scheduler: Scheduler

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
        return True

    def submit(self, *words: Any, **named: Any) -> str:
        times_s = self._submitted_s
        pause_s = max(self._refused_pause_s, self._short_pause_s)
        next_s = times_s[-1] + pause_s if times_s else 0.0
        if len(times_s) == times_s.maxlen:
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

    def _write_submit_script(
        self, template: str, script_filename: str, job_name: str, configs: dict[str, Any]
    ) -> None:
        """Have the script note its exit code, which the shell would take for 0 at SIGTERM."""
        note = (
            f"trap 'exit {ENDED_BY_SIGTERM}' TERM\n"
            f"trap 'echo $? > {_exit_file(script_filename)}' EXIT\n"
        )
        noting = configs | {"worker_init": note + configs["worker_init"]}
        super()._write_submit_script(template, script_filename, job_name, noting)  # type: ignore[no-untyped-call]

    def cancel(self, job_ids: Sequence[object]) -> list[bool]:
        """Take jobs back; True for each that is, or that has ended by itself."""
        jobs = list(map(str, job_ids))
        code, _, errors = self.execute_wait(shlex.join(self.scheduler.cancellation(jobs)))  # type: ignore[no-untyped-call]
        left = not_taken_back(jobs, code, errors, self.scheduler.over)
        for job in set(jobs).difference(left):
            self.resources[job]["status"] = JobStatus(JobState.CANCELLED)
        return [job not in left for job in jobs]

    def _status(self) -> None:
        # Parsl asks again at once where it has failed elsewhere meanwhile
        now_s = time.monotonic()
        if now_s - self._asked_s < SCHEDULER_POLL_S - 1:
            return
        self._asked_s = now_s
        jobs = open_jobs(self)
        for job, answer in (self._answers(jobs) if jobs else {}).items():
            one = self.resources[job]
            if (status := self._status_by(answer, one)) is not None:
                status.stdout_path = one["job_stdout_path"]
                status.stderr_path = one["job_stderr_path"]
                one["status"] = status
            self._note_life(one)

    def _answers(self, jobs: Sequence[str]) -> dict[str, Answer]:
        return self.scheduler.answers(jobs, self.execute_wait)

    def _status_by(self, answer: Answer, one: dict[str, Any]) -> JobStatus | None:
        """Return a job's state by what the scheduler says of it; None: as it was."""
        first_seen_s = one.setdefault("first_seen_s", time.monotonic())
        if isinstance(answer, JobStatus):
            return answer
        if answer is Unsaid.SILENT:
            return None
        code = _exit_code(one)
        may_appear = (
            self.lists_late
            and one["status"].state is JobState.PENDING
            and time.monotonic() - first_seen_s < LISTED_S
        )
        return None if answer is Unsaid.GONE and code is None and may_appear else ended(code)

    def _note_life(self, one: dict[str, Any]) -> None:
        """Have the next submission wait where a job has not lasted."""
        now_s = time.monotonic()
        if one["status"].state is JobState.RUNNING:
            one.setdefault("began_s", now_s)
        elif one["status"].terminal:
            is_short = now_s - one.get("began_s", now_s) < LASTING_S
            self._short_pause_s = _longer(self._short_pause_s) if is_short else 0.0

    @property
    def status_polling_interval(self) -> int:
        return SCHEDULER_POLL_S


def _exit_file(script: str) -> str:
    return f"{script}.exit"


def _exit_code(one: dict[str, Any]) -> int | None:
    """Return the exit code that a job's script has left; None: it has not."""
    path = Path(_exit_file(one["job_stdout_path"].removesuffix(".stdout")))
    with suppress(OSError, ValueError):
        return int(path.read_text("utf-8"))
    return None


def _longer(pause_s: float) -> float:
    return min(max(2 * pause_s, SCHEDULER_POLL_S), LONGEST_PAUSE_S)


class _Slurm(_Paced, SlurmProvider):
    scheduler = SCHEDULERS["slurm"]

    @property
    def lists_late(self) -> bool:
        """Accounting is; squeue is not."""
        return str(self._cmd).startswith("sacct")

    def _answers(self, jobs: Sequence[str]) -> dict[str, Answer]:
        # Parsl has found out whether there is accounting
        return ask_slurm(jobs, self.execute_wait, SACCT if self.lists_late else SQUEUE)


class _Pbs(_Paced, PBSProProvider):
    scheduler = SCHEDULERS["pbs"]


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
    """Have Parsl start or ask for no other block."""
    if provider is not None:
        provider.max_blocks = 0
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
