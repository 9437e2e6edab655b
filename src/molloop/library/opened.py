"""Files that may be compressed, opened as if they were not."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from molloop.errors import InputError

BUFFER_BYTES = 2**20
_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}

Fraction = Callable[[], float]  # of the file, read so far


def file_format(path: Path) -> str:
    """Suffix of a path, without that of the compression."""
    name = path.name.lower()
    return Path(name.removesuffix(compression_suffix(path))).suffix


@contextmanager
def readable(path: Path, what: str) -> Iterator[None]:
    """Raise InputError, with the name that the user knows the file by, where reading it fails."""
    try:
        yield
    except (OSError, EOFError, ValueError, NotImplementedError) as error:
        raise InputError(
            what, str(path), "a file that can be read", f"It fails with: {error}."
        ) from error


def compression_suffix(path: Path) -> str:
    """Return the suffix that says how a file is compressed, or nothing."""
    suffix = path.suffix.lower()
    return suffix if suffix in _COMPRESSIONS else ""


def open_plain(path: Path, stack: ExitStack) -> tuple[IO[bytes], Fraction]:
    """Open a file as if it were not compressed."""
    import pyarrow as pa

    file: IO[bytes] = stack.enter_context(path.open("rb"))
    size = path.stat().st_size
    plain = file
    if suffix := compression_suffix(path):
        stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), _COMPRESSIONS[suffix])
        plain = stack.enter_context(io.BufferedReader(stream, BUFFER_BYTES))
    return plain, lambda: file.tell() / size


def open_text(
    path: Path, stack: ExitStack, errors: str = "replace"
) -> tuple[io.TextIOWrapper, Fraction]:
    """Open a file of text; `errors` says what becomes of bytes that are no UTF-8."""
    file, fraction = open_plain(path, stack)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors=errors, newline="")
    return stack.enter_context(text), fraction
