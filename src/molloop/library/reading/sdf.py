"""Records of an SDF become entries: the molfile as it stands, its title, its data items."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from io import TextIOBase
from pathlib import Path

from molloop.library.reading.format import Entry, Format
from molloop.library.reading.opened import Fraction, open_text

CHUNK = 2**20
MAX_RECORD = 2**22  # characters
MOLFILE_END = "\nM  END"
NO_END = "a record without M  END"
EMPTY = "an empty record"
SEVERAL = "several molfiles in one record: $$$$ is missing between them"
TOO_LONG = f"a record of more than {MAX_RECORD:,} characters"

# at the beginning of a line: to look for that first would take ten times as long
_DELIMITER = re.compile(r"\$\$\$\$(?<![^\n]\$\$\$\$)[^\n]*\n")
_ITEM = re.compile(r"^>[^<\n]*<([^>\n]*)>[^\n]*\n(.*?)(?=\n[^\S\n]*\n|\n>|\Z)", re.M | re.S)
# a molfile that is a data item: its line of counts is the fourth one behind the item's name
_HELD = re.compile(r"^>[^\n]*(?:\n[^\n]*){3}\n[^\n]*V[23]000", re.M)

Record = tuple[int, str]  # first line, text


def read_sdf(path: Path, file_format: Format, stack: ExitStack) -> tuple[Iterator[Entry], Fraction]:
    """Open an SDF."""
    text, fraction = open_text(path, stack, newline="any")
    return _entries(records_of(text), file_format), fraction


def records_of(text: TextIOBase) -> Iterator[Record]:
    """Return the records of a text whose lines end in line feeds; of too long ones the beginning.

    What ends a record, ``$$$$`` at the beginning of a line, is left out.
    """
    waiting, line, is_cut, is_open = "", 1, False, True
    while is_open:
        chunk = text.read(CHUNK)
        is_open = bool(chunk)
        *records, waiting = _DELIMITER.split(waiting + (chunk or "\n"))
        for record in records:
            if not is_cut:
                yield line, record
            line += record.count("\n") + 1
            is_cut = False
        if len(waiting) > MAX_RECORD and not is_cut:
            yield line, waiting
            is_cut = True
        if is_cut:  # its lines are counted, and it is gone
            gone = waiting.rfind("\n") + 1 or (len(waiting) if len(waiting) > MAX_RECORD else 0)
            line += waiting.count("\n", 0, gone)
            waiting = waiting[gone:]
    if waiting.strip() and not is_cut:
        yield line, waiting


def items_of(record: str) -> dict[str, str]:
    """Return the data items of a record by their names."""
    end = record.find(MOLFILE_END) + 1
    return {name: value.strip("\n") for name, value in _ITEM.findall(record, end)}


def _entries(records: Iterator[Record], file_format: Format) -> Iterator[Entry]:
    wanted = [file_format.columns[place] for place in file_format.kept]
    name_item = None if file_format.name is None else file_format.columns[file_format.name]
    for line, record in records:
        end = _end_of_molfile(record)
        if fault := _fault(record, end):
            yield Entry(
                line, "", record[:80].partition("\n")[0].strip(), ("",) * len(wanted), fault
            )
            continue
        molfile, title = record[: end + len(MOLFILE_END) + 1], record[: record.find("\n")].strip()
        if not (wanted or name_item):
            yield Entry(line, molfile, title)
            continue
        items = items_of(record)
        yield Entry(
            line,
            molfile,
            items.get(name_item, "").strip() if name_item else title,
            tuple([items.get(name, "") for name in wanted]),
        )


def _end_of_molfile(record: str) -> int:
    """Return where the line end before the first M  END stands; -1: nowhere."""
    place = record.find(MOLFILE_END[1:])  # few texts have an M, many a line end
    is_line = place > 0 and record[place - 1] == "\n"
    return place - 1 if is_line else record.find(MOLFILE_END)


def _fault(record: str, end: int) -> str:
    """Return why a record is none of one molecule, whose molfile ends somewhere; else nothing."""
    if len(record) > MAX_RECORD:
        return TOO_LONG
    if end < 0:
        return NO_END if record.strip() else EMPTY
    n_more = record.count(MOLFILE_END, end + 1)
    return SEVERAL if n_more and len(_HELD.findall(record, end)) < n_more else ""
