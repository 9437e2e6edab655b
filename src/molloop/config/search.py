"""The section `search`."""

from pydantic import Field, ValidationInfo, field_validator

from molloop.config.section import STORED, Section
from molloop.search.policy import SELECTABLE, is_name, names
from molloop.surrogate.registry import MODELS


class SearchSettings(Section):
    """What is chosen."""

    policy: str = Field(
        "gp",
        description="; ".join(f"{name}: {model.summary}" for name, model in MODELS.own.items())
        + f". With another acquisition: {', '.join(f'gp-{one}' for one in SELECTABLE)}. Or a model "
        "of another package by its name, or package.module:Class, a model of your own.",
    )

    @field_validator("policy")
    @classmethod
    def _known_policy(cls, value: str, info: ValidationInfo) -> str:
        # who only reads a run need not have the package whose model it used
        if not (info.context == STORED or is_name(value)):
            raise ValueError(f"expected {names()}")
        return value
