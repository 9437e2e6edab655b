"""Files that may be compressed, opened as if they were not."""

import codecs
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

from molloop.errors import InputError

BUFFER_BYTES = 2**16
MAX_LINE = 2**20  # characters; what has longer lines is no text for people or tables
SUFFIXES = (".gz", ".bz2", ".zst", ".xz")
_COMPRESSIONS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\x00": "xz",
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_OTHERS = {
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "a spreadsheet or another file of an office program",
    b"\x1f\x9d": "compressed by an older program",
    b"\x04\x22\x4d\x18": "compressed by lz4",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
    b"%PDF": "a PDF",
    b"VjCD": "a drawing of ChemDraw",
}

WINDOWS_1252 = "molloop.windows-1252"  # name of what takes the place of bytes that are no UTF-8

Fraction = Callable[[], float]  # of the file, read so far
Line = tuple[int, str]  # number, text


def ending(path: Path) -> str:
    """Return the end of a file's name in small letters, without that of the compression."""
    path = Path(path.name.lower())
    return (path.with_suffix("") if path.suffix in SUFFIXES else path).suffix


@contextmanager
def readable(path: Path, what: str) -> Iterator[None]:
    """Raise InputError, with the name that the user knows the file by, where reading it fails."""
    from lzma import LZMAError

    try:
        yield
    except (OSError, EOFError, ValueError, NotImplementedError, LZMAError) as error:
        why = " ".join(str(error).split())
        raise InputError(
            what, str(path), "a file that can be read", f"It fails with: {why}."
        ) from error


def compression_of(path: Path) -> str:
    """Return how a file is compressed, by its first bytes; empty where it is not."""
    with path.open("rb") as file:
        first = file.read(8)
    return next((name for sign, name in _COMPRESSIONS.items() if first.startswith(sign)), "")


def check_sign(path: Path, first: bytes, what: str) -> None:
    """Raise InputError where the first bytes of a file are those of a kind that is not read."""
    for sign, kind in _OTHERS.items():
        if first.startswith(sign):
            raise InputError(
                what,
                str(path),
                "a text, an SDF or a .parquet",
                f"It is {kind}: unpack it, or save its molecules as .csv or .sdf.",
            )


def open_plain(path: Path, stack: ExitStack) -> tuple[IO[bytes], Fraction]:
    """Open a file as if it were not compressed."""
    file = stack.enter_context(path.open("rb"))
    size = max(1, path.stat().st_size)
    plain = stack.enter_context(_plain(file, compression_of(path)))
    return plain, lambda: file.tell() / size


def _plain(file: IO[bytes], compression: str) -> IO[bytes]:
    match compression:
        case "gzip" | "zstd":
            import pyarrow as pa

            stream = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), compression)
            return io.BufferedReader(stream, BUFFER_BYTES)
        case "bzip2":
            import bz2

            return bz2.open(file)
        case "xz":
            import lzma

            return cast(IO[bytes], lzma.open(file))
    return file


def open_text(path: Path, stack: ExitStack, newline: str = "") -> tuple[io.TextIOWrapper, Fraction]:
    """Open a file of text, UTF-8 or what a byte order mark says.

    Other bytes are read as signs of Windows-1252, as spreadsheets write them.

    Parameters
    ----------
    newline
        Empty: line ends stay as they are; ``any``: each becomes a line feed.
    """
    file, fraction = open_plain(path, stack)
    first = cast(io.BufferedReader, file).peek(2)[:2]
    is_utf_16 = first in _UTF_16
    text = io.TextIOWrapper(
        file,
        encoding="utf-16" if is_utf_16 else "utf-8-sig",
        errors="replace" if is_utf_16 else WINDOWS_1252,
        newline=None if newline == "any" else newline,
    )
    return stack.enter_context(text), fraction


def is_windows_1252(first: bytes) -> bool:
    """Whether the first bytes of a text are read as Windows-1252, at some place at least."""
    if first.startswith(_UTF_16):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(first)  # its end may part a sign
    except UnicodeDecodeError:
        return True
    return False


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(WINDOWS_1252, _as_windows_1252)


def numbered_lines(path: Path, text: io.TextIOBase) -> Iterator[Line]:
    """Return the lines of a text with their numbers, from 1, and their ends.

    Raises
    ------
    InputError
        One is so long that the memory would not be bounded.
    """
    number = 0
    while line := text.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and line[-1] not in "\r\n":
            raise InputError(
                f"{path}, line {number}",
                f"{line[:20]}...",
                f"a line of fewer than {MAX_LINE:,} characters",
                "Is it a file of molecules?",
            )
        yield number, line
