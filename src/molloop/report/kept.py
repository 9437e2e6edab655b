"""Columns of the user's own file that a library has kept, beside those of tables and exports."""

from collections.abc import Collection

from molloop.molecule import Labels
from molloop.texts import utf8_text


def kept_columns(library: Labels | None, taken: Collection[str]) -> dict[str, str]:
    """Return the names that kept columns have in a table, by their own names.

    Parameters
    ----------
    library
        None where it is gone: then there are none.
    taken
        Names of other columns: a kept one of the same name begins with ``library_``.
    """
    found: dict[str, str] = {}
    for own in library.kept_names if library is not None else ():
        name = utf8_text(own)
        while name in taken or name in found.values():
            name = f"library_{name}"
        found[own] = name
    return found


def kept_cells(
    library: Labels | None, molecule_id: int | None, names: Collection[str]
) -> list[str]:
    """Return what kept columns say of a molecule; empty where one says nothing."""
    if library is None or molecule_id is None:
        return ["" for _ in names]
    cells = library.kept(molecule_id)
    return [cells.get(name, "") for name in names]
