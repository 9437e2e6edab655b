"""Batch scripts: a run as a job of a scheduler, with the driver on the job's first node."""

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from parsl.jobs.states import JobState, JobStatus

from molloop.campaign.events import End
from molloop.errors import InputError, RunError
from molloop.execution.answers import Answer, Unsaid
from molloop.execution.parsl_config import check_path
from molloop.execution.schedulers import SCHEDULERS, Scheduler, check_needs, exports
from molloop.execution.site import Site, directives_of
from molloop.store.run_dir import LOCK, STORE, check_own
from molloop.texts import counted

STOP_BEFORE_S = 120  # of the job's end, beside campaign.grace_s
COMMAND_TIMEOUT_S = 120
HELD_CODE = 75  # EX_TEMPFAIL: not 0, which would have the jobs behind dropped
SETTLE_S = 1.0  # until a scheduler has dropped what it does not want
SCRIPT = "job.sh"
CONFIG = "job.toml"
LOG = "job.log"
SCHEDULER_LOG = "scheduler.log"
FAILED = "job.failed"


@dataclass(frozen=True, slots=True)
class BatchJob:
    """A script, and the files beside it.

    Attributes
    ----------
    folder
        The run directory.
    script, config
        What is written there.
    scheduler
        That takes it.
    """

    folder: Path
    script: str
    config: str
    scheduler: Scheduler

    def write(self) -> Path:
        """Write script and configuration into the run directory; return the script's path."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_own(self.folder)
        (self.folder / CONFIG).write_text(self.config, encoding="utf-8")
        path = self.folder / SCRIPT
        path.write_text(self.script, encoding="utf-8")
        return path


def batch_job(
    site: Site,
    folder: Path,
    config: str,
    changes: Mapping[str, Any],
    grace_s: float,
    *,
    is_trusted: bool = False,
) -> BatchJob:
    """Return the job that begins a run, or goes on with the one that the folder holds.

    Some time before the job's end it ends the run in order, as SIGTERM does.

    Parameters
    ----------
    site
        It has a scheduler.
    folder
        The run directory.
    config
        The configuration, as TOML, with which the job begins a run.
    changes
        ``section.key`` and value of the settings that a run which goes on takes from this job.
    grace_s
        How long simulations may be waited for when the run ends.
    is_trusted
        Whether the job goes on with a run that may be somebody else's.

    Raises
    ------
    InputError
        The site wants a setting that is missing, or the job is too short.
    """
    check_needs(site)
    limit_s = site.walltime_s - STOP_BEFORE_S - round(grace_s)
    if limit_s <= 0:
        raise InputError(
            "site.walltime",
            site.walltime,
            f"more than {site.walltime_s - limit_s} s, which its end takes",
            "Raise it, or lower campaign.grace_s.",
        )
    path = folder.absolute()
    check_path(path)
    scheduler = SCHEDULERS[site.scheduler]
    command = f"{shlex.quote(sys.executable)} -P -m molloop"
    lines = [
        "#!/bin/bash",
        *scheduler.header(site, path / SCHEDULER_LOG),
        *directives_of(scheduler.directives, site.directives),
        "",
        f"exec >> {path / LOG} 2>&1",
        f"if [ -e {path / FAILED} ]; then",
        f'    echo "An earlier job has failed, see above; {path / FAILED} keeps others from it."',
        "    exit 0",
        "fi",
        f"cd {shlex.quote(str(Path.cwd()))} || exit 1",
        *exports(),
        *([site.worker_init] if site.worker_init else []),
        f"if [ -e {path / STORE} ]; then",
        f"    words=(resume {path}{' --trust' if is_trusted else ''}{_options(changes)})",
        "else",
        f"    words=(run {path / CONFIG} --run-dir {path})",
        "fi",
        "trap : TERM  # the run ends by it, in order, and this script with the run",
        "# when left_s is over, the run ends in order, with the full campaign.grace_s; SIGTERM",
        "# would allow only seconds. What was running then runs again in the next job",
        f"left_s=$(({limit_s} - SECONDS))",
        '[ "$left_s" -gt 0 ] || exit 143',
        'timeout --foreground --preserve-status --signal=INT "$left_s" \\',
        f'    {command} "${{words[@]}}"',
        "code=$?",
        "# a job that began beside another one of its run; nodes that wait would be charged for",
        f'if [ "$code" = {InputError.exit_code} ]; then',
        f"    flock --shared --nonblock --conflict-exit-code {HELD_CODE} {path / LOCK} true",
        f"    if [ $? = {HELD_CODE} ]; then",
        '        echo "Another job has this run: this one leaves it and ends; the next may go on."',
        f"        exit {HELD_CODE}",
        "    fi",
        "fi",
        "# one that failed by itself, or cannot begin or go on, would do so in the next job too",
        f"case $code:$({command} status --json {path} 2> /dev/null) in",
        f'    2:*|1:|1:*\'"state": "{End.FAILED.value}"\'*) touch {path / FAILED} ;;',
        "esac",
        'exit "$code"',
        "",
    ]
    return BatchJob(folder, "\n".join(lines), config, scheduler)


def _options(changes: Mapping[str, Any]) -> str:
    """Return the options of `molloop resume` that change settings."""
    assigned = [
        f"{name}={tomlkit.item(list(value) if isinstance(value, tuple) else value).as_string()}"
        for name, value in changes.items()
        if value is not None
    ]
    return "".join(f" --set {shlex.quote(one)}" for one in assigned)


def submit(job: BatchJob, n: int) -> list[str]:
    """Submit a job n times, each to begin when none before it has come to the run's end.

    Returns the numbers of the jobs.

    Raises
    ------
    RunError
        The scheduler refuses; what it says.
    """
    path = job.write()
    (job.folder / FAILED).unlink(missing_ok=True)
    jobs: list[str] = []
    for _ in range(n):
        try:
            jobs.append(_submit_one(job.scheduler, path, jobs))
        except RunError as error:
            if not jobs:
                raise
            raise RunError(
                f"{error} Of {counted(n, 'job')}, these are there: {', '.join(jobs)}.",
                f"They go on; `{' '.join(job.scheduler.cancellation(jobs))}` takes them back.",
            ) from error
    if n > 1:
        _check_links(job, jobs)
    return jobs


def _check_links(job: BatchJob, jobs: Sequence[str]) -> None:
    """Raise RunError where the scheduler has taken jobs and dropped them again.

    So does PBS with one that waits for a job that has ended already, if it does not know how.
    """
    time.sleep(SETTLE_S)
    answers = job.scheduler.answers(jobs[1:], _ask)
    if dropped := [one for one, answer in answers.items() if _is_dropped(answer)]:
        raise RunError(
            f"The scheduler took {', '.join(dropped)} of the {len(jobs)} jobs {', '.join(jobs)} "
            "and has dropped them again: what they wait for has ended, or it does not know it.",
            f"See {job.folder / LOG}; `molloop submit --run-dir {job.folder}` adds a job later.",
        )


def _is_dropped(answer: Answer) -> bool:
    if isinstance(answer, JobStatus):
        return answer.state is JobState.CANCELLED
    return answer is not Unsaid.SILENT


def _ask(command: str) -> tuple[int, str, str]:
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, check=False, timeout=COMMAND_TIMEOUT_S
    )
    return done.returncode, done.stdout, done.stderr


def _submit_one(scheduler: Scheduler, path: Path, after: Sequence[str]) -> str:
    words = scheduler.submission(path, after)
    output = _call(words)
    found = re.match(r"[\w.\[\]-]+", output)
    if found is None:
        raise RunError(
            f"{words[0]} names no job ({output!r}).", "Ask the scheduler what became of it."
        )
    return found[0]


def _call(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, timeout=COMMAND_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RunError(
            f"{words[0]} cannot be called ({error}).", "Is this a login node of the site?"
        ) from error
    if done.returncode:
        told = " ".join((done.stderr or done.stdout).split())
        raise RunError(
            f"{words[0]} refuses the job ({told}).",
            "Correct what it names: a setting of [site], or a line of site.directives.",
        )
    return done.stdout.strip()
