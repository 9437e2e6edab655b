"""The section `search`."""

from pydantic import Field, field_validator

from molloop.config.section import Section
from molloop.search.policy import POLICIES, SELECTABLE, policy_named


class SearchSettings(Section):
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
