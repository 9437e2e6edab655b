"""Whether an entry can be read at all, and what was understood of the first ones of a file."""

from collections.abc import Sequence

from molloop.library.reading.format import Entry, Format, TextKind

MAX_SHOWN = 60  # characters of a text
_NAMES = {"smiles": "SMILES", "inchi": "InChI", "molblock": "molfile"}


def can_be_read(entry: Entry, kind: TextKind) -> bool:
    """Whether an entry stands for a molecule, be it one with dummy atoms."""
    from molloop.smiles import NoMoleculeError, read_molecule

    try:
        read_molecule(entry.text, kind, may_have_dummies=True)
    except NoMoleculeError:
        return False
    return not entry.fault


def understood(entries: Sequence[Entry], file_format: Format) -> str:
    """Say what was understood of some entries."""
    return "; ".join(_said(entry, file_format) for entry in entries)


def _said(entry: Entry, file_format: Format) -> str:
    if entry.fault:
        return f"line {entry.line}: {entry.fault}"
    text = f"line {entry.line}: {_NAMES[file_format.text_kind]} {_short(entry.text)}"
    return f"{text}, name {_short(entry.name)}" if entry.name else text


def _short(text: str) -> str:
    return repr(text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}...")
