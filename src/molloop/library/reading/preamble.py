"""Lines before the first one of a table: comments, and what tells spreadsheets the separator."""

import io
import re
from itertools import pairwise
from typing import NamedTuple

from molloop.library.reading.columns import MOLECULE_NAMES, has_names, plain_name
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
        names = [cell.strip() for cell in _uncommented(line).strip().split(separator)]
        cells = [cell.strip() for cell in below.strip().split(separator)]
        # names of molecules may have several words, where blanks part the cells
        is_parted = separator is not _BLANKS
        fits = len(names) == len(cells) > 1 if is_parted else len(names) <= len(cells)
        of_molecules = is_parted and any(plain_name(one) in MOLECULE_NAMES for one in names)
        tells = has_names(names, reading) or of_molecules
        if fits and tells and not has_names(cells, reading):
            return True
    return False
