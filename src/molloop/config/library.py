"""The section `library`."""

from typing import Annotated

from pydantic import Field, Strict, field_validator

from molloop.config.section import Section, number_as_name
from molloop.library.choices import FORMATS, FRAGMENTS, SAME_AS
from molloop.schema import among


class LibrarySettings(Section):
    """The search space."""

    source: str = Field(
        "qm9",
        description="A built-in library (qm9); the folder of one that `molloop library` built; or "
        f"a file of molecules: {FORMATS}.",
    )
    column: str | None = Field(
        None,
        description="The column of SMILES or InChI in a file, by name or number from 1. Left out: "
        "found by its name.",
    )
    name_column: str | None = Field(
        None,
        description="The column of the molecules' names; of an SDF a data item. Left out: found by "
        "its name, else what stands behind the SMILES; the titles of an SDF.",
    )
    keep_columns: Annotated[tuple[str, ...], Strict(False)] = Field(
        (), description='Further columns that are kept, by name or number: ["mw", "vendor"].'
    )
    separator: str | None = Field(
        None,
        description="What stands between two cells: comma, semicolon, tab, blank, or the sign "
        "itself. Left out: found by a look at the file.",
    )
    no_header: bool = Field(
        False, description="Whether the first line is a molecule in any case, and holds no names."
    )
    fragments: Annotated[str, among(FRAGMENTS)] = Field(
        "refuse",
        description="Of a file: what becomes of salts. "
        + "; ".join(f"{name}: {text}" for name, text in FRAGMENTS.items())
        + ".",
    )
    same_as: Annotated[str, among(SAME_AS)] = Field(
        "smiles",
        description="Of a file: which molecules are the same, so that the first one stays. "
        + "; ".join(f"{name}: {text}" for name, text in SAME_AS.items())
        + ".",
    )

    @field_validator("column", "name_column", mode="before")
    @classmethod
    def _number_as_name(cls, value: object) -> object:
        return number_as_name(value)

    @field_validator("keep_columns", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(value.split(",")) if isinstance(value, str) else value
