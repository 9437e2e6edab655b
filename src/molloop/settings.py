"""Everything that a user may set."""

import re
import textwrap
from collections.abc import Iterable
from typing import Annotated, Self

import tomlkit
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    ValidationInfo,
    field_validator,
    model_validator,
)

from molloop.library.sources import FORMATS
from molloop.search.policy import POLICIES, SELECTABLE, Policy, policy_named
from molloop.simulate.levels import FIDELITIES, LEVELS
from molloop.simulate.property import OTHER_COLUMNS, Direction, Property, column_of
from molloop.simulate.protocol import IONIZATION, SimulationProtocol
from molloop.site_facts import SITES

SCHEDULES = {
    "interleaved": "simulations go on while a model is trained, which then replaces what the one "
    "before proposed",
    "batch": "simulate a batch, wait for all of it, train, rank, repeat; the same molecules on any "
    "number of workers",
}
AFFINITIES = ("none", "block", "block-reverse", "alternating")
CORE_LIST = re.compile(r"list:\d+([,:-]\d+)*")
MIN_WALLTIME_S = 60
WALLTIME = re.compile(r"\d{1,3}:[0-5]\d:[0-5]\d")
# what stands in batch scripts and commands as it is
SCHEDULER_NAME = re.compile(r"[\w.@:+,-]+")
DIRECTIVE = re.compile(r"#(SBATCH|PBS) .+")
COMMENT_WIDTH = 90


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_default=True, allow_inf_nan=False
    )


def _one_of(value: str, names: Iterable[str]) -> str:
    if value not in names:
        raise ValueError(f"expected one of {', '.join(names)}")
    return value


class LibrarySettings(_Section):
    """The search space."""

    source: str = Field(
        "qm9",
        description="A built-in library (qm9); the folder of one that `molloop library` built; or "
        f"a file of SMILES: {FORMATS}.",
    )
    column: str = Field("smiles", description="The column of a file that is no .smi.")


class PropertySettings(_Section):
    """What is searched for."""

    name: str = Field("IE", min_length=1, description="Its name in tables and figures.")
    unit: str = Field(
        "eV", description="Its unit. The column of tables is name_unit in lower case: ie_ev."
    )
    direction: Annotated[Direction, Strict(False)] = Field(
        Direction.MAXIMISE, description="maximise or minimise."
    )
    threshold: float | None = Field(
        None, description="Values beyond it are counted. Left out: none are."
    )
    simulator: str = Field(
        IONIZATION,
        description="ionization: the vertical ionization energy. Or package.module:function, a "
        "function of a SMILES that returns molloop.simulate.outcome.Success or raises "
        "molloop.SimulationError.",
    )

    @model_validator(mode="after")
    def _ionization_is_in_ev(self) -> Self:
        if self.simulator == IONIZATION and (self.name, self.unit) != ("IE", "eV"):
            raise ValueError(
                "expected the name IE and the unit eV for the simulator ionization, which computes "
                "just that"
            )
        return self

    @model_validator(mode="after")
    def _column_is_its_own(self) -> Self:
        column = column_of(self.name, self.unit)
        if not column or column in OTHER_COLUMNS:
            raise ValueError(
                f"expected a name and unit that make a column of tables, not {column!r}, which is "
                "empty or another column; take other words in a-z and 0-9"
            )
        return self


class SimulationSettings(_Section):
    """How a value is computed, and what it may cost."""

    level: str = Field(
        "gfn2",
        description="Level of theory of the ionization energy: "
        + "; ".join(f"{name} ({level.label}: {level.purpose})" for name, level in LEVELS.items())
        + ".",
    )
    fidelity: str = Field(
        "relaxed",
        description="; ".join(f"{name}: {text}" for name, text in FIDELITIES.items()) + ".",
    )
    n_conformers: int = Field(
        1, ge=1, description="Conformers that are embedded; the lowest by the force field is taken."
    )
    max_atoms: int = Field(
        200, ge=1, description="A molecule with more, hydrogens included, is a failure."
    )
    timeout_s: float = Field(600.0, gt=0, description="A molecule that takes longer is a failure.")
    memory_limit_gib: float = Field(
        4.0, gt=0, description="A molecule whose processes take more is a failure."
    )

    @field_validator("level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        return _one_of(value, LEVELS)

    @field_validator("fidelity")
    @classmethod
    def _known_fidelity(cls, value: str) -> str:
        return _one_of(value, FIDELITIES)


class SearchSettings(_Section):
    """What is chosen."""

    policy: str = Field(
        "gp",
        description="; ".join(f"{name}: {policy.summary}" for name, policy in POLICIES.items())
        + f". With another acquisition: {', '.join(f'gp-{one}' for one in SELECTABLE)}.",
    )

    @field_validator("policy")
    @classmethod
    def _known_policy(cls, value: str) -> str:
        try:
            policy_named(value)
        except KeyError:
            raise ValueError(
                f"expected one of {', '.join(POLICIES)}, or one with -{', -'.join(SELECTABLE)}"
            ) from None
        return value


class CampaignSettings(_Section):
    """The loop."""

    schedule: str = Field(
        "interleaved",
        description="; ".join(f"{name}: {text}" for name, text in SCHEDULES.items()) + ".",
    )
    initial_training_count: int = Field(
        8,
        ge=1,
        description="Values before the first model. Random molecules are simulated for them; "
        "those of training_data count.",
    )
    max_training_count: int = Field(24, ge=1, description="Values to simulate in all.")
    batch_size: int = Field(4, ge=1, description="batch: molecules between two trainings.")
    retrain_after: int | None = Field(
        None,
        ge=1,
        description="interleaved: new values after which a model is trained again. Left out: four "
        "or more, so that rankings take about a seventh of the workers' time.",
    )
    seed: int = Field(
        42, ge=0, description="The same seed gives the same molecules and values with batch."
    )
    training_data: str | None = Field(
        None,
        description="A .csv or .tsv file with the columns smiles, ie_ev (or the property's), level "
        "and fidelity: values known beforehand, computed as this run's are. They train the model "
        "and are not simulated.",
    )
    max_failure_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="The run ends when more than this share of its simulations failed in the same "
        "way, and more than 24 and three for each initial value did; with the schedule interleaved "
        "also more than three for each worker.",
    )
    grace_s: float = Field(
        30.0,
        ge=0,
        description="How long a run that is told to end (Ctrl-C, SIGTERM) waits for what is being "
        "simulated. At the SIGTERM of a scheduler that ends the job around it, 3 s (PBS) or 4 s "
        "(Slurm) at most.",
    )

    @field_validator("schedule")
    @classmethod
    def _known_schedule(cls, value: str) -> str:
        return _one_of(value, SCHEDULES)

    @model_validator(mode="after")
    def _initial_below_max(self) -> Self:
        if self.initial_training_count >= self.max_training_count:
            raise ValueError(
                f"expected initial_training_count ({self.initial_training_count}) below "
                f"max_training_count ({self.max_training_count})"
            )
        return self


class StoppingSettings(_Section):
    """What ends a run before it has all its values."""

    time_limit_s: float | None = Field(
        None,
        gt=0,
        description="So long after its beginning, pauses left out; what is being simulated then "
        "has campaign.grace_s. Left out: no limit.",
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="So many simulations in a row that brought none of the best top_k values, once "
        "a model has chosen them. Left out: no limit.",
    )
    top_k: int = Field(10, ge=1, description="How many of the best values patience looks at.")
    min_gain: float | None = Field(
        None,
        gt=0,
        description="The model expects to exceed the best value by less than this, in the "
        "property's unit, with each molecule that it proposes. Left out: no limit.",
    )


class SiteSettings(_Section):
    """Where it runs."""

    name: str = Field(
        "local",
        description="; ".join(f"{name}: {site.summary}" for name, site in SITES.items())
        + "; package.module:function: a function that returns a parsl.Config. Within a job of the "
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
        module, _, function = value.partition(":")
        is_own = function.isidentifier() and all(map(str.isidentifier, module.split(".")))
        return value if is_own else _one_of(value, SITES)

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
        if not all(map(DIRECTIVE.fullmatch, value)):
            raise ValueError("expected lines that begin with #SBATCH or #PBS")
        return value

    @field_validator("launcher_options")
    @classmethod
    def _a_line(cls, value: str | None) -> str | None:
        if value is not None and len(value.splitlines()) > 1:
            raise ValueError("expected one line")
        return value

    @field_validator("cpu_affinity")
    @classmethod
    def _an_affinity(cls, value: str) -> str:
        is_known = value in AFFINITIES or CORE_LIST.fullmatch(value)
        return value if is_known else _one_of(value, (*AFFINITIES, "list:0,1:2,3"))


def seconds_of(walltime: str) -> int:
    """Return the seconds of hours:minutes:seconds."""
    hours, minutes, seconds = map(int, walltime.split(":"))
    return 3600 * hours + 60 * minutes + seconds


class Settings(_Section):
    """A whole configuration; :func:`molloop.load` makes one of a file or of keywords."""

    library: LibrarySettings = Field(default=LibrarySettings())
    property: PropertySettings = Field(default=PropertySettings())
    simulation: SimulationSettings = Field(default=SimulationSettings())
    search: SearchSettings = Field(default=SearchSettings())
    campaign: CampaignSettings = Field(default=CampaignSettings())
    stopping: StoppingSettings = Field(default=StoppingSettings())
    site: SiteSettings = Field(default=SiteSettings())

    @field_validator("stopping")
    @classmethod
    def _gain_of_a_model(cls, value: StoppingSettings, info: ValidationInfo) -> StoppingSettings:
        search = info.data.get("search")
        if search is not None and search.policy == "random" and value.min_gain is not None:
            raise ValueError("expected min_gain left out: the policy random goes by no model")
        return value

    def protocol(self) -> SimulationProtocol:
        """Return what workers need to know of a simulation."""
        return SimulationProtocol(simulator=self.property.simulator, **self.simulation.model_dump())

    def policy(self) -> Policy:
        """Return what chooses molecules."""
        return policy_named(self.search.policy)

    def target(self) -> Property:
        """Return the property that is searched for."""
        chosen = self.property
        is_ie = chosen.simulator == IONIZATION
        level, fidelity = LEVELS[self.simulation.level], self.simulation.fidelity
        label = level.label if fidelity == "relaxed" else f"{level.label}, {fidelity}"
        return Property(
            name=chosen.name,
            unit=chosen.unit,
            direction=chosen.direction,
            title="Vertical ionization energy" if is_ie else chosen.name,
            level_label=label if is_ie else chosen.simulator,
            threshold=chosen.threshold,
        )

    def to_toml(self) -> str:
        """Write it with a comment a setting; a setting without a value stands in a comment."""
        document = tomlkit.document()
        for section_name, section_field in type(self).model_fields.items():
            section = getattr(self, section_name)
            table = tomlkit.table()
            table.comment((section_field.annotation.__doc__ or "").strip())
            for name, field in type(section).model_fields.items():
                for line in textwrap.wrap(field.description or "", COMMENT_WIDTH):
                    table.add(tomlkit.comment(line))
                value = getattr(section, name)
                if value is None:
                    table.add(tomlkit.comment(f"{name} ="))
                else:
                    plain = {str: str, tuple: list}
                    kind = next((one for one in plain if isinstance(value, one)), None)
                    table.add(name, plain[kind](value) if kind else value)
            table.add(tomlkit.nl())
            document.add(section_name, table)
        return tomlkit.dumps(document).rstrip() + "\n"
