"""The section `search`."""

from dataclasses import replace

from pydantic import Field, ValidationInfo, field_validator

from molloop.config.section import STORED, Section
from molloop.library import registry as features
from molloop.search.policy import SELECTABLE, Policy, is_name, names, policy_named
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

    diversity: float | None = Field(
        None,
        gt=0,
        le=1,
        description="How unlike each other the molecules of a batch are: the Tanimoto distance of "
        "any two of them, and of each from what is being simulated then, is so large at least. It "
        "is that of the library's fingerprints: 0 where they are the same, 1 where they share no "
        "bit. A batch is smaller where no other molecule is left. Random molecules, and those of "
        "the stages above the first, do not go by it. Left out: batches may have molecules that "
        "are alike.",
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

    def chosen(self) -> Policy:
        """Return what chooses molecules; this imports its model and features.

        Raises
        ------
        InputError
            It has none, or none that can be imported.
        """
        policy = policy_named(self.policy, self.features)
        return replace(policy, diversity=self.diversity or 0.0)
