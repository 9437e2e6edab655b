"""Where a run runs, as a plain value."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """What is fixed on a kind of machine and what a user has set, in one.

    Attributes
    ----------
    name
        As the user knows it.
    function
        ``package.module:function`` that returns a parsl.Config, in the place of all below but the
        timeouts; empty: none.
    scheduler
        ``slurm`` or ``pbs``; empty: the run uses this machine alone.
    nodes
        Of an allocation; None: all of the job's, or one to ask for.
    blocks
        Allocations to ask for at the same time.
    workers
        On a node; None: as many as its cores are enough for.
    worker_cores
        That a worker computes on.
    threads
        Hardware threads of a node; None: they differ.
    cpu_affinity
        Which cores a worker may use, as Parsl names it.
    walltime_s
        Of an allocation to ask for.
    job_s
        How long a simulation is expected to take: none is begun later than twice that before the
        end of an allocation.
    account, queue
        That a job is charged to, and goes to.
    queue_option
        What the queue is in Slurm: ``partition`` or ``qos``.
    directives
        Further lines of a batch script.
    select_options
        What PBS is to select nodes by, beside their number and cores.
    launcher_options
        Of ``srun`` or ``mpiexec``, which starts one pool of workers on each node.
    bind_option
        Of ``mpiexec``, by which cores are bound.
    worker_init
        Shell lines before the workers.
    interface
        Network through which nodes reach the driver; None: the one of the host's name.
    worker_start_timeout_s
        How long the first worker may take to start, once the scheduler has.
    queue_timeout_s
        How long the scheduler may take; None: for ever.
    needs
        Attributes of a site without which its scheduler takes no job.
    """

    name: str = "local"
    function: str = ""
    scheduler: str = ""
    nodes: int | None = None
    blocks: int = 1
    workers: int | None = None
    worker_cores: int = 1
    threads: int | None = None
    cpu_affinity: str = "none"
    walltime_s: int = 3600
    job_s: float = 0.0
    account: str | None = None
    queue: str | None = None
    queue_option: str = "partition"
    directives: tuple[str, ...] = ()
    select_options: str = ""
    launcher_options: str = ""
    bind_option: str = "--bind-to"
    worker_init: str = ""
    interface: str | None = None
    worker_start_timeout_s: float = 60.0
    queue_timeout_s: float | None = None
    needs: tuple[str, ...] = ()

    @property
    def walltime(self) -> str:
        """Hours:minutes:seconds, as schedulers read it."""
        minutes, seconds = divmod(self.walltime_s, 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def directives_of(fixed: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """Return lines of a batch script: those given, and before them those of other options."""

    def option(line: str) -> str:
        return line.partition("=")[0].strip()

    own = {option(line) for line in given}
    return (*(line for line in fixed if option(line) not in own), *given)
