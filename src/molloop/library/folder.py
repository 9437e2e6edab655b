"""The folder of a library while it is built: held by one process, and left tidy."""

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path

from filelock import FileLock, Timeout

from molloop.errors import InputError
from molloop.library.manifest import CONDITIONS, DUPLICATES, FEATURES_FOLDER, MANIFEST, REJECTS
from molloop.library.shards import VERIFIED, Progress

LOCK = "build.lock"
UNFINISHED = "unfinished"
OWN_NAMES = (
    *(LOCK, UNFINISHED, MANIFEST, VERIFIED, REJECTS, DUPLICATES, CONDITIONS, FEATURES_FOLDER),
    *("shard-*.arrow", "*.tmp"),
)


class RejectedError(InputError):
    """The list of rejects says more."""


def check_folder(folder: Path) -> None:
    """Raise InputError where it is none, and cannot become one."""
    try:
        is_other = not stat.S_ISDIR(folder.stat().st_mode)
    except FileNotFoundError:
        is_other = False
    except OSError as error:
        is_other = error.errno in (errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
    if is_other:
        raise InputError(
            "folder of the library",
            str(folder),
            "a folder",
            "Choose another (XDG_CACHE_HOME for the cache).",
        )


def check_content(folder: Path) -> None:
    """Raise InputError where it holds what is no library's."""
    others = [
        path.name
        for path in (folder.iterdir() if folder.exists() else ())
        if not any(fnmatch(path.name, pattern) for pattern in OWN_NAMES)
    ]
    if others:
        raise InputError(
            "folder of the library",
            str(folder),
            "a new or empty folder",
            f"It holds {others[0]}: choose another.",
        )


@contextmanager
def locked(folder: Path, report: Progress) -> Iterator[None]:
    """Hold a folder; wait for another process that has it."""
    lock = FileLock(folder / LOCK, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        report("waiting for another build of it", 0.0)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def tidied(folder: Path, is_new: bool) -> Iterator[None]:
    """Where a build ends early, leave nothing but its parts and what its error points to."""
    try:
        yield
    except BaseException as error:  # a signal ends a build too, by SystemExit
        if not (folder / MANIFEST).is_file():
            # a process that waits for the lock sees that its file is gone, and makes it anew
            names = [LOCK, DUPLICATES, "shard-*.arrow", "*.tmp"]
            if not isinstance(error, RejectedError):
                names.append(REJECTS)
            with suppress(OSError):
                for path in [path for name in names for path in folder.glob(name)]:
                    path.unlink(missing_ok=True)
                if is_new:
                    folder.rmdir()  # where nothing is left in it
        raise
