"""A file is looked at: its first lines, and the end of its name where they say too little."""

import io
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from molloop.errors import InputError
from molloop.library.reading.columns import (
    find_texts,
    listed,
    no_column,
    other_columns,
    place_of,
    places_of,
)
from molloop.library.reading.format import AS_ASKED, Format, TextKind
from molloop.library.reading.opened import (
    check_sign,
    compression_of,
    ending,
    is_windows_1252,
    open_plain,
    open_text,
    readable,
)
from molloop.library.reading.options import Reading
from molloop.library.reading.parquet import MAGIC, check_texts, first_texts, open_parquet
from molloop.library.reading.parts import part
from molloop.library.reading.sdf import items_of, records_of
from molloop.library.reading.text_look import look_at_text
from molloop.texts import terminal_path

HEAD = 2**17  # characters
SAMPLE = 30
SDF_ENDINGS = (".sdf", ".sd", ".mol")
_COUNTS = re.compile(r"\s*\d+\s+\d+.*V[23]000\s*")  # the fourth line of a molfile
_XYZ_ATOM = re.compile(r"\s*([A-Z][a-z]?|\d{1,3})(\s+[-+]?\d*\.?\d+([eEdD][-+]?\d+)?){3}(\s.*)?")
_PART_OF_SDF = re.compile(r"^(M  END|\$\$\$\$)", re.MULTILINE)


def look(path: Path, reading: Reading, what: str = "library") -> Format:
    """Look at a file.

    Parameters
    ----------
    reading
        What the user says of it.
    what
        The name that the user knows the file by.

    Raises
    ------
    InputError
        It cannot be read; a column that is named is not there; or the column of the molecules has
        no known name and was not named.
    """
    with readable(path, what), ExitStack() as stack:
        compression = compression_of(path)
        file, _ = open_plain(path, stack)
        first = file.read(8)
        check_sign(path, first, what)
        if first.startswith(MAGIC):
            found = _look_at_parquet(path, reading)
        else:
            text, _ = open_text(path, stack)
            head = text.read(HEAD)
            _check_xyz(path, head, what)
            if _is_sdf(path, head):
                found = _look_at_sdf(path, head, reading)
            else:
                found = look_at_text(path, _whole_lines(head), reading)
        if found.kind == "text":
            found = replace(found, is_windows_1252=is_windows_1252(first + file.read(HEAD)))
        return replace(found, compression=compression)


def check_effect(reading: Reading, formats: Sequence[Format], name: str) -> None:
    """Look whether what the user says of some files changes how one of them is read.

    Parameters
    ----------
    name
        What the user calls them.

    Raises
    ------
    InputError
        A column, a separator or a header that is not there: none of them has cells, or names.
    """
    is_text = any(one.kind == "text" for one in formats)
    said = (
        ("column", reading.column, any(one.found == AS_ASKED for one in formats)),
        ("separator", reading.separator, is_text),
        ("no_header", reading.no_header or None, is_text),
    )
    for what, value, has_effect in said:
        if value is not None and not has_effect:
            understood = "; ".join(dict.fromkeys(map(str, formats))) or "no file"
            option = reading.column_said(value) if what == "column" else "it"
            raise InputError(
                what,
                value,
                f"nothing of the kind for {name}, where it changes nothing ({understood})",
                f"Leave {option} out, or choose another file.",
            )


def _whole_lines(head: str) -> str:
    """Leave out a last line that may go on, where there are others."""
    if len(head) < HEAD:
        return head
    end = max(head.rfind("\n"), head.rfind("\r"))
    return head[: end + 1] or head


def _check_xyz(path: Path, head: str, what: str) -> None:
    """Raise InputError where a text is an .xyz file: a number of atoms, a comment, the atoms.

    Its lines might pass for SMILES with a name: of water, ``O 0 0 0.12``.
    """
    lines = head.splitlines()
    if not (lines and lines[0].strip().isdecimal() and len(lines[0]) < 10):
        return
    atoms = lines[2 : 2 + min(int(lines[0]), SAMPLE)]
    if atoms and all(map(_XYZ_ATOM.fullmatch, atoms)):
        raise InputError(
            what,
            str(path),
            "a text with SMILES or InChI, a table, an SDF or a .parquet",
            "It is an .xyz file, which says no bonds and is not read: make an SDF of it, such as "
            f"by `obabel -ixyz {terminal_path(path)} -osdf -O molecules.sdf`; or in Python give "
            "the atoms that ASE reads to molloop.simulate_molecules.",
        )


def _is_sdf(path: Path, head: str) -> bool:
    fourth = head.splitlines()[3:4]
    if fourth and _COUNTS.fullmatch(fourth[0]):
        return True
    return ending(path) in SDF_ENDINGS and _PART_OF_SDF.search(head) is not None


def _look_at_sdf(path: Path, head: str, reading: Reading) -> Format:
    """Find the data items; what is asked for and stands in no record so far may come later."""
    lines = head.replace("\r\n", "\n").replace("\r", "\n")
    records = [record for _, record in records_of(io.StringIO(lines))]
    if len(head) == HEAD and len(records) > 1:
        records.pop()
    items = list(dict.fromkeys(name for record in records for name in items_of(record)))
    asked = [reading.name_column, *reading.keep_columns]
    later = [name for name in asked if name is not None and not places_of(name, items)]
    if later and len(head) < HEAD:
        raise no_column(path, later[0], items)
    columns = (*items, *later)
    name = None if reading.name_column is None else place_of(path, reading.name_column, columns)
    kept = tuple(place_of(path, one, columns) for one in reading.keep_columns)
    return Format("sdf", "molblock", columns, None, name=name, kept=kept)


def _look_at_parquet(path: Path, reading: Reading) -> Format:
    from molloop.smiles import is_smiles

    with ExitStack() as stack:
        table = open_parquet(path, stack)
        columns = tuple(table.schema_arrow.names)
        kind: TextKind = "smiles"
        found = AS_ASKED
        if reading.column is not None:
            column = place_of(path, reading.column, columns)
        elif named := find_texts(path, columns, reading):
            column, kind = named
            found = "by its name"
        else:
            raise InputError(
                "column",
                None,
                f"the column of SMILES in {path}, which has {listed(columns)}",
                f"Please {reading.remedy('NAME')}.",
            )
        name = columns[column]
        if is_smiles(part(name)[0]):
            raise InputError(
                "column",
                name,
                f"a name that is no SMILES, in {path}",
                "It would not count as a molecule: put a line of names before it where the file "
                "is made, or rename the column.",
            )
        check_texts(path, table, column)
        texts = [text for text in first_texts(table, column, SAMPLE) if text.strip()]
        if sum(text.startswith("InChI=") for text in texts) * 2 > len(texts):
            kind = "inchi"
        elif texts:
            kind = "smiles"
        others = other_columns(path, columns, column, reading)
        return Format("parquet", kind, columns, column, found, *others)
