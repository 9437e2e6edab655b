"""A table of values known beforehand, row by row."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molloop.errors import InputError
from molloop.goal import Quantity
from molloop.library.reading.options import Reading
from molloop.library.tables import FLAGS, MADE_BY, SMILES, STATE, is_empty, rows_of
from molloop.simulate.outcome import LARGEST_VALUE
from molloop.simulate.protocol import SimulationProtocol
from molloop.texts import utf8_text

TRAINING_DATA = "campaign.training_data"
# a column of another meaning may have the same name
_SMALL = re.compile(r"\s*([+-]?\d{1,3})(\.0*)?\s*", re.ASCII)


@dataclass
class KnownTable:
    """What a table of known values says.

    Attributes
    ----------
    rows
        Where each row stands, its SMILES and value.
    said
        SMILES -> what the first row with a value says beside it, as attributes of `Known`.
    n_without
        Rows that hold no value.
    """

    rows: list[tuple[str, str, float]] = field(default_factory=list)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    n_without: int = 0


def read_known(
    path: Path,
    column: str,
    protocol: SimulationProtocol,
    level: str | None,
    reading: Reading | None,
    further: Sequence[Quantity] = (),
) -> KnownTable:
    """Read a table of known values; see `molloop.campaign.warm_start.read_warm_start`.

    Parameters
    ----------
    further
        Quantities that have columns of their own; a cell may be empty.

    Raises
    ------
    InputError
        The file, a column or a value cannot be read, or a value was computed otherwise.
    """
    found = KnownTable()
    others = (*MADE_BY, FLAGS, *STATE)
    required = (column, *(one.column for one in further))
    with rows_of(path, TRAINING_DATA, required, others, reading) as table:
        for line, cells in table:
            where = f"{path}, line {line}"
            if is_empty(cells[column]):
                found.n_without += 1
                continue
            said = {
                "level": _level_of(where, cells, protocol, level),
                "name": utf8_text(table.name),
                "flags": flags_of(cells),
                "further": {
                    one.name: table.number(line, one.column, cells[one.column], LARGEST_VALUE)
                    for one in further
                    if not is_empty(cells[one.column])
                },
                **_state_of(cells),
            }
            value = table.number(line, column, cells[column], LARGEST_VALUE)
            found.rows.append((where, cells[SMILES], value))
            found.said.setdefault(cells[SMILES], said)
    if not found.rows:
        expected = "at least one row with a value"
        raise InputError(TRAINING_DATA, str(path), expected, "Leave the option out.")
    return found


def flags_of(cells: Mapping[str, str]) -> tuple[str, ...]:
    """Return the flags of a known value, as the cells of its row have them."""
    return tuple(map(utf8_text, cells.get(FLAGS, "").split()))


def _state_of(cells: Mapping[str, str]) -> dict[str, int]:
    """Return charge and unpaired electrons, where a row says them by a whole number."""
    found = {name: _SMALL.fullmatch(cells.get(name, "")) for name in STATE}
    return {name: int(one[1]) for name, one in found.items() if one}


def _level_of(
    where: str, cells: Mapping[str, str], protocol: SimulationProtocol, level: str | None
) -> str:
    """Return the level of a value where it is not the run's: the one that the user names.

    Raises
    ------
    InputError
        It is another one, or nobody says it.
    """
    run = {"level": protocol.outcome_level, "fidelity": protocol.outcome_fidelity}
    said = cells.get("level") or level or ""
    if level not in (None, run["level"]) and said == level:
        return said
    _check_made(f"{where}, level", said, run["level"], run)
    if level is None or cells.get("level") or cells.get("fidelity"):
        _check_made(f"{where}, fidelity", cells.get("fidelity", ""), run["fidelity"], run)
    return ""


def _check_made(what: str, said: str, expected: str, made_by: Mapping[str, str]) -> None:
    """Raise InputError where a row does not say that its value was computed as this run's are."""
    if said == expected:
        return
    remedy = "leave the line out."
    if not said:
        told = " and ".join(f"{name} = {one}" for name, one in made_by.items())
        remedy = (
            f"if this one was computed so, say it in columns of these names: {told}; or say of all "
            "by `--training-level LEVEL` (campaign.training_level) what they are."
        )
    raise InputError(
        what,
        said or None,
        f"{expected!r}, this run's",
        f"Values that were computed in different ways do not compare: {remedy}",
    )
