"""What a scheduler says of a job, read from its command's exit code and words alone."""

import json
from collections.abc import Mapping, Sequence
from enum import Enum

from parsl.jobs.states import JobState, JobStatus

ENDED_BY_SIGTERM = 143  # of a script: 128 + 15
PBS_WALLTIME_OVER, PBS_ENDED_BY_SIGTERM = -29, 271


class Unsaid(Enum):
    """What an answer may leave open."""

    ENDED = "the job has ended; how, is not said"
    GONE = "the scheduler answers, and knows no such job"
    SILENT = "nothing that can be understood"


Answer = JobStatus | Unsaid

# Parsl asks for another job where one is HELD: what is held or suspended is waited for
PBS_STATES: Mapping[str, JobState | Unsaid] = {
    **dict.fromkeys("QWTHSU", JobState.PENDING),
    **dict.fromkeys("RB", JobState.RUNNING),
    **dict.fromkeys("EFX", Unsaid.ENDED),
    "M": Unsaid.SILENT,  # moved: another server knows
}
SLURM_STATES: Mapping[str, JobState] = {
    **dict.fromkeys(
        ("PENDING", "CONFIGURING", "SUSPENDED", "STOPPED", "REQUEUED", "REQUEUE_FED",
         "REQUEUE_HOLD", "RESV_DEL_HOLD"),
        JobState.PENDING,
    ),
    **dict.fromkeys(
        ("RUNNING", "COMPLETING", "SIGNALING", "STAGE_OUT", "RESIZING"), JobState.RUNNING
    ),
    "COMPLETED": JobState.COMPLETED,
    "CANCELLED": JobState.CANCELLED,
    **dict.fromkeys(("TIMEOUT", "DEADLINE", "PREEMPTED"), JobState.TIMEOUT),
    **dict.fromkeys(
        ("FAILED", "NODE_FAIL", "BOOT_FAIL", "LAUNCH_FAILED", "RECONFIG_FAIL", "OUT_OF_MEMORY",
         "REVOKED", "SPECIAL_EXIT"),
        JobState.FAILED,
    ),
}  # fmt: skip


def read_qstat(code: int, output: str, errors: str) -> Answer:
    """Read what ``qstat -f -F json`` says of one job, with ``-x`` or without."""
    if code and "Unknown Job" in errors:
        return Unsaid.GONE
    if code and "Job has finished" in errors:
        return Unsaid.ENDED
    if code:
        return Unsaid.SILENT
    try:
        [job] = json.loads(output)["Jobs"].values()
        state = PBS_STATES[job["job_state"]]
        exit_status = job.get("Exit_status")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Unsaid.SILENT
    if isinstance(state, JobState):
        return JobStatus(state)
    if state is Unsaid.ENDED and isinstance(exit_status, int):
        return _ended_in_pbs(exit_status)
    return state


def _ended_in_pbs(exit_status: int) -> JobStatus:
    match exit_status:
        case 0:
            return JobStatus(JobState.COMPLETED, exit_code=0)
        case int() if exit_status == PBS_WALLTIME_OVER:
            return JobStatus(JobState.TIMEOUT, "its walltime was over", exit_status)
        case int() if exit_status == PBS_ENDED_BY_SIGTERM:
            return JobStatus(JobState.CANCELLED, "taken back, or ended by SIGTERM", exit_status)
    return JobStatus(JobState.FAILED, f"PBS has noted Exit_status {exit_status}", exit_status)


def read_slurm(jobs: Sequence[str], code: int, output: str, errors: str) -> dict[str, Answer]:
    """Read lines of ``squeue`` or ``sacct``: a job's number and the long name of its state."""
    if code:
        is_known = "Invalid job id" not in errors
        return dict.fromkeys(jobs, Unsaid.SILENT if is_known else Unsaid.GONE)
    found: dict[str, Answer] = {}
    for line in output.splitlines():
        job, _, told = line.strip().partition(" ")
        [name, *_] = told.split() or [""]  # CANCELLED by 1000
        state = SLURM_STATES.get(name)
        is_bad = state in (JobState.FAILED, JobState.TIMEOUT)
        found[job] = JobStatus(state, name if is_bad else None) if state else Unsaid.SILENT
    return {job: found.get(job, Unsaid.GONE) for job in jobs}


def ended(code: int | None) -> JobStatus:
    """Return how a job has ended, by the exit code that its script has left; None: it has not."""
    match code:
        case None:
            return JobStatus(
                JobState.FAILED,
                "neither the scheduler nor its script says why: it was killed, or its node lost",
            )
        case 0:
            return JobStatus(JobState.COMPLETED, exit_code=0)
        case int() if code == ENDED_BY_SIGTERM:
            return JobStatus(JobState.CANCELLED, "its script was ended by SIGTERM", code)
    return JobStatus(JobState.FAILED, f"its script ended with {code}", code)


def not_taken_back(
    jobs: Sequence[str], code: int, errors: str, over: Sequence[str]
) -> Sequence[str]:
    """Return the jobs that a command which takes jobs back has left.

    Parameters
    ----------
    over
        Words by which it says that a job has ended already: such a one is as good as taken back.
    """
    if not code:
        return ()
    lines = errors.splitlines()
    complaints = [line for line in lines if line and not any(word in line for word in over)]
    if lines and not complaints:
        return ()
    named = [job for job in jobs if any(job in line.split() for line in complaints)]
    return named or jobs
