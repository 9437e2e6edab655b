"""The section `site`."""

import re
from typing import Annotated

from pydantic import Field, Strict, field_validator

from molloop.config.section import Section, batch_lines, one_line
from molloop.config.site_file import SITES, is_site_file
from molloop.registry import is_reference
from molloop.schema import one_of

AFFINITIES = ("none", "block", "block-reverse", "alternating")
CORE_LIST = re.compile(r"list:\d+([,:-]\d+)*")
MIN_WALLTIME_S = 60
WALLTIME = re.compile(r"\d{1,3}:[0-5]\d:[0-5]\d")
# what stands in batch scripts and commands as it is
SCHEDULER_NAME = re.compile(r"[\w.@:+,-]+")


class SiteSettings(Section):
    """Where it runs."""

    name: str = Field(
        "local",
        description="; ".join(f"{name}: {site.summary}" for name, site in SITES.items())
        + "; mycluster.toml: a file of your own that says what is fixed there; "
        "package.module:function: a function that returns a parsl.Config. Within a job of the "
        "site's scheduler a run uses that job's nodes, outside it asks for some.",
    )
    nodes: int | None = Field(
        None, ge=1, description="Of an allocation. Left out: all of the job's, or one to ask for."
    )
    blocks: int = Field(1, ge=1, description="Allocations to ask for at the same time.")
    workers: int | None = Field(
        None,
        ge=1,
        description="Processes that simulate on a node, a core each. Left out: all cores; slurm "
        "and pbs want it outside of a job.",
    )
    cpu_affinity: str = Field(
        "none",
        description="Which cores a worker may use: none (any), block, block-reverse, alternating, "
        "or Parsl's list:0,1:2,3.",
    )
    walltime: str = Field(
        "1:00:00", description="Of an allocation to ask for, hours:minutes:seconds."
    )
    account: str | None = Field(None, description="That the scheduler charges.")
    queue: str | None = Field(None, description="Of PBS; partition of Slurm, QOS of perlmutter.")
    directives: Annotated[tuple[str, ...], Strict(False)] = Field(
        (), description='Further lines of a batch script: ["#PBS -l filesystems=home:eagle"].'
    )
    launcher_options: str | None = Field(
        None, description="Of srun or mpiexec, which starts a pool of workers on each node."
    )
    worker_init: str = Field("", description="Shell lines before the workers, such as modules.")
    interface: str | None = Field(
        None, description="Network through which nodes reach the driver, such as hsn0."
    )
    worker_start_timeout_s: float | None = Field(
        None,
        gt=0,
        description="The run ends with the workers' log if there is none for so long. Left out: "
        "60 s on this machine, 300 s elsewhere.",
    )
    queue_timeout_s: float | None = Field(
        None, gt=0, description="The same, where the scheduler starts none. Left out: no limit."
    )
    group_size: int | None = Field(
        None,
        ge=1,
        description="Molecules of a task. Left out: by the time that simulations take.",
    )

    @field_validator("name")
    @classmethod
    def _known_site(cls, value: str) -> str:
        is_own = is_reference(value) or is_site_file(value)
        return value if is_own else one_of(value, SITES)

    @field_validator("walltime")
    @classmethod
    def _a_time(cls, value: str) -> str:
        if not WALLTIME.fullmatch(value):
            raise ValueError("expected hours:minutes:seconds, such as 0:30:00")
        if seconds_of(value) < MIN_WALLTIME_S:
            raise ValueError("expected a minute at least")
        return value

    @field_validator("account", "queue")
    @classmethod
    def _a_name(cls, value: str | None) -> str | None:
        if value is not None and not SCHEDULER_NAME.fullmatch(value):
            raise ValueError("expected letters, digits and ._-+:,@ only")
        return value

    @field_validator("directives")
    @classmethod
    def _lines_of_a_script(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return batch_lines(value)

    @field_validator("launcher_options")
    @classmethod
    def _a_line(cls, value: str | None) -> str | None:
        return None if value is None else one_line(value)

    @field_validator("cpu_affinity")
    @classmethod
    def _an_affinity(cls, value: str) -> str:
        is_known = value in AFFINITIES or CORE_LIST.fullmatch(value)
        return value if is_known else one_of(value, (*AFFINITIES, "list:0,1:2,3"))


def seconds_of(walltime: str) -> int:
    """Return the seconds of hours:minutes:seconds."""
    hours, minutes, seconds = map(int, walltime.split(":"))
    return 3600 * hours + 60 * minutes + seconds
