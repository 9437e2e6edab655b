"""Where the molecules of a library come from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from molloop.errors import InputError
from molloop.files import file_sha256
from molloop.library import sources
from molloop.library.manifest import SourceFile
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
    def keeps_smiles(self) -> bool:
        """Whether its SMILES are somebody's, to be kept as given, or are made here."""

    def blocks(self) -> Iterator[sources.Block]:
        """Return its lines, a block at a time; the same ones each time."""


@dataclass(frozen=True)
class Files:
    """Files of SMILES."""

    name: str
    paths: tuple[Path, ...]
    files: tuple[SourceFile, ...]
    column: str
    keeps_smiles: bool = True

    @classmethod
    def of(cls, names: Sequence[str], column: str) -> "Files":
        """Find files, or a built-in library.

        Parameters
        ----------
        column
            That holds the SMILES in a file that is no .smi.

        Raises
        ------
        InputError
            One is missing, or of an unknown format.
        """
        paths = tuple(sources.locate(name) for name in names)
        title = names[0] if names[0] in sources.BUILT_IN else ", ".join(map(str, paths))
        files = tuple(map(_source_file, paths, sources.titles(paths)))
        return cls(utf8_text(title), paths, files, column)

    @property
    def options(self) -> dict[str, int | str | None]:
        """What else decides on their lines."""
        formats = ", ".join(map(sources.reader_of, self.paths))
        return {"column": self.column, "formats": formats}

    def blocks(self) -> Iterator[sources.Block]:
        """Return the lines of all files."""
        return sources.blocks(self.paths, self.column)


def _source_file(path: Path, title: str) -> SourceFile:
    """Return a file's name and checksum."""
    try:
        return SourceFile(title, file_sha256(path))
    except OSError as error:
        raise InputError("library", str(path), "a file that can be read", f"{error}.") from error
