"""Files that are whole or absent."""

import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path


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
