"""Lines before the first one of a table: comments, and what tells spreadsheets the separator."""

import io
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from molloop.library.reading.columns import (
    INCHI_NAMES,
    MOLECULE_NAMES,
    SMILES_NAMES,
    places_of,
    plain_name,
)
from molloop.library.reading.options import Reading

# `#smiles`, and `#` alone in a cell, are names of columns
_COMMENT = re.compile(r"\s*#( |#|\s*$)")
_SEPARATOR = re.compile(r'\s*"?sep=([^\w"\r\n])"?\s*', re.IGNORECASE)
_BLANKS = None  # as `str.split` takes them


class Preamble(NamedTuple):
    """What stands before: how many lines, and the separator that one of them tells."""

    n_lines: int = 0
    separator: str = ""


def preamble_of(head: str, reading: Reading) -> Preamble:
    """Look at the first lines of a text."""
    lines = enumerate(io.StringIO(head, newline=""), start=1)
    full = [(number, line) for number, line in lines if line.strip()]
    n_lines, separator = 0, ""
    for (number, line), (_, below) in pairwise([*full, (0, "")]):
        if told := _SEPARATOR.fullmatch(line):
            separator = told[1]
        elif not _COMMENT.match(line) or _names_columns(line, below, reading):
            break
        n_lines = number
    return Preamble(n_lines, separator)


def without(head: str, n_lines: int) -> str:
    """Return a text without its first lines, and without the sign of a comment before names."""
    lines = io.StringIO(head, newline="")
    for _ in range(n_lines):
        lines.readline()
    left = lines.read()
    return _uncommented(left) if _COMMENT.match(left) else left


def _uncommented(text: str) -> str:
    return text.lstrip().removeprefix("#").lstrip(" ")


def _names_columns(line: str, below: str, reading: Reading) -> bool:
    """Whether a comment is made of names for the cells of the line below it."""
    if not below or _COMMENT.match(below):
        return False
    for separator in (",", ";", "\t", _BLANKS):
        names = _uncommented(line).strip().split(separator)
        cells = below.strip().split(separator)
        known = [*SMILES_NAMES, *INCHI_NAMES]
        if separator is _BLANKS:  # names of molecules may have several words
            fits = len(names) <= len(cells)
        else:
            fits = len(names) == len(cells) > 1
            known += MOLECULE_NAMES
        if fits and _has(names, known, reading) and not _has(cells, known, reading):
            return True
    return False


def _has(cells: Sequence[str], known: Sequence[str], reading: Reading) -> bool:
    asked = (reading.column, reading.name_column, *reading.keep_columns)
    names = [one for one in asked if one is not None and not one.isdigit()]
    return any(plain_name(cell) in known for cell in cells) or any(
        places_of(name, [cell.strip() for cell in cells]) for name in names
    )
