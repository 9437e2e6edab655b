"""Lines before the first one of a table: comments, and what tells spreadsheets the separator."""

import io
import re
from typing import NamedTuple

from molloop.library.reading.columns import INCHI_NAMES, SMILES_NAMES, plain_name

# `#smiles`, and `#` alone in a cell, are names of columns
_COMMENT = re.compile(r"\s*#( |#|$)")
_SEPARATOR = re.compile(r'\s*"?sep=([^\w"\r\n])"?\s*', re.IGNORECASE)
_WORDS = re.compile(r"[\s,;]+")


class Preamble(NamedTuple):
    """What stands before: how many lines, and the separator that one of them tells."""

    n_lines: int = 0
    separator: str = ""


def preamble_of(head: str) -> Preamble:
    """Look at the first lines of a text."""
    n_lines, separator = 0, ""
    for number, line in enumerate(io.StringIO(head, newline=""), start=1):
        if not line.strip():
            continue
        if told := _SEPARATOR.fullmatch(line):
            separator = told[1]
        elif not _COMMENT.match(line) or _names_columns(line):
            break
        n_lines = number
    return Preamble(n_lines, separator)


def without(head: str, n_lines: int) -> str:
    """Return a text without its first lines."""
    lines = io.StringIO(head, newline="")
    for _ in range(n_lines):
        lines.readline()
    return lines.read()


def _names_columns(line: str) -> bool:
    words = map(plain_name, _WORDS.split(line))
    return any(word in SMILES_NAMES or word in INCHI_NAMES for word in words)
