"""Columns by their names, as files of molecules have them."""

import re
from collections.abc import Sequence
from pathlib import Path

from molloop.errors import InputError
from molloop.library.reading.format import TextKind
from molloop.library.reading.options import Reading

# what is looked for first stands first, as `plain_name` writes it
SMILES_NAMES = (
    *("smiles", "isomericsmiles", "isosmiles", "cxsmiles", "canonicalsmiles", "cansmiles", "smi"),
    *("openeyecansmiles", "openeyeisosmiles", "smilesstring"),
)
INCHI_NAMES = ("inchi", "standardinchi", "stdinchi", "inchistring")
MOLECULE_NAMES = (
    *("name", "moleculename", "molname", "compoundname", "cmpdname", "title"),
    *("compound", "zincid", "chemblid"),
    *("moleculechemblid", "idnumber", "catalogid", "catalognumber", "catalogueid", "compoundid"),
    # of vendors and databases: MolPort's MOLPORTID, Chemspace's CHEMSPACE_ID, ...
    *("molportid", "chemspaceid", "enamineid", "emoleculesid", "mculeid", "chemdivid", "zinc"),
    *("pubchemcompoundcid", "pubchemid", "surechemblid", "catalog", "identifier"),
    *("moleculeid", "molid", "pubchemcid", "cid", "drugbankid", "casnumber", "cas", "id", "code"),
    *("versionid", "parentid"),  # eMolecules' `isosmiles version_id parent_id`
)
_JOINTS = re.compile(r"(?<=\w)[\s_.-]+(?=\w)|(?<=\w)_+|_+(?=\w)")


def plain_name(name: str) -> str:
    """Return what counts of a name: ``Canonical SMILES`` and ``canonical_smiles`` are the same."""
    return _JOINTS.sub("", name.strip().lower())


def places_of(wanted: str, columns: Sequence[str]) -> list[int]:
    """Return the places of the columns that a name may mean; where none has it, of that number."""
    for same in (lambda one: one == wanted, lambda one: plain_name(one) == plain_name(wanted)):
        if found := [place for place, name in enumerate(columns) if name and same(name)]:
            return found
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 9 else 0
    return [number - 1] if 1 <= number <= len(columns) else []


def place_of(path: Path, wanted: str, columns: Sequence[str]) -> int:
    """Return the place of a column by its name or number.

    Raises
    ------
    InputError
        There is none, or there are two.
    """
    found = places_of(wanted, columns)
    if not found:
        raise no_column(path, wanted, columns)
    if len(found) > 1:
        expected = f"a name that {path} has once"
        raise InputError("column", wanted, expected, "Rename the others, or give its number.")
    return found[0]


def no_column(path: Path, wanted: str, columns: Sequence[str]) -> InputError:
    """Return the error of a column that is not there."""
    return InputError(
        "column",
        wanted,
        f"a column of {path} ({listed(columns) or 'it has none'})",
        "Give the name of one, or its number from 1.",
    )


def other_columns(
    path: Path, columns: Sequence[str], column: int, reading: Reading
) -> tuple[int | None, tuple[int, ...]]:
    """Return the places of the names, by a known name if none is asked for, and of what is kept.

    Parameters
    ----------
    column
        Place of the texts.

    Raises
    ------
    InputError
        One that is asked for is not there, or there twice.
    """
    kept = tuple(place_of(path, name, columns) for name in reading.keep_columns)
    if reading.name_column is not None:
        return place_of(path, reading.name_column, columns), kept
    plain = list(map(plain_name, columns))
    named = (plain.index(name) for name in MOLECULE_NAMES if plain.count(name) == 1)
    return next((place for place in named if place != column), None), kept


def is_known(name: str) -> bool:
    """Whether a name is that of a column of SMILES or InChI."""
    plain = plain_name(name)
    return "smiles" in plain or plain in SMILES_NAMES or plain in INCHI_NAMES


def has_names(cells: Sequence[str], reading: Reading) -> bool:
    """Whether cells hold a known name, or the one that is asked for."""
    wanted = reading.column
    is_name = wanted is not None and not wanted.isdigit()
    return any(map(is_known, cells)) or (is_name and bool(places_of(str(wanted), cells)))


def find_texts(path: Path, columns: Sequence[str], reading: Reading) -> tuple[int, TextKind] | None:
    """Return the place of the column of SMILES, else of InChI, by its name; None: there is none.

    Raises
    ------
    InputError
        Several columns may be it.
    """
    plain = list(map(plain_name, columns))
    named: list[tuple[list[int], TextKind]] = [
        *((_places(plain, name), "smiles") for name in SMILES_NAMES),
        ([place for place, name in enumerate(plain) if "smiles" in name], "smiles"),
        *((_places(plain, name), "inchi") for name in INCHI_NAMES),
    ]
    places, kind = next((one for one in named if one[0]), ([], "smiles"))
    if len(places) > 1:
        raise InputError(
            "column",
            None,
            f"one column of SMILES in {path}, which has {listed(columns)}",
            f"If it is the first of them, {reading.remedy(places[0] + 1)}.",
        )
    return (places[0], kind) if places else None


def _places(names: Sequence[str], wanted: str) -> list[int]:
    return [place for place, name in enumerate(names) if name == wanted]


def listed(names: Sequence[str], most: int = 20) -> str:
    """Return names for a message."""
    shown = ", ".join(f"{name[:40]!r}" for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
