"""The list of sections `stages`: a ladder of levels."""

from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from molloop.config.section import TableSettings, input_error, one_line
from molloop.config.simulation import SimulationSettings
from molloop.errors import InputError
from molloop.goal import Goal, Objective, Quantity, slug
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.simulators import IONIZATION

MOST_STAGES = 3
LONGEST_NAME = 60


class StageSettings(SimulationSettings, TableSettings):
    """A stage: settings of [simulation] that it does not share with the others, and its budget."""

    OWN: ClassVar[tuple[str, ...]] = ("name", "max_count", "share")

    name: str = Field(
        "",
        max_length=LONGEST_NAME,
        description="What the stage is called. Left out: by its level and fidelity.",
    )
    max_count: int | None = Field(
        None,
        ge=1,
        description="Values to compute in this stage; not of the first one, which has "
        "campaign.max_training_count. Left out, without share: a sixteenth of the stage below, "
        "eight at least; beside a time limit alone as many as are worth it, but with several "
        "objectives or with constraints what share allows.",
    )
    share: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Instead of max_count: the part of all processor time that goes to this stage; "
        "what is left goes to the first one.",
    )

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if value and not slug(value):
            raise ValueError("expected a name with letters a-z or digits")
        return one_line(value)

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if self.max_count is not None and self.share is not None:
            raise ValueError("expected max_count or share, not both")
        return self


def merged(shared: SimulationSettings, stage: StageSettings) -> SimulationSettings:
    """Return the settings of a stage: its own, and those of [simulation] where it says nothing."""
    own = stage.model_dump(exclude_unset=True, exclude=set(StageSettings.OWN))
    return SimulationSettings.model_validate(shared.model_dump(exclude_unset=True) | own)


def protocol_of(
    simulation: SimulationSettings, simulator: str, goal: Goal, name: str = ""
) -> SimulationProtocol:
    """Return what workers need to know of a simulation."""
    options, (first, *beside) = simulation.options_of(simulator), goal.quantities
    if simulator == IONIZATION and (asked := goal.recipes[1:]):
        options = options | {"quantities": tuple(dict.fromkeys((*asked, *options["quantities"])))}
    return SimulationProtocol(
        simulator,
        options,
        first,
        simulation.timeout_s,
        simulation.memory_limit_gib,
        simulation.cores,
        name,
        tuple(beside),
    )


def check_stages(
    stages: Sequence[StageSettings],
    shared: SimulationSettings,
    simulator: str,
    quantity: Quantity,
) -> None:
    """Raise InputError where stages make no ladder, or one of them cannot be computed so."""
    n = len(stages)
    if not 2 <= n <= MOST_STAGES:
        raise InputError(
            "stages",
            n,
            "two or three tables [[stages]]",
            "For one stage leave them out, and set simulation.level.",
        )
    if "level" in shared.model_fields_set:
        raise InputError(
            "simulation.level",
            shared.level,
            "it left out beside [[stages]]",
            "Each stage has a level of its own: set it there.",
        )
    for name in ("max_count", "share"):
        if (value := getattr(stages[0], name)) is not None:
            raise InputError(
                f"stages.1.{name}",
                value,
                "it left out in the first stage",
                "The budget of the first stage is campaign.max_training_count.",
            )
    shares = [one.share for one in stages if one.share is not None]
    if sum(shares) >= 1:
        expected = "less than 1 in all, as the first stage takes what is left"
        raise InputError("stages, share", sum(shares), expected, "Lower them.")
    made = [
        _checked(place, one, shared, simulator, quantity) for place, one in enumerate(stages, 1)
    ]
    ways = [(one.outcome_level, one.outcome_fidelity) for one in made]
    for place, way in enumerate(ways):
        if way in ways[:place]:
            raise InputError(
                f"stages.{place + 1}.level",
                way[0],
                "a level or fidelity that no stage before it has",
                "Two stages that compute the same tell nothing new: leave one out.",
            )
    names = [one.stage for one in made]
    for place, name in enumerate(names):
        if slug(name) in map(slug, names[:place]):
            raise InputError(
                f"stages.{place + 1}.name",
                name,
                "another name than that of a stage before it",
                "Names are compared by their letters a-z and digits.",
            )


def _checked(
    place: int,
    stage: StageSettings,
    shared: SimulationSettings,
    simulator: str,
    quantity: Quantity,
) -> SimulationProtocol:
    where = f"stages.{place}."
    try:
        stage.require_options_of(simulator)
        whole = merged(shared, stage)
        if simulator == IONIZATION:
            whole.require_options_for(quantity.name)
    except ValidationError as error:
        names = list(StageSettings.model_fields)
        raise input_error(error, names, "`molloop config`", where) from error
    except InputError as error:
        setting = error.what.removeprefix("simulation.")
        raise InputError(f"{where}{setting}", error.value, error.expected, error.remedy) from error
    return protocol_of(whole, simulator, Goal((Objective(quantity),)), stage.name)
