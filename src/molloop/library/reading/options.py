"""What a user says of a file, where the file does not say it itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from molloop.errors import InputError

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "blank": " "}
_WRITTEN = {**SEPARATORS, r"\t": "\t"}


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a user says it, for messages: by options of a command, or by settings.

    Attributes
    ----------
    column
        With ``{}`` for the name or number.
    """

    column: str = "--column {}"
    no_header: str = "--no-header"

    @classmethod
    def settings(cls, prefix: str, column: str = "column") -> "Spelling":
        """Return that of settings whose names begin so."""
        return cls(f"--set {prefix}{column}={{}}", f"--set {prefix}no_header=true")


OPTIONS = Spelling()
BESIDE_VALUES = Spelling("--smiles-column {}")  # where `--column` is that of the values


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are to be read; what is left out is found by a look at them.

    Attributes
    ----------
    column
        Name or number, from 1, of the column of SMILES or InChI.
    name_column
        The same of the column that names the molecules; of an SDF, the name of a data item.
    keep_columns
        The same of further columns that are kept.
    separator
        What stands between two cells; a blank stands for blanks and tabs, as many as there are.
    no_header
        Whether the first line is a molecule in any case, and no line of names.
    spelling
        How all this is said, for what asks for it.
    """

    column: str | None = None
    name_column: str | None = None
    keep_columns: tuple[str, ...] = ()
    separator: str | None = None
    no_header: bool = False
    spelling: Spelling = field(default=OPTIONS, compare=False)

    @classmethod
    def of(
        cls,
        column: str | int | None = None,
        name_column: str | int | None = None,
        keep_columns: str | Sequence[str | int] = (),
        separator: str | None = None,
        no_header: bool = False,
        spelling: Spelling = OPTIONS,
    ) -> "Reading":
        """Take the options as users write them.

        Parameters
        ----------
        keep_columns
            Several, or a text with commas between them.
        separator
            The sign itself, or ``comma``, ``semicolon``, ``tab`` or ``blank``.

        Raises
        ------
        InputError
            The separator is none.
        """
        kept = keep_columns.split(",") if isinstance(keep_columns, str) else keep_columns
        texts = tuple(text for one in kept if (text := str(one).strip()))
        return cls(
            None if column is None else str(column),
            None if name_column is None else str(name_column),
            tuple(dict.fromkeys(texts)),
            None if separator is None else _sign(separator),
            no_header,
            spelling,
        )

    def column_said(self, name: object) -> str:
        """Return what names the column of the molecules."""
        return self.spelling.column.format(name)

    def remedy(self, name: object) -> str:
        """Say how to name the column of the molecules."""
        said = self.column_said(name)
        return f"name it by `{said}`, its name or number; or call it smiles"


def _sign(separator: str) -> str:
    sign = _WRITTEN.get(separator.strip().lower() or separator, separator)
    if len(sign) != 1 or sign.isalnum() or sign in "\"'\r\n":
        raise InputError(
            "separator",
            separator,
            f"{', '.join(SEPARATORS)}, or one sign",
            "Quote a sign that the shell takes for its own, such as ';'.",
        )
    return sign
