"""The section `search`."""

from pydantic import Field, ValidationInfo, field_validator

from molloop.config.section import STORED, Section
from molloop.library import registry as features
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

    features: str | None = Field(
        None,
        description="What the model learns from; left out: what the model says, descriptors but "
        "for published. "
        + "; ".join(f"{name}: {kind.summary}" for name, kind in features.FEATURES.own.items())
        + ". Or features of another package by their name, or package.module:function, features of "
        "your own.",
    )

    @field_validator("policy")
    @classmethod
    def _known_policy(cls, value: str, info: ValidationInfo) -> str:
        # who only reads a run need not have the package whose model it used
        if not (info.context == STORED or is_name(value)):
            raise ValueError(f"expected {names()}")
        return value

    @field_validator("features")
    @classmethod
    def _known_features(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not (value is None or info.context == STORED or features.is_name(value)):
            raise ValueError(f"expected {features.names()}")
        return value
