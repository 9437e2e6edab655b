"""Values known beforehand: they train the model and are not simulated again."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from molloop.campaign.jobs import Known
from molloop.errors import InputError, RunError
from molloop.library.features import for_models
from molloop.library.identity import identity_of
from molloop.library.kinds import kinds_of
from molloop.library.own_features import computed
from molloop.library.reading.options import Reading
from molloop.library.shards import Library
from molloop.library.tables import FLAGS, MADE_BY, SMILES, STATE, is_empty, rows_of
from molloop.library.taken import take
from molloop.simulate.outcome import LARGEST_VALUE
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.structure import state_of
from molloop.smiles import NoMoleculeError
from molloop.texts import utf8_text

TRAINING_DATA = "campaign.training_data"
# a column of another meaning may have the same name
_SMALL = re.compile(r"\s*([+-]?\d{1,3})(\.0*)?\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class WarmStart:
    """Known values, and their features as models take them, by kind.

    Attributes
    ----------
    n_without
        Rows of the file that hold no value.
    """

    known: tuple[Known, ...]
    features: dict[str, NDArray[Any]]
    n_without: int = 0

    @property
    def molecule_ids(self) -> list[int]:
        """Of those that the library holds."""
        return [one.molecule_id for one in self.known if one.molecule_id is not None]


def read_warm_start(
    path: Path | None,
    column: str,
    protocol: SimulationProtocol,
    library: Library,
    level: str | None = None,
    reading: Reading | None = None,
) -> WarmStart:
    """Read a table of molecules and known values; without a path, nothing is known.

    Molecules are matched with the library's by canonical SMILES. Nothing is known of a row whose
    value is empty or ``nan``.

    Parameters
    ----------
    path
        A table, or any other file of molecules that has a column of values.
    column
        Of the values, such as ``ie_ev``.
    protocol
        How the values must have been computed. Each row says it in the columns ``level`` and
        ``fidelity``: values of different levels do not compare.
    level
        What the user says of values whose rows do not say it; it may be another one than the run's.
    reading
        What the user says of the file.

    Raises
    ------
    InputError
        The file, a column, a SMILES or a value cannot be read, or a value was computed otherwise.
    """
    found = _Read() if path is None else _read(path, column, protocol, level, reading)
    warm_start = known_values(found.rows, column, library)
    known = tuple(replace(one, **found.said[one.smiles]) for one in warm_start.known)
    return replace(warm_start, known=known, n_without=found.n_without)


def known_values(
    rows: Iterable[tuple[str, str, float]], column: str, library: Library
) -> WarmStart:
    """Return known values, each molecule once, and which of them the library holds.

    Parameters
    ----------
    rows
        Where it stands, SMILES and value of each.
    column
        Of the values.

    Raises
    ------
    InputError
        A SMILES cannot be read, or a molecule has two values.
    """
    molecules: dict[int, Chem.Mol] = {}
    values: dict[int, tuple[str, float]] = {}
    for where, smiles, value in rows:
        key, molecule = identified(where, smiles, library)
        if key not in values:
            molecules[key], values[key] = molecule, (smiles, value)
        elif values[key][1] != value:
            raise InputError(
                f"{where}, {column}",
                value,
                f"{values[key][1]}, which an earlier line has for the same molecule",
                "Keep one of the two.",
            )
    ids = library.find(list(values))
    known = tuple(
        Known(smiles, value, ids.get(key), "", "", (), *state_of(molecules[key]))
        for key, (smiles, value) in values.items()
    )
    places = [one.molecule_id for one in known]
    return WarmStart(known, features_of(list(molecules.values()), places, library))


def identified(where: str, smiles: str, library: Library) -> tuple[int, Chem.Mol]:
    """Return what a SMILES stands for, behind the hash by which the library finds it.

    Raises
    ------
    InputError
        It is none; the error says where it stands.
    """
    spec = library.manifest.spec
    try:
        with rdBase.BlockLogs():
            molecule = take(smiles, "smiles", spec.fragments).molecule
    except NoMoleculeError as error:
        expected = f"a valid SMILES ({error})"
        raise InputError(
            f"{where}, smiles", smiles, expected, "Correct or remove the line."
        ) from error
    return identity_of(molecule, spec.same_as), molecule


def stored_warm_start(known: Sequence[Known], library: Library) -> WarmStart:
    """Return the values that a run began with, from its store.

    Raises
    ------
    RunError
        This version of RDKit refuses a SMILES that another one took.
    """
    molecules = []
    fragments = library.manifest.spec.fragments
    for item in known:
        try:
            with rdBase.BlockLogs():
                molecules.append(take(item.smiles.strip(), "smiles", fragments).molecule)
        except NoMoleculeError as error:
            raise RunError(
                f"RDKit refuses {item.smiles!r} ({error}), which was known when the run began.",
                "Go on with the version of RDKit that began it.",
            ) from error
    return WarmStart(
        tuple(known), features_of(molecules, [one.molecule_id for one in known], library)
    )


def features_of(
    molecules: Sequence[Chem.Mol], molecule_ids: Sequence[int | None], library: Library
) -> dict[str, NDArray[Any]]:
    """Return features of n molecules by kind, each (n, width), as models of a library take them.

    Parameters
    ----------
    molecule_ids
        Of those that the library holds: only there, it may say more of them than their structure.

    Raises
    ------
    RunError
        Features of another package or of the user's own cannot be computed.
    """
    found = {
        name: for_models(kind.compute(molecules), library.scaling)
        for name, kind in kinds_of(library.manifest.spec.morgan).items()
    }
    inside = [row for row, one in enumerate(molecule_ids) if one is not None]
    outside = [row for row, one in enumerate(molecule_ids) if one is None]
    for name in [one for one in library.scalings if one not in found]:
        known = library.features(name, [one for one in molecule_ids if one is not None])
        rows = found[name] = np.empty((len(molecules), known.shape[1]), known.dtype)
        rows[inside] = known
        if outside:
            new = computed(name, [molecules[row] for row in outside], known.shape[1])
            rows[outside] = for_models(new, library.scalings[name])
    return found


@dataclass
class _Read:
    """Where each row stands, its SMILES and value; what the file says beside of a SMILES' value."""

    rows: list[tuple[str, str, float]] = field(default_factory=list)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)  # attributes of `Known`
    n_without: int = 0


def _read(
    path: Path,
    column: str,
    protocol: SimulationProtocol,
    level: str | None,
    reading: Reading | None,
) -> _Read:
    found = _Read()
    others = (*MADE_BY, FLAGS, *STATE)
    with rows_of(path, TRAINING_DATA, (column,), others, reading) as table:
        for line, cells in table:
            where = f"{path}, line {line}"
            if is_empty(cells[column]):
                found.n_without += 1
                continue
            said = {
                "level": _level_of(where, cells, protocol, level),
                "name": utf8_text(table.name),
                "flags": flags_of(cells),
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
