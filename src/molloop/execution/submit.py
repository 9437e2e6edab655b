"""Batch scripts: a run as a job of a scheduler, with the driver on the job's first node."""

import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tomlkit

from molloop.errors import InputError, RunError
from molloop.execution.providers import (
    PBS_DIRECTIVES,
    SLURM_DIRECTIVES,
    check_needs,
    exports,
    workers_per_node,
)
from molloop.execution.sites import check_path
from molloop.settings import Settings, SiteSettings, seconds_of
from molloop.site_facts import SITES, SiteFacts, directives_of, facts_of

STOP_BEFORE_S = 120  # of the job's end, beside campaign.grace_s
COMMAND_TIMEOUT_S = 120
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
        ``slurm`` or ``pbs``.
    """

    folder: Path
    script: str
    config: str
    scheduler: str

    def write(self) -> Path:
        """Write script and configuration into the run directory; return the script's path."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / CONFIG).write_text(self.config, encoding="utf-8")
        path = self.folder / SCRIPT
        path.write_text(self.script, encoding="utf-8")
        return path


def batch_job(settings: Settings, folder: Path, store: str) -> BatchJob:
    """Return the job that begins a run, or goes on with the one that the folder holds.

    Some time before the job's end it ends the run in order, as SIGTERM does.

    Parameters
    ----------
    folder
        The run directory.
    store
        Name of the file there that a run has begun with.

    Raises
    ------
    InputError
        The site has no scheduler, wants a setting that is missing, or the job is too short.
    """
    site = settings.site
    facts = facts_of(site.name)
    if not facts.scheduler:
        names = ", ".join(name for name, one in SITES.items() if one.scheduler)
        raise InputError("site.name", site.name, f"a site with a scheduler: {names}", "Name one.")
    check_needs(site)
    walltime_s = seconds_of(site.walltime)
    limit_s = walltime_s - STOP_BEFORE_S - round(settings.campaign.grace_s)
    if limit_s <= 0:
        raise InputError(
            "site.walltime",
            site.walltime,
            f"more than {walltime_s - limit_s} s, which its end takes",
            "Raise it, or lower campaign.grace_s.",
        )
    path = folder.absolute()
    check_path(path)
    header = _slurm_header if facts.scheduler == "slurm" else _pbs_header
    command = f"{shlex.quote(sys.executable)} -P -m molloop"
    lines = [
        "#!/bin/bash",
        *header(site, facts, path),
        *directives_of(facts, site.directives),
        "",
        f"exec >> {path / LOG} 2>&1",
        f"if [ -e {path / FAILED} ]; then",
        f'    echo "An earlier job has failed, see above; {path / FAILED} keeps others from it."',
        "    exit 0",
        "fi",
        f"cd {shlex.quote(str(Path.cwd()))} || exit 1",
        *exports(),
        *(line for line in (facts.worker_init, site.worker_init) if line),
        f"if [ -e {path / store} ]; then",
        f"    words=(resume {path}{_changes(settings)})",
        "else",
        f"    words=(run {path / CONFIG} --run-dir {path})",
        "fi",
        "# so long, then the run ends in order; what was running runs again in the next job",
        f"left_s=$(({limit_s} - SECONDS))",
        '[ "$left_s" -gt 0 ] || exit 143',
        'timeout --foreground --preserve-status --signal=TERM "$left_s" \\',
        f'    {command} "${{words[@]}}"',
        "code=$?",
        "# the run's own failure, or bad input, would be the same in the next job",
        f"case $code in 1|2) touch {path / FAILED} ;; esac",
        'exit "$code"',
        "",
    ]
    return BatchJob(folder, "\n".join(lines), settings.to_toml(), facts.scheduler)


def _changes(settings: Settings) -> str:
    """Return options that give a run which goes on the site and the budget of this job."""
    given = {f"site.{name}": value for name, value in settings.site.model_dump().items()}
    given["campaign.max_training_count"] = settings.campaign.max_training_count
    given["campaign.grace_s"] = settings.campaign.grace_s
    assigned = [
        f"{name}={tomlkit.item(list(value) if isinstance(value, tuple) else value).as_string()}"
        for name, value in given.items()
        if value is not None
    ]
    return "".join(f" --set {shlex.quote(one)}" for one in assigned)


def _slurm_header(site: SiteSettings, facts: SiteFacts, path: Path) -> list[str]:
    options = {
        "job-name": "molloop",
        "nodes": site.nodes or 1,
        "time": site.walltime,
        "account": site.account,
        facts.queue_option: site.queue,
        "output": path / SCHEDULER_LOG,
        "open-mode": "append",
    }
    named = [f"#SBATCH --{name}={value}" for name, value in options.items() if value is not None]
    return [*named, "#SBATCH --exclusive", *SLURM_DIRECTIVES]


def _pbs_header(site: SiteSettings, facts: SiteFacts, path: Path) -> list[str]:
    n_cpus = facts.threads or workers_per_node(site, None)
    select = f"select={site.nodes or 1}:ncpus={n_cpus}"
    if facts.select_options:
        select += f":{facts.select_options}"
    options = {"A": site.account, "q": site.queue}
    return [
        "#PBS -N molloop",
        f"#PBS -l {select}",
        f"#PBS -l walltime={site.walltime}",
        *(f"#PBS -{name} {value}" for name, value in options.items() if value is not None),
        "#PBS -j oe",
        f"#PBS -o {path / SCHEDULER_LOG}",
        *PBS_DIRECTIVES,
    ]


def submit(job: BatchJob, n: int) -> list[str]:
    """Submit a job n times, each to begin when the one before has not come to the run's end.

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
            jobs.append(_submit_one(job.scheduler, path, jobs[-1] if jobs else None))
        except RunError as error:
            if not jobs:
                raise
            raise RunError(
                f"{error} {len(jobs)} of {n} jobs are there: {', '.join(jobs)}.",
                f"They go on; `{cancel_command(job.scheduler, jobs)}` takes them back.",
            ) from error
    return jobs


def cancel_command(scheduler: str, jobs: Sequence[str]) -> str:
    """Return what takes jobs back."""
    return " ".join(["scancel" if scheduler == "slurm" else "qdel", *jobs])


def _submit_one(scheduler: str, path: Path, after: str | None) -> str:
    if scheduler == "slurm":
        words = ["sbatch", "--parsable"]
        if after:
            words += [f"--dependency=afternotok:{after}", "--kill-on-invalid-dep=yes"]
    else:
        words = ["qsub"]
        if after:
            words += ["-W", f"depend=afternotok:{after}"]
    output = _call([*words, str(path)])
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
        raise RunError(f"{words[0]} refuses the job ({told}).", "Mend what it says.")
    return done.stdout.strip()
