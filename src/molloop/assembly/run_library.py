"""The library of a run, from what the run's database says of it."""

from pathlib import Path

from molloop.errors import MolloopError
from molloop.files import check_plain_folder
from molloop.library.shards import Library
from molloop.store.records import Session


def library_of(session: Session) -> Library | None:
    """Return the library that a process of a run has used, or None where it is not there as it was.

    The database may be somebody else's: what it names is looked at before it is opened.
    """
    facts = session.environment.get("library", {})
    folder = facts.get("folder")
    if not isinstance(folder, str) or not folder:
        return None
    try:
        check_plain_folder(Path(folder))
        library = Library(folder)
    except (MolloopError, OSError, ValueError):
        return None
    has_own_files = all(Path(one.file).name == one.file for one in library.manifest.shards)
    return library if has_own_files and library.manifest.key == facts.get("key") else None
