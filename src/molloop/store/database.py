"""How a run's database is opened.

A run directory may come from somebody else. Nothing but a database of ours is opened, and reading
one changes nothing on disk: SQLite on its own would undo what a killed writer has left half done,
in the file itself and in others that the journal names.
"""

import errno
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from molloop.errors import InputError, StoreError
from molloop.files import check_plain
from molloop.store.older import show_as_current
from molloop.store.schema import SCHEMA_VERSION, SCHEMAS, check_schema
from molloop.store.trouble import LIMIT, errors_told, extended_code

BUSY_TIMEOUT_S = 1.0  # within SQLite, where no signal is heard
LEAST_BYTES = 512  # of a page
JOURNAL_SUFFIX = "-journal"
FOREIGN_SUFFIXES = ("-wal", "-shm")  # of other journal modes than ours
# what stands at the end of a journal that names another file, https://sqlite.org/fileformat.html
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
MAX_COPY_BYTES = 4 * 2**30
MAX_COPIES = 5
MAX_CELL_BYTES = 2**28  # ten times what a library of 10^6 molecules needs
# processor time that reading may take, and how often SQLite lets it be looked at
LIMIT_S, LONGEST_LIMIT_S = 10.0, 600.0
LIMIT_BYTES_PER_S = 1e6
STEPS_PER_LOOK = 10_000


def create(path: Path) -> sqlite3.Connection:
    """Open a new database, for its owner only."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    connection = _connect(path, "mode=rw")
    connection.set_progress_handler(None, 0)
    _keep_safe(connection)
    return connection


def create_temporary() -> sqlite3.Connection:
    """Open a database that is gone when it is closed."""
    # not ":memory:", where each transaction takes longer the more is there
    connection = sqlite3.connect("", isolation_level=None)
    # what a transaction changes is undone in this process only; a file of it took most of its time
    connection.execute("PRAGMA journal_mode = MEMORY")
    return connection


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open a database to go on with it; what a killed writer has left half done is undone.

    Raises
    ------
    InputError
        It is of an earlier version.
    StoreError
        It is none of ours, damaged, or cannot be read.
    """
    with errors_told(path):
        version = _check_files(path)
        _check_current(path, version)
        connection = _connect(path, "mode=rw")
        with _closed_on_error(connection):
            check_schema(connection, version)
            [(verdict,)] = connection.execute("PRAGMA quick_check(1)")
            if verdict != "ok":
                raise ValueError(" ".join(str(verdict).split()))
            connection.set_progress_handler(None, 0)
            _keep_safe(connection)
    return connection


def check_goes_on(path: Path) -> None:
    """Look whether a run can be gone on with by this version, before anything is done for it.

    Raises
    ------
    InputError
        It is of an earlier version, which is read only.
    StoreError
        Its database cannot be opened.
    """
    with errors_told(path):
        _check_current(path, _check_files(path))


def _check_current(path: Path, version: int) -> None:
    if version != SCHEMA_VERSION:
        raise InputError(
            "run directory",
            str(path.parent),
            f"a run of this molloop (schema version {SCHEMA_VERSION}, not {version})",
            "One of an earlier molloop can be read, but not gone on with: begin a new run, which "
            "takes the values of this one as campaign.training_data.",
        )


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a database to read it, also while another process writes; nothing on disk changes.

    Where its writer was killed in mid-write, that is undone in a copy.

    Raises
    ------
    StoreError
        It is none of ours, or cannot be read. Later on, from `errors_told`: reading has taken
        more processor time than the file's size explains.
    """
    with errors_told(path):
        version = _check_files(path)
        connection = _connect(path, "mode=ro")
        try:
            with _closed_on_error(connection):
                check_schema(connection, version)
                show_as_current(connection, version)
        except sqlite3.OperationalError as error:
            if extended_code(error) != sqlite3.SQLITE_READONLY_ROLLBACK:
                raise
            connection = _open_copy(path)
            with _closed_on_error(connection):
                check_schema(connection, version)
                show_as_current(connection, version)
    return connection


def names_others(journal: Path) -> bool:
    """Whether a journal names a further file, which SQLite would remove; a run's never does."""
    with journal.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - len(JOURNAL_MAGIC)))
        return file.read() == JOURNAL_MAGIC


def _check_files(path: Path) -> int:
    """Look at a database and what lies beside it before SQLite does; return its version."""
    check_plain(path)
    for suffix in FOREIGN_SUFFIXES:
        if os.path.lexists(foreign := _beside(path, suffix)):
            raise StoreError(
                f"Beside the run's database {path} lies {foreign.name}, which no run leaves.",
                "Move it away: SQLite would take it for a part of the database.",
            )
    journal = _beside(path, JOURNAL_SUFFIX)
    if os.path.lexists(journal):
        check_plain(journal)
        if names_others(journal):
            raise ValueError(f"{journal.name} names other files, as no run's does")
    version = _version(path)
    if version not in SCHEMAS:
        raise StoreError(
            f"{path} has schema version {version}, expected {SCHEMA_VERSION}.",
            "Read it with the molloop that wrote it.",
        )
    return version


def _version(path: Path) -> int:
    """Return the version of a database's schema, without a change of what lies beside it.

    Raises
    ------
    ValueError
        It is none with a rollback journal.
    """
    if path.lstat().st_size < LEAST_BYTES:
        raise ValueError("it is no SQLite database")
    # not by a file of our own: to close that would drop the locks that SQLite has in this process
    with closing(_connect(path, "mode=ro&immutable=1")) as connection:
        [(version,)] = connection.execute("PRAGMA user_version")
    with closing(_connect(path, "mode=ro&nolock=1")) as connection:
        try:
            connection.execute("PRAGMA user_version")
        except sqlite3.OperationalError as error:
            if extended_code(error) == sqlite3.SQLITE_CANTOPEN:
                raise ValueError("it has another journal mode than a run's") from error
            if extended_code(error) != sqlite3.SQLITE_READONLY_ROLLBACK:  # its journal is in use
                raise
    return int(version)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _connect(path: Path, options: str) -> sqlite3.Connection:
    # links in the way there are the user's own
    whole = path.parent.resolve() / path.name
    connection = sqlite3.connect(
        f"{whole.as_uri()}?{options}", uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S
    )
    connection.set_progress_handler(partial(_is_over, _deadline_s(path)), STEPS_PER_LOOK)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL_BYTES)
    connection.execute("PRAGMA trusted_schema = 0")
    return connection


def _deadline_s(path: Path) -> float:
    """Return the processor time until which a database may be read, by the disk that it takes."""
    found = path.lstat()
    n_bytes = min(found.st_size, 512 * found.st_blocks)
    return time.thread_time() + min(LIMIT_S + n_bytes / LIMIT_BYTES_PER_S, LONGEST_LIMIT_S)


def _is_over(deadline_s: float) -> bool:
    # signals are heard here, too
    LIMIT.has_passed = time.thread_time() > deadline_s
    return LIMIT.has_passed


def _keep_safe(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA synchronous = FULL")


def _open_copy(path: Path) -> sqlite3.Connection:
    """Open a copy of a database in which what its writer has left half done is undone."""
    journal = _beside(path, JOURNAL_SUFFIX)
    for _ in range(MAX_COPIES):
        before = _states(path, journal)
        n_bytes = sum(size for size, _ in before)
        with tempfile.TemporaryDirectory(prefix="molloop-") as folder:
            if n_bytes > min(MAX_COPY_BYTES, shutil.disk_usage(folder).free // 2):
                told = f"its writer was killed, and a copy in {folder} takes {n_bytes} bytes"
                raise OSError(errno.EFBIG, told)
            copy = Path(folder) / path.name
            shutil.copyfile(path, copy, follow_symlinks=False)
            shutil.copyfile(journal, _beside(copy, JOURNAL_SUFFIX), follow_symlinks=False)
            if _states(path, journal) != before:
                continue  # another process goes on with the run
            with closing(_connect(copy, "mode=rw")) as connection:
                connection.execute("PRAGMA user_version").fetchall()
            connection = _connect(copy, "mode=ro&immutable=1")
            with _closed_on_error(connection):
                connection.execute("PRAGMA user_version").fetchall()
            return connection  # the file is open: it goes when the connection is closed
    raise OSError(errno.EBUSY, "it changes again and again; another process goes on with the run")


def _states(*paths: Path) -> list[tuple[int, int]]:
    return [(found.st_size, found.st_mtime_ns) for found in (path.lstat() for path in paths)]


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise
