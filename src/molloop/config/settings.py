"""Everything that a user may set."""

import textwrap
import tomllib
from typing import Any

import tomlkit
from pydantic import Field, ValidationError, ValidationInfo, field_validator

from molloop.config.campaign import CampaignSettings
from molloop.config.library import LibrarySettings
from molloop.config.property import PropertySettings
from molloop.config.search import SearchSettings
from molloop.config.section import Section, input_error
from molloop.config.simulation import SimulationSettings
from molloop.config.site import SiteSettings
from molloop.config.stopping import StoppingSettings
from molloop.errors import InputError
from molloop.goal import Objective, Quantity
from molloop.search.policy import Policy, policy_named
from molloop.simulate.protocol import IONIZATION, SimulationProtocol

COMMENT_WIDTH = 90


class Settings(Section):
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
        return SimulationProtocol(
            simulator=self.property.simulator,
            quantity=self.objective().quantity.name,
            **self.simulation.model_dump(),
        )

    def policy(self) -> Policy:
        """Return what chooses molecules; this imports its model.

        Raises
        ------
        InputError
            It has none, or none that can be imported.
        """
        return policy_named(self.search.policy)

    def objective(self) -> Objective:
        """Return what is searched for: large or small values of a quantity."""
        chosen = self.property
        is_ie = chosen.simulator == IONIZATION
        title = "Vertical ionization energy" if is_ie else chosen.name
        return Objective(
            Quantity(chosen.name, chosen.unit, title), chosen.direction, chosen.threshold
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
        return cls.read_toml(text, "configuration", "Mend it.")

    @classmethod
    def read_toml(
        cls, text: str, what: str, remedy: str, context: Any = None
    ) -> "Settings":
        """Return the same of a text that errors call `what`; `remedy` mends what is no TOML."""
        try:
            return cls.model_validate(tomllib.loads(text), context=context)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise InputError(what, str(error), "TOML, as molloop writes it", remedy) from error
        except ValidationError as error:
            raise settings_error(error) from error

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


def settings_error(error: ValidationError) -> InputError:
    """Turn the first thing that pydantic minds of a configuration into our words."""
    names = [
        f"{section}.{name}"
        for section, field in Settings.model_fields.items()
        for name in field.annotation.model_fields  # type: ignore[union-attr]
    ]
    return input_error(error, [*Settings.model_fields, *names], "`molloop config`")
