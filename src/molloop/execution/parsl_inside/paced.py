"""Parsl's providers of Slurm and PBS, which ask rarely and know their jobs better.

Seen in Parsl 2026.10.26: `SlurmProvider` and `PBSProProvider` take a job that the scheduler does
not list for one that has ended well, so that they ask for another beside it; they look every 60 s,
whatever is set, and ask again at once after a refusal. Nothing but a subclass changes that: it
replaces `_status`, `cancel` and `status_polling_interval`, adds to `submit` and
`_write_submit_script`, and reads and writes the book of jobs, `resources`.
"""

import shlex
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Any

from parsl.jobs.states import JobState, JobStatus
from parsl.providers import PBSProProvider, SlurmProvider
from parsl.providers.base import ExecutionProvider
from parsl.providers.cluster_provider import ClusterProvider
from parsl.providers.errors import SubmitException

from molloop.execution.answers import ENDED_BY_SIGTERM, Answer, Unsaid, ended, not_taken_back
from molloop.execution.blocks import LASTING_S
from molloop.execution.parsl_inside.jobs import open_jobs
from molloop.execution.schedulers import SACCT, SCHEDULERS, SQUEUE, Scheduler, ask_slurm

SCHEDULER_POLL_S = 30  # schedulers serve many
LISTED_S = 90  # so long after it was submitted, accounting knows a job
LONGEST_PAUSE_S = 300


class Paced(ClusterProvider):
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
        super().__init__(*words, **named)
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
        """Ask for a job, as soon as another may be asked for; return its number."""
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
            # abstract where mypy looks, and not in the provider beside which this stands
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
        super()._write_submit_script(template, script_filename, job_name, noting)

    def cancel(self, job_ids: Sequence[object]) -> list[bool]:
        """Take jobs back; True for each that is, or that has ended by itself."""
        jobs = list(map(str, job_ids))
        code, _, errors = self.execute_wait(shlex.join(self.scheduler.cancellation(jobs)))
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
        """Seconds after which Parsl asks for the states of blocks again."""
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


class Slurm(Paced, SlurmProvider):
    """Slurm, with accounting or without."""

    scheduler = SCHEDULERS["slurm"]

    @property
    def lists_late(self) -> bool:
        """Accounting is; squeue is not."""
        return str(self._cmd).startswith("sacct")

    def _answers(self, jobs: Sequence[str]) -> dict[str, Answer]:
        # Parsl has found out whether there is accounting
        return ask_slurm(jobs, self.execute_wait, SACCT if self.lists_late else SQUEUE)


class Pbs(Paced, PBSProProvider):
    """PBS, with a history of jobs or without."""

    scheduler = SCHEDULERS["pbs"]


def stop_asking(provider: ExecutionProvider | None) -> None:
    """Have Parsl start or ask for no other block."""
    if provider is not None:
        provider.max_blocks = 0
    if isinstance(provider, Paced):
        provider.run_ends.set()
