"""The section `library`."""

from pydantic import Field

from molloop.config.section import Section
from molloop.library.sources import FORMATS


class LibrarySettings(Section):
    """The search space."""

    source: str = Field(
        "qm9",
        description="A built-in library (qm9); the folder of one that `molloop library` built; or "
        f"a file of SMILES: {FORMATS}.",
    )
    column: str = Field("smiles", description="The column of a file that is no .smi.")
