"""What goes wrong with a run's database, in words."""

import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from molloop.errors import StoreError
from molloop.store.disk import what_is_there

TEMPORARY = Path("temporary database")


class _Limit(threading.local):
    """Whether it was the limit that has ended this thread's last query."""

    has_passed = False


LIMIT = _Limit()


@contextmanager
def errors_told(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong with a database into a StoreError that says what to do."""
    try:
        yield
    except (sqlite3.Error, OSError, ValueError) as error:
        if _code(error) == sqlite3.SQLITE_INTERRUPT and not LIMIT.has_passed:
            _raise_what_was_dropped()
        raise _explained(path, error) from error


def _raise_what_was_dropped() -> NoReturn:
    """Raise what a signal's handler has raised while SQLite called back, which drops it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        raise KeyboardInterrupt
    raise StoreError("A signal has ended the reading of a run.", "Begin it again.")


def is_busy(error: Exception) -> bool:
    """Whether another process holds the database."""
    return _code(error) == sqlite3.SQLITE_BUSY


def damaged(path: Path, why: str) -> StoreError:
    """Return the error for a database that holds what no run has stored."""
    return StoreError(
        f"The run's database {path} is damaged ({why}).",
        f"Put back a copy of it, or rescue what can be read with `sqlite3 {path} .recover`; a new "
        "run takes known values as campaign.training_data.",
    )


def extended_code(error: Exception) -> int | None:
    """Return the code that SQLite gives an error, with its second part."""
    # what Python itself minds has none
    return getattr(error, "sqlite_errorcode", None)


def _code(error: Exception) -> int | None:
    code = extended_code(error)
    return None if code is None else code & 0xFF


def _is_damage(error: Exception) -> bool:
    # Python's own word on a text that is no UTF-8 has no code
    return _code(error) in _DAMAGE or str(error).startswith("Could not decode to UTF-8")


_DAMAGE = {
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_TOOBIG,
}


def _explained(path: Path, error: Exception) -> StoreError:
    if is_busy(error):
        return StoreError(
            f"The run's database {path} is held by another process ({error}).",
            "`lsof` or `fuser` on that file say by which: a program that reads it and was "
            "stopped, perhaps. End that one or wait.",
        )
    if _code(error) == sqlite3.SQLITE_INTERRUPT:
        return damaged(path, "reading it takes longer than its size explains")
    if isinstance(error, ValueError) or _is_damage(error):
        return damaged(path, str(error))
    if path == TEMPORARY:
        return StoreError(
            f"The temporary database of a replay cannot be read or written ({error}).",
            "Set TMPDIR to a folder that has space and where you may write.",
        )
    if isinstance(error, PermissionError) and path.exists():
        return StoreError(
            f"The run's database {path} may not be read ({error}).",
            "Have its owner let you read it, or read a copy of the directory.",
        )
    verb = "read or written" if path.exists() else "made"
    return StoreError(f"The run's database {path} cannot be {verb} ({error}).", what_is_there(path))
