"""Files that are whole or absent."""

import hashlib
import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

AnyPath = str | os.PathLike[str]


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under another name and rename it, so that it is never seen half written.

    Nobody knows that name before: it is no file or link that is there.

    Raises
    ------
    OSError
        It cannot be written, or something else than a file is there.
    """
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is no regular file")
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        write(unfinished)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """Checksum of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_plain(path: Path) -> None:
    """Look whether a path is a file itself: no link, and nothing that could be waited for.

    Raises
    ------
    OSError
        There is nothing.
    ValueError
        It is something else.
    """
    if (kind := _kind(path.lstat().st_mode)) != "file":
        raise ValueError(f"{path.name} is a {kind}, no plain file")


def check_plain_folder(path: Path) -> None:
    """Look whether all that lies in a folder is a file or a folder itself.

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        Something is a link or a special file; the first of them by name.
    """
    for entry in sorted(path.iterdir()):
        with suppress(FileNotFoundError):  # a run that goes on renames what it has written
            if (kind := _kind(entry.lstat().st_mode)) not in ("file", "folder"):
                raise ValueError(f"{entry.name} is a {kind}, no plain file or folder")


_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
}


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "device")
