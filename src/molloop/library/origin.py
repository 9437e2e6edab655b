"""Where the molecules of a library come from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from molloop.errors import InputError
from molloop.files import file_sha256
from molloop.library import sources
from molloop.library.choices import BUILT_IN
from molloop.library.manifest import SourceFile
from molloop.library.reading.format import Format
from molloop.library.reading.look import look
from molloop.library.reading.options import Reading
from molloop.texts import utf8_text


class Source(Protocol):
    """Where molecules come from."""

    @property
    def name(self) -> str:
        """What the user calls it."""

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """What it is made of."""

    @property
    def options(self) -> dict[str, int | str | None]:
        """What else decides on its lines."""

    @property
    def read_as(self) -> tuple[str, ...]:
        """How each file was understood, in words."""

    @property
    def keeps_smiles(self) -> bool:
        """Whether its SMILES are somebody's, to be kept as given, or are made here."""

    def blocks(self) -> Iterator[sources.Block]:
        """Return its lines, a block at a time; the same ones each time."""


@dataclass(frozen=True)
class Files:
    """Files of molecules.

    Attributes
    ----------
    reading
        What the user says of them.
    formats
        As they were understood, by a look at each.
    """

    name: str
    paths: tuple[Path, ...]
    files: tuple[SourceFile, ...]
    reading: Reading
    formats: tuple[Format, ...]
    keeps_smiles: bool = True

    @classmethod
    def of(cls, names: Sequence[str], reading: Reading | str | None = None) -> "Files":
        """Find files, or a built-in library, and look at them.

        Parameters
        ----------
        reading
            What the user says of them, or the name of the column of SMILES alone.

        Raises
        ------
        InputError
            There is none; or one is missing, cannot be read, or has no column of SMILES that is
            known or asked for.
        """
        if not names:
            raise InputError("files", "none", "at least one of molecules", "Name it.")
        if not isinstance(reading, Reading):
            reading = Reading(column=reading)
        paths = tuple(sources.locate(name) for name in names)
        title = names[0] if names[0] in BUILT_IN else ", ".join(map(str, paths))
        formats = tuple(look(path, reading) for path in paths)
        files = tuple(map(_source_file, paths, sources.titles(paths)))
        return cls(utf8_text(title), paths, files, reading, formats)

    @property
    def options(self) -> dict[str, int | str | None]:
        """What else decides on their lines."""
        reading = self.reading
        return {
            "column": reading.column,
            "name_column": reading.name_column,
            "keep_columns": ",".join(reading.keep_columns) or None,
            "separator": reading.separator,
            "no_header": int(reading.no_header) or None,
            "formats": ", ".join(f"{sources.reader_of(one)} {one.places}" for one in self.formats),
        }

    @property
    def read_as(self) -> tuple[str, ...]:
        """How each was understood, in words."""
        return tuple(map(str, self.formats))

    def blocks(self) -> Iterator[sources.Block]:
        """Return the lines of all files."""
        return sources.blocks(self.paths, self.reading, self.formats)


def _source_file(path: Path, title: str) -> SourceFile:
    """Return a file's name and checksum."""
    try:
        return SourceFile(title, file_sha256(path))
    except OSError as error:
        raise InputError("library", str(path), "a file that can be read", f"{error}.") from error
