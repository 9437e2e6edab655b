"""Site files: what is fixed on a kind of machine, in TOML.

molloop's own lie in `sites/`; a user's file has the same settings. What a file leaves out is as in
`local`, `slurm` or `pbs`, by its scheduler.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, Strict, ValidationError, ValidationInfo, field_validator

from molloop.config.section import Section, batch_lines, input_error, one_line
from molloop.errors import InputError

FOLDER = Path(__file__).parent / "sites"
# in the order in which they are listed
NAMES = ("local", "slurm", "pbs", "polaris", "aurora", "perlmutter")
ENDING = ".toml"
BASES = {"": "local", "slurm": "slurm", "pbs": "pbs"}  # of each scheduler
MAX_BYTES = 10**5
EXPLAINS = "docs/sites/own.md"

Names = Annotated[tuple[Literal["account", "queue"], ...], Strict(False)]


class SiteFacts(Section):
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

    summary: str = Field(min_length=1)
    scheduler: Literal["", "slurm", "pbs"] = ""
    cores: int | None = Field(None, ge=1)
    threads: int | None = Field(None, ge=1)
    interface: str | None = None
    queue_option: Literal["partition", "qos"] = "partition"
    directives: Annotated[tuple[str, ...], Strict(False)] = ()
    select_options: str = ""
    launcher_options: str = ""
    bind_option: str = "--bind-to"
    worker_init: str = ""
    worker_start_timeout_s: float = Field(300.0, gt=0)
    needs: Names = ()
    source: str = ""

    @field_validator("directives")
    @classmethod
    def _lines_of_its_script(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return batch_lines(value, info.data.get("scheduler", ""))

    @field_validator("summary", "select_options", "launcher_options", "bind_option", "source")
    @classmethod
    def _a_line(cls, value: str) -> str:
        return one_line(value)


def is_site_file(name: str) -> bool:
    """Whether the name of a site is the path of a file."""
    return name.endswith(ENDING) and "\0" not in name


def facts_of(name: str) -> SiteFacts:
    """Return what is fixed on a site; of a user's own function, nothing is known.

    Raises
    ------
    InputError
        The name is the path of a file that cannot be used.
    """
    if is_site_file(name):
        return read_site(Path(name))
    return SITES.get(name, OWN)


def read_site(path: Path) -> SiteFacts:
    """Read a site file.

    Raises
    ------
    InputError
        It cannot be read, or something in it is unknown, of the wrong type or out of bounds.
    """
    values = _values(path)
    scheduler = values.get("scheduler", "")
    # of a list or table, which TOML may have here, the schema tells
    base = BASES.get(scheduler, "local") if isinstance(scheduler, str) else "local"
    values = {**_values_of_base(base), **values}
    try:
        return SiteFacts.model_validate(values)
    except ValidationError as error:
        raise input_error(error, list(SiteFacts.model_fields), EXPLAINS, f"{path}: ") from error


def _values(path: Path) -> dict[str, Any]:
    if path.exists() and not path.is_file():
        raise InputError("site file", str(path), "a plain file", "Name another.")
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise InputError(
                "site file", str(path), f"{MAX_BYTES} bytes at most", "Is another file meant?"
            )
        return tomllib.loads(text.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "site file", str(path), "a TOML file", f"It cannot be read: {error}."
        ) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError("site file", str(path), "TOML", f"Correct the line: {error}.") from error


@cache
def _values_of_base(name: str) -> dict[str, Any]:
    return _values(FOLDER / f"{name}{ENDING}")


SITES = {name: read_site(FOLDER / f"{name}{ENDING}") for name in NAMES}
OWN = SiteFacts(summary="a function of one's own that returns a parsl.Config")
