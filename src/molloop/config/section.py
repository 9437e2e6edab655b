"""What all sections of a configuration share."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section: nothing unknown, nothing converted."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_default=True, allow_inf_nan=False
    )


def one_of(value: str, names: Iterable[str]) -> str:
    """Return a value that is one of some names; ValueError otherwise."""
    if value not in names:
        raise ValueError(f"expected one of {', '.join(names)}")
    return value
