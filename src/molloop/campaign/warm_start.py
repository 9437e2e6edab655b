"""Values known beforehand: they train the model and are not simulated again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from molloop.campaign.jobs import Known
from molloop.campaign.known_table import read_known
from molloop.errors import InputError, RunError
from molloop.goal import Goal
from molloop.library.features import for_models
from molloop.library.identity import identity_of
from molloop.library.kinds import kinds_of
from molloop.library.own_features import computed
from molloop.library.reading.options import Reading
from molloop.library.shards import Library
from molloop.library.taken import take
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.structure import state_of
from molloop.smiles import NoMoleculeError


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
    goal: Goal | None = None,
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
    goal
        What is searched for, where it is more than one objective: the file has columns of its
        further quantities, too. Those of the library are known of molecules that it holds.

    Raises
    ------
    InputError
        The file, a column, a SMILES or a value cannot be read, or a value was computed otherwise.
    """
    if path is None:
        return known_values((), column, library)
    computed = () if goal is None else goal.computed[1:]
    found = read_known(path, column, protocol, level, reading, computed)
    warm_start = known_values(found.rows, column, library)
    known = tuple(
        described(replace(one, **found.said[one.smiles]), goal, library) for one in warm_start.known
    )
    return replace(warm_start, known=known, n_without=found.n_without)


def described(known: Known, goal: Goal | None, library: Library) -> Known:
    """Return a known value with what the library knows of the molecule, and a goal asks for."""
    if goal is None or known.molecule_id is None:
        return known
    of_library = library.described(goal.quantities, known.molecule_id)
    return replace(known, further={**known.further, **of_library})


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
