"""How a configuration says that files are read."""

from molloop.config.settings import Settings
from molloop.library.reading.options import Reading, Spelling

# where neither options nor settings say it
BY_A_BUILD = Spelling(
    "molloop library build FILE --column {} --out FOLDER",
    "molloop library build FILE --no-header --out FOLDER",
)


def library_reading(settings: Settings, spelling: Spelling | None = None) -> Reading:
    """Return how the file of the library is read, by default with messages that name settings."""
    of = settings.library
    spelling = spelling or Spelling.settings("library.")
    return Reading.of(
        of.column, of.name_column, of.keep_columns, of.separator, of.no_header, spelling
    )


def training_reading(settings: Settings) -> Reading:
    """Return how the file of values known beforehand is read."""
    of = settings.campaign
    return Reading.of(
        of.training_smiles_column,
        separator=of.training_separator,
        no_header=of.training_no_header,
        spelling=Spelling.settings("campaign.training_", "smiles_column"),
    )
