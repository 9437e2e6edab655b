"""Everything that a user may set."""

import textwrap
import tomllib
from collections.abc import Callable
from typing import Any

import tomlkit
from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from molloop.config.campaign import CampaignSettings
from molloop.config.conditions import ConditionsSettings
from molloop.config.library import LibrarySettings
from molloop.config.property import PropertySettings
from molloop.config.search import SearchSettings
from molloop.config.section import Section, input_error
from molloop.config.simulation import SimulationSettings, unread_by
from molloop.config.site import SiteSettings
from molloop.config.stopping import StoppingSettings
from molloop.errors import InputError
from molloop.goal import Objective, Quantity
from molloop.search.policy import Policy, policy_named
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.simulators import IONIZATION, SIMULATORS

COMMENT_WIDTH = 90
COUNT = "max_training_count"


class Settings(Section):
    """A whole configuration; :func:`molloop.load` makes one of a file or of keywords."""

    library: LibrarySettings = Field(default_factory=LibrarySettings)
    conditions: ConditionsSettings = Field(default_factory=ConditionsSettings)
    property: PropertySettings = Field(default_factory=PropertySettings)
    simulation: SimulationSettings = Field(default_factory=SimulationSettings)
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

    @field_validator("stopping")
    @classmethod
    def _gain_of_a_model(cls, value: StoppingSettings, info: ValidationInfo) -> StoppingSettings:
        search = info.data.get("search")
        if search is not None and search.policy == "random" and value.min_gain is not None:
            raise ValueError("expected min_gain left out: the policy random goes by no model")
        return value

    def protocol(self) -> SimulationProtocol:
        """Return what workers need to know of a simulation."""
        chosen, simulation = self.property, self.simulation
        return SimulationProtocol(
            chosen.simulator,
            simulation.options_of(chosen.simulator),
            self.objective().quantity,
            simulation.timeout_s,
            simulation.memory_limit_gib,
            simulation.cores,
        )

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
        document = tomlkit.document()
        for section_name, section_field in type(self).model_fields.items():
            section = getattr(self, section_name)
            table = tomlkit.table()
            table.comment((section_field.annotation.__doc__ or "").strip())
            for name, field in type(section).model_fields.items():
                for line in textwrap.wrap(field.description or "", COMMENT_WIDTH):
                    table.add(tomlkit.comment(line))
                value = getattr(section, name)
                if value is None or (section is self.simulation and name in unread):
                    table.add(tomlkit.comment(f"{name} ="))
                else:
                    plain: dict[type, Callable[[Any], Any]] = {str: str, tuple: list, dict: _inline}
                    kind = next((one for one in plain if isinstance(value, one)), None)
                    table.add(name, plain[kind](value) if kind else value)
            table.add(tomlkit.nl())
            document.add(section_name, table)
        return tomlkit.dumps(document).rstrip() + "\n"


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
        names = [
            f"{section}.{name}"
            for section, field in Settings.model_fields.items()
            for name in field.annotation.model_fields  # type: ignore[union-attr]
        ]
        raise input_error(error, [*Settings.model_fields, *names], "`molloop config`") from error


def _inline(values: dict[str, Any]) -> tomlkit.items.InlineTable:
    table = tomlkit.inline_table()
    for name, value in values.items():
        is_range = isinstance(value, Section)
        table.append(name, _inline(value.model_dump(exclude_none=True)) if is_range else value)
    return table
