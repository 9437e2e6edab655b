"""The section `library`."""

from pydantic import Field, field_validator

from molloop.config.section import Section
from molloop.library.choices import FRAGMENTS, SAME_AS
from molloop.library.sources import FORMATS
from molloop.schema import one_of


class LibrarySettings(Section):
    """The search space."""

    source: str = Field(
        "qm9",
        description="A built-in library (qm9); the folder of one that `molloop library` built; or "
        f"a file of SMILES: {FORMATS}.",
    )
    column: str = Field("smiles", description="The column of a file that is no .smi.")
    fragments: str = Field(
        "refuse",
        description="Of a file: what becomes of salts. "
        + "; ".join(f"{name}: {text}" for name, text in FRAGMENTS.items())
        + ".",
    )
    same_as: str = Field(
        "smiles",
        description="Of a file: which molecules are the same, so that the first one stays. "
        + "; ".join(f"{name}: {text}" for name, text in SAME_AS.items())
        + ".",
    )

    @field_validator("fragments")
    @classmethod
    def _known_fragments(cls, value: str) -> str:
        return one_of(value, FRAGMENTS)

    @field_validator("same_as")
    @classmethod
    def _known_same_as(cls, value: str) -> str:
        return one_of(value, SAME_AS)
