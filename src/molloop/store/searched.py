"""The library of a run, as far as the run's database tells of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class SearchedLibrary:
    """Names and kept cells of the molecules that a run has handed out.

    Attributes
    ----------
    title
        What the user calls the library; empty where the database does not say it.
    names, cells
        By molecule id.
    """

    title: str
    names: dict[int, str]
    cells: dict[int, dict[str, str]]

    @classmethod
    def of(cls, title: str, rows: Iterable[tuple[int, str, dict[str, str]]]) -> "SearchedLibrary":
        """Make it of rows: molecule id, name and kept cells."""
        found = list(rows)
        names = {key: name for key, name, _ in found if name}
        return cls(title, names, {key: cells for key, _, cells in found if cells})

    @cached_property
    def kept_names(self) -> tuple[str, ...]:
        """Names of the columns that were kept."""
        return tuple(dict.fromkeys(name for cells in self.cells.values() for name in cells))

    def name(self, molecule_id: int) -> str:
        """Return what the user's file calls a molecule; empty where it is not known."""
        return self.names.get(molecule_id, "")

    def kept(self, molecule_id: int) -> dict[str, str]:
        """Return what a molecule has in the columns that were kept; nothing where not known."""
        return self.cells.get(molecule_id, {})
