"""Everything that a user may set."""

import textwrap
import tomllib
from typing import Annotated, Any, Self

import tomlkit
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
from molloop.config.library import LibrarySettings
from molloop.config.plain import plain
from molloop.config.property import PropertySettings
from molloop.config.search import SearchSettings
from molloop.config.section import Section, input_error
from molloop.config.simulation import SimulationSettings, unread_by
from molloop.config.site import SiteSettings
from molloop.config.stages import StageSettings, check_stages, merged, protocol_of
from molloop.config.stopping import StoppingSettings
from molloop.errors import InputError
from molloop.goal import Objective, Quantity
from molloop.search.policy import Policy, policy_named
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.simulators import IONIZATION, SIMULATORS
from molloop.surrogate.registry import RANDOM

COMMENT_WIDTH = 90
COUNT = "max_training_count"
STAGES = "stages"
# what a stage may take of the one below where nothing says it, and so many at least
SHARE_OF_BELOW, LEAST_OF_STAGE = 16, 8


class Settings(Section):
    """A whole configuration; :func:`molloop.load` makes one of a file or of keywords."""

    library: LibrarySettings = Field(default_factory=LibrarySettings)
    conditions: ConditionsSettings = Field(default_factory=ConditionsSettings)
    property: PropertySettings = Field(default_factory=PropertySettings)
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
            protocol_of(simulation, self.property.simulator, self.objective(), name)
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
            It has none, or none that can be imported.
        """
        return policy_named(self.search.policy, self.search.features)

    def objective(self) -> Objective:
        """Return what is searched for: large or small values of a quantity."""
        chosen = self.property
        own = SIMULATORS.get(chosen.simulator)
        title = chosen.title or (own and own.title_of(chosen.name, chosen.unit)) or chosen.name
        quantity = Quantity(chosen.name, chosen.unit, title)
        return Objective(
            quantity,
            chosen.direction,
            chosen.threshold,
            chosen.flagged,
            quantity.name if chosen.simulator == IONIZATION else "",
        )

    @classmethod
    def from_toml(cls, text: str) -> "Settings":
        """Return the configuration that a text is, as :meth:`to_toml` writes it.

        Paths stay as they are; :func:`molloop.load` reads a file, and takes its paths from there.

        Raises
        ------
        InputError
            It is no TOML, or something is unknown, of the wrong type or out of bounds.
        """
        return validated(toml_values(text, "configuration", "Mend it."))

    def to_toml(self) -> str:
        """Write it with a comment a setting.

        A setting without a value, or of another simulator than this one, stands in a comment.
        """
        unread = unread_by(self.property.simulator)
        if self.stages:
            unread = (*unread, "level")  # each stage has its own
        document = tomlkit.document()
        for section_name, schema in SECTIONS.items():
            section = getattr(self, section_name)
            table = tomlkit.table()
            table.comment((schema.__doc__ or "").strip())
            for name, field in schema.model_fields.items():
                for line in textwrap.wrap(field.description or "", COMMENT_WIDTH):
                    table.add(tomlkit.comment(line))
                value = getattr(section, name)
                if value is None or (section is self.simulation and name in unread):
                    table.add(tomlkit.comment(f"{name} ="))
                else:
                    table.add(name, plain(value))
            table.add(tomlkit.nl())
            document.add(section_name, table)
        return tomlkit.dumps(document).rstrip() + "\n" + self._stages_to_toml()

    def _stages_to_toml(self) -> str:
        """Write what is set of the stages; where there are none, how they are written."""
        lines = textwrap.wrap(type(self).model_fields[STAGES].description or "", COMMENT_WIDTH)
        for name in StageSettings.OWN:
            words = f"{name}: {StageSettings.model_fields[name].description}"
            lines += textwrap.wrap(words, COMMENT_WIDTH)
        text = "\n" + "".join(f"# {line}\n" for line in lines)
        if not self.stages:
            return f"{text}# [[stages]]\n"
        tables = tomlkit.aot()
        for stage in self.stages:
            table = tomlkit.table()
            for name in type(stage).model_fields:
                value = getattr(stage, name)
                if name in stage.model_fields_set and value is not None:
                    table.add(name, plain(value))
            tables.append(table)
        document = tomlkit.document()
        document.add(STAGES, tables)
        return text + tomlkit.dumps(document).rstrip() + "\n"


# the sections, by their names: all but the list of stages
SECTIONS: dict[str, type[Section]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}


def toml_values(text: str, what: str, remedy: str) -> dict[str, Any]:
    """Return what a text of TOML holds.

    Parameters
    ----------
    what, remedy
        What an error calls the text, and what to do about one that is no TOML.

    Raises
    ------
    InputError
        It is no TOML.
    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(what, str(error), "TOML, as molloop writes it", remedy) from error


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
        schemas: dict[str, type[Section]] = {**SECTIONS, STAGES: StageSettings}
        names = [
            f"{section}.{name}"
            for section, schema in schemas.items()
            for name in schema.model_fields
        ]
        raise input_error(error, [*Settings.model_fields, *names], "`molloop config`") from error
