"""How each scheduler is spoken to: scripts, commands, and the words that they take."""

import os
import shlex
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from parsl.jobs.states import JobStatus

from molloop.errors import InputError
from molloop.execution.allocation import workers_per_node
from molloop.execution.answers import Answer, Unsaid, read_qstat, read_slurm
from molloop.execution.site import Site

SCHEDULER_TIMEOUT_S = 120  # of one of its commands
PASSED_ON = ("PYTHONPATH", "XDG_CACHE_HOME")
SACCT = "sacct -X --noheader --format=jobid,state%20 --job {jobs}"
# by default squeue leaves out what has ended
SQUEUE = "squeue --noheader --states=all --format='%i %T' --job {jobs}"

Ask = Callable[[str], tuple[int, str, str]]  # a shell command: exit code, output, errors


@dataclass(frozen=True, slots=True)
class Scheduler:
    """A scheduler's words.

    Attributes
    ----------
    directives
        Lines of every batch script.
    header
        Lines of a batch script that say what a job asks for, from the site and the path of the log.
    submits
        The command that takes a script.
    after
        What it is told where the job should begin only when others, ``{jobs}``, have all failed:
        with one alone, a job that was dropped would let the one behind it begin.
    cancels
        The command that takes jobs back.
    over
        Words by which that command says that a job has ended already.
    asks, separator
        A shell command that tells of ``{jobs}``, and what stands between them there.
    answers
        Asks for jobs, and returns what is said of each.
    """

    directives: tuple[str, ...]
    header: Callable[[Site, Path], list[str]]
    submits: tuple[str, ...]
    after: tuple[str, ...]
    cancels: str
    over: tuple[str, ...]
    asks: str
    separator: str
    answers: Callable[[Sequence[str], Ask], dict[str, Answer]]

    @property
    def commands(self) -> tuple[str, ...]:
        """What a machine has where jobs can be submitted."""
        return self.submits[0], self.asks.split()[0], self.cancels

    def submission(self, script: Path, after: Sequence[str]) -> list[str]:
        """Return the words that submit a script, to begin when all of some jobs have failed."""
        following = [word.format(jobs=":".join(after)) for word in self.after] if after else []
        return [*self.submits, *following, str(script)]

    def cancellation(self, jobs: Sequence[str]) -> list[str]:
        """Return the words that take jobs back."""
        return [self.cancels, *jobs]

    def question(self, jobs: Sequence[str]) -> str:
        """Return a shell command that tells of jobs: numbers, states, reasons."""
        return self.asks.format(jobs=self.separator.join(map(shlex.quote, jobs)))


def ask_slurm(jobs: Sequence[str], ask: Ask, question: str = SQUEUE) -> dict[str, Answer]:
    """Ask Slurm for jobs; a subprocess.TimeoutExpired of `ask` is no answer."""
    try:
        return read_slurm(jobs, *ask(question.format(jobs=",".join(map(shlex.quote, jobs)))))
    except subprocess.TimeoutExpired:
        return dict.fromkeys(jobs, Unsaid.SILENT)


def ask_pbs(jobs: Sequence[str], ask: Ask) -> dict[str, Answer]:
    """Ask PBS for jobs one by one: of several, some versions tell of the first alone.

    Without ``-x`` first: a server that keeps no history answers with it as if there were no jobs.
    After a subprocess.TimeoutExpired of `ask`, it is asked no more.
    """
    answers: dict[str, Answer] = dict.fromkeys(jobs, Unsaid.SILENT)
    with suppress(subprocess.TimeoutExpired):
        for job in jobs:
            question = f"qstat -f -F json {shlex.quote(job)}"
            answers[job] = read_qstat(*ask(question))
            if answers[job] is Unsaid.ENDED:
                in_history = read_qstat(*ask(question.replace("-f", "-x -f", 1)))
                answers[job] = in_history if isinstance(in_history, JobStatus) else Unsaid.ENDED
    return answers


def _slurm_header(site: Site, log: Path) -> list[str]:
    options = {
        "job-name": "molloop",
        "nodes": site.nodes or 1,
        "time": site.walltime,
        "account": site.account,
        site.queue_option: site.queue,
        "output": log,
        "open-mode": "append",
    }
    named = [f"#SBATCH --{name}={value}" for name, value in options.items() if value is not None]
    return [*named, "#SBATCH --exclusive"]


def _pbs_header(site: Site, log: Path) -> list[str]:
    n_cpus = site.threads or workers_per_node(site, None) * site.worker_cores
    select = f"select={site.nodes or 1}:ncpus={n_cpus}"
    if site.select_options:
        select += f":{site.select_options}"
    options = {"A": site.account, "q": site.queue}
    return [
        "#PBS -N molloop",
        f"#PBS -l {select}",
        f"#PBS -l walltime={site.walltime}",
        *(f"#PBS -{name} {value}" for name, value in options.items() if value is not None),
        "#PBS -j oe",
        f"#PBS -o {log}",
    ]


SCHEDULERS = {
    "slurm": Scheduler(
        # all memory of the nodes; one that is lost is no matter to the others, and nothing runs
        # twice
        directives=("#SBATCH --mem=0", "#SBATCH --no-kill", "#SBATCH --no-requeue"),
        header=_slurm_header,
        submits=("sbatch", "--parsable"),
        after=("--dependency=afternotok:{jobs}", "--kill-on-invalid-dep=yes"),
        cancels="scancel",
        over=("Invalid job id", "already completing or completed"),
        asks="squeue --noheader --format '%i %T %r' --job {jobs}",
        separator=",",
        answers=ask_slurm,
    ),
    "pbs": Scheduler(
        directives=("#PBS -l place=scatter:excl",),
        header=_pbs_header,
        submits=("qsub",),
        after=("-W", "depend=afternotok:{jobs}"),
        cancels="qdel",
        over=("Unknown Job", "Job has finished"),
        asks="qstat -f {jobs} | grep -E 'Job Id|job_state|comment'",
        separator=" ",
        answers=ask_pbs,
    ),
}


def check_needs(site: Site) -> None:
    """Raise InputError where a setting is missing without which the scheduler takes no job."""
    for name in site.needs:
        if getattr(site, name) is None:
            raise InputError(
                f"site.{name}", None, f"the {name} that {site.name} wants", f"Set site.{name}."
            )


def exports() -> list[str]:
    """Return shell lines that give a job what this process has; PBS does not pass it on."""
    found = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return [f"export {name}={shlex.quote(_absolute(paths))}" for name, paths in found.items()]


def _absolute(paths: str) -> str:
    """Return paths that mean the same in a job, which begins in another folder."""
    return os.pathsep.join(str(Path(one).absolute()) for one in paths.split(os.pathsep))
