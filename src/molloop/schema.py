"""What settings and options have in common: how strictly they are taken."""

from collections.abc import Iterable
from functools import partial

from pydantic import AfterValidator, BaseModel, ConfigDict


class Schema(BaseModel):
    """Named values that a user sets: nothing unknown, nothing converted."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        validate_default=True,
        allow_inf_nan=False,
        defer_build=True,  # the command's help needs names and defaults alone
    )


def one_of(value: str, names: Iterable[str]) -> str:
    """Return a value that is one of some names; ValueError otherwise."""
    if value not in names:
        raise ValueError(f"expected one of {', '.join(names)}")
    return value


def among(names: Iterable[str]) -> AfterValidator:
    """Return what says, as in ``Annotated[str, among(LEVELS)]``, that a field is one of names."""
    return AfterValidator(partial(one_of, names=names))
