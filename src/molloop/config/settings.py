"""Everything that a user may set."""

from typing import Annotated, Any, Self

from pydantic import (
    Field,
    Strict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from molloop.config.campaign import CampaignSettings
from molloop.config.conditions import ConditionsSettings
from molloop.config.goal import (
    BESIDE_OBJECTIVES,
    CONSTRAINTS,
    OBJECTIVES,
    ConstraintSettings,
    ObjectiveSettings,
    goal_of,
    objective_of,
    property_of,
)
from molloop.config.goal_limits import check_goal
from molloop.config.library import LibrarySettings
from molloop.config.plain import toml_values
from molloop.config.property import PropertySettings
from molloop.config.search import SearchSettings
from molloop.config.section import Section, TableSettings, input_error
from molloop.config.simulation import SimulationSettings, unread_by
from molloop.config.site import SiteSettings
from molloop.config.stages import StageSettings, check_stages, merged, protocol_of
from molloop.config.stopping import StoppingSettings
from molloop.config.written import list_to_toml, sections_to_toml
from molloop.errors import InputError
from molloop.goal import Goal, Objective, Quantity
from molloop.search.policy import Policy
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.simulators import IONIZATION
from molloop.surrogate.registry import RANDOM

COUNT = "max_training_count"
STAGES = "stages"
# what a stage may take of the one below where nothing says it, and so many at least
SHARE_OF_BELOW, LEAST_OF_STAGE = 16, 8


class Settings(Section):
    """A whole configuration; :func:`molloop.load` makes one of a file or of keywords."""

    library: LibrarySettings = Field(default_factory=LibrarySettings)
    conditions: ConditionsSettings = Field(default_factory=ConditionsSettings)
    property: PropertySettings = Field(default_factory=PropertySettings)
    objectives: Annotated[tuple[ObjectiveSettings, ...], Strict(False)] = Field(
        (),
        description="What is searched for where that is more than one quantity: a table "
        "[[objectives]] each, two or three. The best molecules are then those that no other beats "
        "in all of them (the Pareto front). Of [property] only simulator and flagged count beside "
        "them. Left out: the one quantity of [property].",
    )
    constraints: Annotated[tuple[ConstraintSettings, ...], Strict(False)] = Field(
        (),
        description="Bounds that a good molecule keeps: a table [[constraints]] each. Molecules "
        "are chosen by the probability that they keep them; the value of one that does not is "
        "kept, and is never among the best. Left out: none.",
    )
    simulation: SimulationSettings = Field(default_factory=SimulationSettings)
    stages: Annotated[tuple[StageSettings, ...], Strict(False)] = Field(
        (),
        description="A ladder of levels, the cheapest one first: two or three tables [[stages]]. "
        "Molecules of the library are chosen for the first stage; of those with a value there, "
        "some are computed again in the stage above. What is searched for is the value of the last "
        "one. "
        "Each table takes the settings of [simulation], which stand for all stages where a stage "
        "does not say otherwise, and name, max_count or share. Left out: one stage, of "
        "simulation.level.",
    )
    search: SearchSettings = Field(default_factory=SearchSettings)
    campaign: CampaignSettings = Field(default_factory=CampaignSettings)
    stopping: StoppingSettings = Field(default_factory=StoppingSettings)
    site: SiteSettings = Field(default_factory=SiteSettings)

    @model_validator(mode="before")
    @classmethod
    def _first_objective_is_the_property(cls, values: Any) -> Any:
        """Have the section `property` say what the first objective says."""
        if not isinstance(values, dict) or not (some := values.get(OBJECTIVES)):
            return values
        first = some[0] if isinstance(some, list | tuple) else None
        return values | {"property": property_of(first, values.get("property", {}))}

    @model_validator(mode="before")
    @classmethod
    def _time_takes_the_place_of_a_count(cls, values: Any) -> Any:
        """Take the count's default away where a time limit is given and no count."""
        if not isinstance(values, dict):
            return values
        campaign, stopping = values.get("campaign", {}), values.get("stopping")
        if not (isinstance(campaign, dict) and isinstance(stopping, dict)):
            return values
        if stopping.get("time_limit_s") is None or COUNT in campaign:
            return values
        return values | {"campaign": campaign | {COUNT: None}}

    @field_validator("stopping")
    @classmethod
    def _ends_by_count_or_time(
        cls, value: StoppingSettings, info: ValidationInfo
    ) -> StoppingSettings:
        campaign = info.data.get("campaign")
        if campaign is None or campaign.max_training_count is not None:
            return value
        if value.time_limit_s is None:
            raise ValueError("expected time_limit_s, as campaign.max_training_count is left out")
        return value

    @field_validator("simulation")
    @classmethod
    def _options_of_this_simulator(
        cls, value: SimulationSettings, info: ValidationInfo
    ) -> SimulationSettings:
        chosen = info.data.get("property")
        if chosen is None:
            return value  # it is wrong itself
        value.require_options_of(chosen.simulator)
        if chosen.simulator == IONIZATION:
            value.require_options_for(Quantity(chosen.name).name)
        return value

    @field_validator("stages")
    @classmethod
    def _make_a_ladder(
        cls, value: tuple[StageSettings, ...], info: ValidationInfo
    ) -> tuple[StageSettings, ...]:
        shared, chosen = info.data.get("simulation"), info.data.get("property")
        if not value or shared is None or chosen is None:
            return value
        check_stages(value, shared, chosen.simulator, Quantity(chosen.name, chosen.unit))
        return value

    @model_validator(mode="after")
    def _know_their_goal(self) -> Self:
        if not (self.objectives or self.constraints):
            return self
        if self.objectives:
            # what the first objective has said is not set
            self.property.model_fields_set.intersection_update(BESIDE_OBJECTIVES)
        check_goal(self)
        return self

    @model_validator(mode="after")
    def _stages_know_their_budget(self) -> Self:
        if self.search.policy != RANDOM:
            return self
        counts = zip(self.stages, self.max_counts(), strict=False)
        for place, (stage, count) in list(enumerate(counts, start=1))[1:]:
            if count is None and stage.share is None:
                raise InputError(
                    f"stages.{place}.max_count",
                    None,
                    "max_count or share, as the policy random predicts no gain",
                    "Set one of the two.",
                )
        return self

    @field_validator("stopping")
    @classmethod
    def _gain_of_a_model(cls, value: StoppingSettings, info: ValidationInfo) -> StoppingSettings:
        search = info.data.get("search")
        if search is not None and search.policy == "random" and value.min_gain is not None:
            raise ValueError("expected min_gain left out: the policy random goes by no model")
        return value

    def protocol(self) -> SimulationProtocol:
        """Return what workers need to know of a simulation: of the last stage."""
        return self.protocols()[-1]

    def protocols(self) -> tuple[SimulationProtocol, ...]:
        """Return the same of each stage, the first one first."""
        names = [stage.name for stage in self.stages] or [""]
        return tuple(
            protocol_of(simulation, self.property.simulator, self.goal(), name)
            for simulation, name in zip(self.simulations(), names, strict=True)
        )

    def simulations(self) -> tuple[SimulationSettings, ...]:
        """Return the settings of the simulations of each stage, the first one first."""
        if not self.stages:
            return (self.simulation,)
        return tuple(merged(self.simulation, stage) for stage in self.stages)

    def worker_cores(self) -> int:
        """Cores of a worker: those of the stage that takes most."""
        return max(one.cores for one in self.protocols())

    def max_counts(self) -> tuple[int | None, ...]:
        """Return how many values each stage may compute; None where it is not counted."""
        counts = [self.campaign.max_training_count]
        for stage in self.stages[1:]:
            below, count = counts[-1], stage.max_count
            is_counted = stage.share is None and below is not None
            if count is None and below is not None and is_counted:
                count = min(below, max(LEAST_OF_STAGE, below // SHARE_OF_BELOW))
            counts.append(count)
        return tuple(counts)

    def policy(self) -> Policy:
        """Return what chooses molecules; this imports its model and features.

        Raises
        ------
        InputError
            It has none, or none that can be imported; or it does not suit the goal.
        """
        policy = self.search.chosen()
        if self.goal().has_front and policy.acquisition == "ei":
            raise InputError(
                "search.policy",
                self.search.policy,
                "the acquisition ucb or greedy beside several objectives",
                "Write it behind the model's name, such as gp-ucb.",
            )
        return policy

    def goal(self) -> Goal:
        """Return what is searched for: one objective or several, within constraints."""
        simulator = self.property.simulator
        return goal_of(self.objective(), self.objectives, self.constraints, simulator)

    def objective(self) -> Objective:
        """Return the first objective: large or small values of a quantity."""
        return objective_of(self.property)

    @classmethod
    def from_toml(cls, text: str) -> "Settings":
        """Return the configuration that a text is, as :meth:`to_toml` writes it.

        Paths stay as they are; :func:`molloop.load` reads a file, and takes its paths from there.

        Raises
        ------
        InputError
            It is no TOML, or something is unknown, of the wrong type or out of bounds.
        """
        return validated(toml_values(text, "configuration", "Correct that line."))

    def to_toml(self) -> str:
        """Write it with a comment a setting.

        A setting without a value, or of another simulator than this one, stands in a comment.
        """
        unread = {f"simulation.{name}" for name in unread_by(self.property.simulator)}
        if self.stages:
            unread.add("simulation.level")  # each stage has its own
        if self.objectives:
            names = type(self.property).model_fields
            unread |= {f"property.{name}" for name in names if name not in BESIDE_OBJECTIVES}
        if len(self.objectives) > 1:
            unread.add("stopping.top_k")
        text = sections_to_toml({name: getattr(self, name) for name in SECTIONS}, unread)
        for name, schema in LISTS.items():
            about = type(self).model_fields[name].description or ""
            text += list_to_toml(name, about, schema, getattr(self, name))
        return text


# the sections, by their names: all but the lists
SECTIONS: dict[str, type[Section]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}
# the lists of sections
LISTS: dict[str, type[TableSettings]] = {
    OBJECTIVES: ObjectiveSettings,
    CONSTRAINTS: ConstraintSettings,
    STAGES: StageSettings,
}


def validated(values: dict[str, Any], context: Any = None) -> Settings:
    """Return the configuration that some values are, section by section.

    Raises
    ------
    InputError
        Something is unknown, of the wrong type or out of bounds.
    """
    try:
        return Settings.model_validate(values, context=context)
    except ValidationError as error:
        schemas = {**SECTIONS, **LISTS}
        names = [
            f"{section}.{name}"
            for section, schema in schemas.items()
            for name in schema.model_fields
        ]
        raise input_error(error, [*Settings.model_fields, *names], "`molloop config`") from error
