"""What is fixed on each site, and where that is said."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """A kind of machine.

    Attributes
    ----------
    summary
        What it is, in a line.
    scheduler
        ``slurm`` or ``pbs``; empty: the run uses this machine alone.
    cores, threads
        Of a node, those of the hardware; None: they differ.
    interface
        Network through which nodes reach each other; None: the one of the host's name.
    queue_option
        What `site.queue` names in Slurm: ``partition`` or ``qos``.
    directives
        Lines of the batch script that the site wants.
    select_options
        What PBS is to select nodes by, beside their number and cores.
    launcher_options
        Of ``srun`` or ``mpiexec``, which starts one pool of workers on each node.
    bind_option
        Of ``mpiexec``, by which cores are bound.
    worker_init
        Shell lines before the workers.
    worker_start_timeout_s
        How long the first worker may take, Python's first imports from a shared file system in it.
    needs
        Settings under ``[site]`` without which its scheduler takes no job.
    source
        Where these facts are from.
    """

    summary: str
    scheduler: str = ""
    cores: int | None = None
    threads: int | None = None
    interface: str | None = None
    queue_option: str = "partition"
    directives: tuple[str, ...] = ()
    select_options: str = ""
    launcher_options: str = ""
    bind_option: str = "--bind-to"
    worker_init: str = ""
    worker_start_timeout_s: float = 300.0
    needs: tuple[str, ...] = ()
    source: str = ""


# of Slurm's srun: a pool a node, on all cores that the job has there; what becomes of one pool or
# node is no matter to the others
_SRUN = (
    "--ntasks-per-node=1 --cpus-per-task=$SLURM_CPUS_ON_NODE --cpu-bind=none --kill-on-bad-exit=0 "
    "--no-kill --overlap"
)

SITES = {
    "local": SiteFacts("this machine", worker_start_timeout_s=60.0),
    "slurm": SiteFacts("a cluster with Slurm", "slurm", launcher_options=_SRUN),
    "pbs": SiteFacts("a cluster with PBS and MPICH", "pbs", launcher_options="-ppn 1"),
    "polaris": SiteFacts(
        "ALCF's Polaris",
        "pbs",
        cores=32,
        threads=64,
        interface="bond0",
        directives=("#PBS -l filesystems=home:eagle",),
        select_options="ngpus=4",
        # PALS's mpiexec would end all pools with one
        launcher_options="--ppn 1 --depth=64 --no-abort-on-failure",
        bind_option="--cpu-bind",
        # the default one is too long for sockets (Parsl, issue 3947)
        worker_init="export TMPDIR=/tmp",
        needs=("account", "queue"),
        source="docs.alcf.anl.gov/polaris; Parsl's configs/polaris.py",
    ),
    "aurora": SiteFacts(
        "ALCF's Aurora",
        "pbs",
        cores=104,
        threads=208,
        interface="hsn0",
        directives=("#PBS -l filesystems=home:flare",),
        launcher_options="--ppn 1 --depth=208 --no-abort-on-failure",
        bind_option="--cpu-bind",
        worker_init="export TMPDIR=/tmp",
        needs=("account", "queue"),
        source="docs.alcf.anl.gov/aurora",
    ),
    "perlmutter": SiteFacts(
        "NERSC's Perlmutter, nodes without GPUs",
        "slurm",
        cores=128,
        threads=256,
        interface="hsn0",
        queue_option="qos",
        directives=("#SBATCH --constraint=cpu",),
        launcher_options=_SRUN,
        needs=("account", "queue"),
        source="docs.nersc.gov/systems/perlmutter",
    ),
}
# how long a job that is taken back, or whose time is over, has from SIGTERM to SIGKILL: by default,
# KillWait of Slurm, kill_delay of PBS's queues
KILL_DELAY_S = {"slurm": 30.0, "pbs": 10.0}
OWN = SiteFacts("a function of one's own that returns a parsl.Config")


def start_timeout_s(name: str, given: float | None) -> float:
    """Return how long the first worker may take: what the user has given, or the site's."""
    return given or facts_of(name).worker_start_timeout_s


def facts_of(name: str) -> SiteFacts:
    """Return what is fixed on a site; of a user's own function, nothing is known."""
    return SITES.get(name, OWN)


def directives_of(fixed: Sequence[str], given: Sequence[str]) -> list[str]:
    """Return lines of a batch script: the user's, and before them those of other options."""

    def option(line: str) -> str:
        return line.partition("=")[0].strip()

    own = {option(line) for line in given}
    return [*(line for line in fixed if option(line) not in own), *given]
