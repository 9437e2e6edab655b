"""What settings and options have in common: how strictly they are taken."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """Named values that a user sets: nothing unknown, nothing converted."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_default=True, allow_inf_nan=False
    )


def one_of(value: str, names: Iterable[str]) -> str:
    """Return a value that is one of some names; ValueError otherwise."""
    if value not in names:
        raise ValueError(f"expected one of {', '.join(names)}")
    return value
