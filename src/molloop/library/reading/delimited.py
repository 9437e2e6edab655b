"""Tables in text: lines become records of cells, and none is lost.

A cell may be quoted, and then hold delimiters and line ends. A file may also have quotation marks
that quote nothing (``5" tube``). What a line means is decided by the number of cells that the
header has.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from molloop.library.reading.opened import Line

MAX_RECORD_LINES = 1000
LINE_ENDS = "\r\n"


class Record(NamedTuple):
    """A row of a table.

    Attributes
    ----------
    first_line, line
        Numbers of its first and its last line, from 1.
    cells
        As many as the header has; none where there is a fault.
    fault
        Why the line is no row.
    others
        What the lines after its first one are if they are rows of their own, with their numbers;
        they may have more or fewer cells than the header.
    is_alone
        Whether the first line may be a row of its own, too.
    """

    first_line: int
    line: int
    cells: list[str]
    fault: str = ""
    others: tuple[tuple[int, list[str]], ...] = ()
    is_alone: bool = True


def read_records(
    lines: Iterable[Line], delimiter: str, *, has_header: bool = True, n_cells: int | None = None
) -> tuple[list[str], Iterator[Record]]:
    """Return the cells of the first line that is not empty, and the rows.

    Parameters
    ----------
    has_header
        Whether that line holds the names of the columns, or is the first row.
    n_cells
        Of a row; None: as many as that line has.
    """
    waiting = _Lines(lines)
    for first in waiting:
        if first[1].strip(LINE_ENDS):
            cells, others = _quoted(first, waiting, delimiter) or (_split(first, delimiter), [])
            if not has_header:
                waiting.put_back([first, *others])
            where = "the header" if has_header else "most lines"
            return cells, _records(waiting, delimiter, n_cells or len(cells), where)
    return [], iter(())


def _records(lines: "_Lines", delimiter: str, n_cells: int, where: str) -> Iterator[Record]:
    for first in lines:
        if not first[1].strip(LINE_ENDS):
            continue
        if '"' in first[1] and (found := _quoted(first, lines, delimiter)):
            cells, others = found
            if len(cells) == n_cells:
                last = others[-1][0] if others else first[0]
                rows = tuple((line[0], _split(line, delimiter)) for line in others)
                is_alone = not rows or len(_split(first, delimiter)) == n_cells
                yield Record(first[0], last, cells, others=rows, is_alone=is_alone)
                continue
            lines.put_back(others)
        cells = _split(first, delimiter)
        if len(cells) == n_cells:
            yield Record(first[0], first[0], cells)
        else:
            fault = f"cells: {len(cells)}, in {where}: {n_cells}"
            yield Record(first[0], first[0], [], fault)


class _Lines(Iterator[Line]):
    """Numbered lines, some of which are put back and come again."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self._waiting: deque[Line] = deque()

    def __next__(self) -> Line:
        return self._waiting.popleft() if self._waiting else next(self._lines)

    def put_back(self, lines: Sequence[Line]) -> None:
        self._waiting.extendleft(reversed(lines))


def _split(line: Line, delimiter: str) -> list[str]:
    return line[1].rstrip(LINE_ENDS).split(delimiter)


def _quoted(first: Line, lines: _Lines, delimiter: str) -> tuple[list[str], list[Line]] | None:
    """Return the cells of a record that begins with a line, and the other lines that it takes.

    None where it is not quoted as a .csv must be, or not closed within some lines; these come
    again.
    """
    others: list[Line] = []

    def text() -> Iterator[str]:
        yield first[1]
        for line in islice(lines, MAX_RECORD_LINES - 1):
            others.append(line)
            yield line[1]

    try:
        return next(csv.reader(text(), delimiter=delimiter, strict=True)), others
    except csv.Error:  # also a cell of more than 131,072 characters
        lines.put_back(others)
        return None
