"""The section `conditions`."""

from typing import Annotated, Any, Self

from pydantic import Field, Strict, field_validator, model_validator

from molloop.config.section import Section

Texts = Annotated[tuple[str, ...], Strict(False)]
Charges = Annotated[tuple[int, ...], Strict(False)]


class RangeSettings(Section):
    """A range of a descriptor: min, max or both, which are allowed themselves."""

    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("expected min, max or both, such as {max = 3.0}")
        return self


class ConditionsSettings(Section):
    """What a molecule must be to be simulated. Bounds are allowed themselves."""

    min_heavy_atoms: int = Field(0, ge=0, description="Least number of atoms other than hydrogen.")
    max_heavy_atoms: int | None = Field(
        None, ge=0, description="Largest number of them. Left out: any."
    )
    elements: Texts | None = Field(
        None,
        description='Those allowed, by symbol, such as ["C", "N", "O", "F"]; hydrogen always is. '
        "Left out: any.",
    )
    charge: Charges | None = Field(
        None,
        description="Formal charges that are allowed: 0, or [0, 1]. Left out: any; but values of "
        "molecules of different charge do not compare.",
    )
    min_molar_mass: float | None = Field(
        None, ge=0, description="Least molar mass, g/mol. Left out: any."
    )
    max_molar_mass: float | None = Field(
        None, ge=0, description="Largest molar mass, g/mol. Left out: any."
    )
    min_rings: int | None = Field(None, ge=0, description="Least number of rings. Left out: any.")
    max_rings: int | None = Field(None, ge=0, description="Largest number of rings. Left out: any.")
    required_smarts: Texts = Field((), description="Patterns that must all match.")
    excluded_smarts: Texts = Field((), description="Patterns of which none may match.")
    descriptors: dict[str, RangeSettings] = Field(
        {},
        description="Ranges of descriptors that a library keeps, by their RDKit names: a table of "
        "a file, [conditions.descriptors] with lines such as CrippenClogP = {max = 3.0}, or --set "
        "'conditions.descriptors.CrippenClogP={max = 3.0}'.",
    )
    min_synthetic_accessibility: float | None = Field(
        None,
        ge=1,
        le=10,
        description="Least score of Ertl and Schuffenhauer, from 1 (easily made) to 10. Left out: "
        "any.",
    )
    max_synthetic_accessibility: float | None = Field(
        None, ge=1, le=10, description="Largest score. Left out: any."
    )
    excluded_catalogues: Texts = Field(
        (),
        description="RDKit's catalogues of unwanted groups, of which no entry may match, such as "
        '["PAINS", "BRENK"].',
    )

    @field_validator(
        "elements",
        "charge",
        "required_smarts",
        "excluded_smarts",
        "excluded_catalogues",
        mode="before",
    )
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if type(value) in (int, str) else value

    @field_validator("charge", mode="before")
    @classmethod
    def _whole_numbers(cls, value: Any) -> Any:
        several = value if isinstance(value, list | tuple) else (value,)
        if value is not None and any(type(one) is not int for one in several):
            raise ValueError("expected whole numbers: write 0, or [0, 1]")
        return value

    @field_validator("elements", "charge")
    @classmethod
    def _each_once_in_order(cls, value: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        # what means the same is found in what was kept
        return None if value is None else tuple(sorted(set(value)))

    @field_validator("descriptors")
    @classmethod
    def _in_order(cls, value: dict[str, RangeSettings]) -> dict[str, RangeSettings]:
        return {name: value[name] for name in sorted(value)}

    def __hash__(self) -> int:
        # configurations are compared by sets; descriptors are a dict, which has none
        return hash(repr(self))
