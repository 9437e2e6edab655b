"""Values known beforehand: they train the model and are not simulated again."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from rdkit import Chem

from molloop.campaign.records import Known
from molloop.errors import InputError, RunError
from molloop.library.features import descriptors, identity_hash, morgan, parse
from molloop.library.shards import Library
from molloop.simulate.outcome import LARGEST_VALUE
from molloop.simulate.protocol import SimulationProtocol


@dataclass(frozen=True, slots=True)
class WarmStart:
    """Known values, and their features as models take them, by kind."""

    known: tuple[Known, ...]
    features: dict[str, NDArray[Any]]


def read_warm_start(
    path: Path | None, column: str, protocol: SimulationProtocol | None, library: Library
) -> WarmStart:
    """Read a .csv file of SMILES and known values; without a path, nothing is known.

    Molecules are matched with the library's by canonical SMILES.

    Parameters
    ----------
    column
        Of the values, such as ``ie_ev``; the other is ``smiles``.
    protocol
        Where the file says with which level and fidelity its values were computed, in columns of
        these names, they must be this one's; None: whichever they are.

    Raises
    ------
    InputError
        The file, a column, a SMILES or a value cannot be read.
    """
    rows = [] if path is None else _read(path, column, protocol)
    molecules: dict[int, Chem.Mol] = {}
    values: dict[int, tuple[str, float]] = {}
    for line, smiles, value in rows:
        molecule = parse(smiles)
        if molecule is None:
            raise InputError(
                f"{path}, line {line}, smiles", smiles, "a valid SMILES", "Mend or remove the line."
            )
        key = identity_hash(Chem.MolToSmiles(molecule))
        if key not in values:
            molecules[key], values[key] = molecule, (smiles, value)
        elif values[key][1] != value:
            raise InputError(
                f"{path}, line {line}, {column}",
                value,
                f"{values[key][1]}, which an earlier line has for the same molecule",
                "Keep one of the two.",
            )
    ids = library.find(list(values))
    known = tuple(Known(smiles, value, ids.get(key)) for key, (smiles, value) in values.items())
    return _with_features(known, list(molecules.values()), library)


def stored_warm_start(known: Sequence[Known], library: Library) -> WarmStart:
    """Return the values that a run began with, from its store.

    Raises
    ------
    RunError
        This version of RDKit refuses a SMILES that another one took.
    """
    molecules = []
    for item in known:
        molecule = parse(item.smiles)
        if molecule is None:
            raise RunError(
                f"RDKit refuses {item.smiles!r}, which was known when the run began.",
                "Go on with the version of RDKit that began it.",
            )
        molecules.append(molecule)
    return _with_features(tuple(known), molecules, library)


def _with_features(
    known: tuple[Known, ...], molecules: list[Chem.Mol], library: Library
) -> WarmStart:
    features: dict[str, NDArray[Any]] = {
        "fingerprints": morgan(molecules, library.manifest.spec.morgan),
        "descriptors": library.scaling.apply(descriptors(molecules)),
    }
    return WarmStart(known, features)


def _read(
    path: Path, column: str, protocol: SimulationProtocol | None
) -> list[tuple[int, str, float]]:
    rows = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            missing = [name for name in ("smiles", column) if name not in (table.fieldnames or [])]
            if missing:
                raise InputError(
                    f"the columns of {path}",
                    ", ".join(table.fieldnames or []),
                    f"smiles and {column}",
                    f"Add {' and '.join(missing)}.",
                )
            same = {}
            if protocol is not None:
                same = {"level": protocol.outcome_level, "fidelity": protocol.outcome_fidelity}
            for row in table:
                for name, expected in same.items():
                    if row.get(name) and row[name] != expected:
                        raise InputError(
                            f"{path}, line {table.line_num}, {name}",
                            row[name],
                            f"{expected!r}, this run's",
                            "Values of different levels cannot be mixed: leave the line out.",
                        )
                value = _number(row[column])
                if value is None:
                    raise InputError(
                        f"{path}, line {table.line_num}, {column}",
                        row[column],
                        f"a finite number, {LARGEST_VALUE:g} at most",
                        "Mend or remove the line.",
                    )
                rows.append((table.line_num, (row["smiles"] or "").strip(), value))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            "campaign.training_data", str(path), "a .csv file", f"It cannot be read: {error}."
        ) from error
    if not rows:
        raise InputError(
            "campaign.training_data", str(path), "at least one row", "Leave the option out."
        )
    return rows


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) <= LARGEST_VALUE else None  # nan is not
