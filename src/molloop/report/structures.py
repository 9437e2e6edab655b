"""Molecules, with geometries mostly, in the formats of other programs."""

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from molloop.errors import InputError, SimulationError
from molloop.files import write_whole
from molloop.goal import Quantity
from molloop.molecule import Geometry, Molecule, label
from molloop.simulate.outcome import Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.texts import sdf_line, sdf_lines, utf8_text, xyz_text

if TYPE_CHECKING:
    from ase import Atoms
    from rdkit.Chem import Mol

Fact = str | float
ENERGY = "molecule_energy_ev"  # what `ionization` calls the energy of the relaxed molecule
DRAWN: dict[str, Fact] = {"geometry": "a drawing in 2D: nothing was relaxed"}
NO_BONDS = "Take extxyz or ase-db, which have no bonds."
XYZ_KEYS = {"lattice", "properties", "pbc", "virial", "uid"}  # mean something in extended XYZ


@dataclass(frozen=True, eq=False)
class Structure:
    """A molecule with its geometry (Å), if there is one, and what is known of it, by name."""

    smiles: str
    geometry: Geometry | None
    facts: dict[str, Fact]
    name: str = ""


def structure_of(
    molecule: Molecule,
    success: Success,
    quantity: Quantity,
    protocol: SimulationProtocol,
    kept: Mapping[str, str],
    versions: str = "",
    others: Mapping[str, float] | None = None,
) -> Structure:
    """Return a molecule of which a simulation gave a value.

    Parameters
    ----------
    kept
        What columns of the user's own file say of it.
    versions
        Of the programs that the value depends on.
    others
        Further numbers, by name: of several stages.
    """
    facts = facts_of(molecule, success, quantity, protocol, kept, versions, others)
    return Structure(molecule.smiles, success.geometry, facts, molecule.name)


def facts_of(
    molecule: Molecule,
    success: Success,
    quantity: Quantity,
    protocol: SimulationProtocol,
    kept: Mapping[str, str],
    versions: str = "",
    others: Mapping[str, float] | None = None,
) -> dict[str, Fact]:
    """Return what is known: name, value and level, flags, other values, energies, kept columns."""
    values: dict[str, Fact] = dict(success.named)
    facts: dict[str, Fact] = {"smiles": molecule.smiles}
    facts |= {"name": molecule.name} if molecule.name else {}
    for one in (quantity, *protocol.further):
        facts |= {one.column: values.pop(one.name)} if one.name in values else {}
    facts |= others or {}
    facts |= {"level": protocol.outcome_level, "fidelity": protocol.outcome_fidelity}
    facts |= {"flags": " ".join(success.flags)} if success.flags else {}
    facts |= {"versions": versions} if versions else {}
    for name, point in success.calculations.items():
        energy: dict[str, Fact] = {"energy_ev": point.energy_ev}
        parts = energy | {"charge": point.charge, "n_unpaired": point.n_unpaired}
        values |= {f"{name}_{part}": number for part, number in parts.items()}
    facts |= renamed(values, facts.__contains__)
    return facts | renamed({key: text for key, text in kept.items() if text}, facts.__contains__)


def renamed(facts: Mapping[str, Fact], is_taken: Callable[[str], bool]) -> dict[str, Fact]:
    """Return facts by names that are words and not taken: ``charge`` as ``molecule_charge``.

    They begin with a letter: RDKit writes no property of an SDF that begins with ``_``.
    """
    found: dict[str, Fact] = {}
    for key, value in facts.items():
        name = re.sub(r"\W", "_", key, flags=re.ASCII)
        while is_taken(name) or name in found or not re.match("[A-Za-z]", name):
            name = f"molecule_{name}"
        found[name] = value
    return found


def can_hold(file_format: str, one: Structure) -> bool:
    """Whether a format can hold a molecule: without a geometry, SDF alone, which has bonds."""
    return file_format == "sdf" or one.geometry is not None


def write_structures(path: Path, file_format: str, found: Sequence[Structure]) -> None:
    """Write a whole file or none.

    Parameters
    ----------
    file_format
        ``extxyz`` (extended XYZ, the facts in the comment line), ``sdf`` (the name, or else the
        SMILES, as the title, the facts as properties) or ``ase-db`` (a database of ASE, the facts
        as its key-value pairs). In the formats of ASE, facts whose name means something else there
        begin with ``molecule_``, and the energy of the relaxed molecule is that of a calculator
        too.
    found
        Each such that the format can hold it. Of a molecule without a geometry, an SDF has the
        drawing in two dimensions, and says so in the property ``geometry``.

    Raises
    ------
    OSError
        It cannot be written.
    """
    write = STRUCTURE_FORMATS[file_format]
    write_whole(path, lambda unfinished: write(unfinished, found))


def save_format(path: Path) -> str:
    """Return the format that --save means by a name, before anything is computed.

    Raises
    ------
    InputError
        It has another ending, or its folder is not there.
    """
    formats = {".xyz": "extxyz", ".sdf": "sdf"}
    if path.suffix.lower() not in formats:
        raise InputError("--save", str(path), "a file that ends with .xyz or .sdf", "Rename it.")
    if not path.absolute().parent.is_dir():
        raise InputError("--save", str(path), "a file in a folder that exists", "Make the folder.")
    return formats[path.suffix.lower()]


def _atoms(one: Structure) -> "Atoms":
    from ase.calculators.singlepoint import SinglePointCalculator

    assert one.geometry is not None  # see `can_hold`
    atoms = one.geometry.to_atoms()
    if ENERGY in one.facts:
        atoms.calc = SinglePointCalculator(atoms, energy=one.facts[ENERGY])
    return atoms


def _is_ase_s(name: str) -> bool:
    """Whether ASE has another use for a name."""
    from ase.db.core import numeric_keys, reserved_keys
    from ase.formula import Formula

    if name in reserved_keys | numeric_keys or name.lower() in XYZ_KEYS:
        return True
    try:
        Formula(name, strict=True)  # a selection by it would count atoms
    except ValueError:
        return False
    return True


def _write_xyz(path: Path, found: Sequence[Structure]) -> None:
    from ase.io import write

    images = []
    for one in found:
        images.append(_atoms(one))
        images[-1].info = {
            key: xyz_text(value) if isinstance(value, str) else value
            for key, value in renamed(one.facts, _is_ase_s).items()
        }
    write(path, images, format="extxyz")


def _write_sdf(path: Path, found: Sequence[Structure]) -> None:
    from rdkit import Chem

    with path.open("w", encoding="utf-8") as file, Chem.SDWriter(file) as writer:
        for one in found:
            molecule = _in_space(one) if one.geometry is not None else _drawn(one)
            facts = dict(one.facts)
            if one.geometry is None:
                facts |= renamed(DRAWN, facts.__contains__)
            molecule.SetProp("_Name", sdf_line(one.name or one.smiles))
            for key, value in facts.items():
                molecule.SetProp(key, sdf_lines(str(value)))
            writer.write(molecule)


def _with_hydrogens(one: Structure) -> "Mol":
    from molloop.simulate.structure import molecule_with_hydrogens

    try:
        # a user's own simulator may have taken them
        return molecule_with_hydrogens(utf8_text(one.smiles), one.name, may_have_dummies=True)
    except SimulationError as error:
        expected = "one that RDKit reads, for sdf"
        raise InputError(
            "SMILES", f"{label(one.smiles, one.name):.80}", expected, NO_BONDS
        ) from error


def _in_space(one: Structure) -> "Mol":
    """Return a molecule with its bonds by the SMILES, and its geometry."""
    from rdkit import Chem

    assert one.geometry is not None
    molecule = _with_hydrogens(one)
    numbers = [atom.GetAtomicNum() for atom in molecule.GetAtoms()]
    if numbers != one.geometry.numbers.tolist():
        raise InputError(
            "geometry",
            f"{label(one.smiles, one.name):.80}",
            "atoms in the order of the SMILES, hydrogens last, for sdf",
            NO_BONDS,
        )
    conformer = Chem.Conformer(molecule.GetNumAtoms())
    conformer.Set3D(True)
    conformer.SetPositions(np.array(one.geometry.positions_angstrom, dtype=np.float64))
    molecule.AddConformer(conformer)
    return molecule


def _drawn(one: Structure) -> "Mol":
    """Return a molecule as it is drawn on paper, hydrogens left out."""
    from rdkit import Chem
    from rdkit.Chem import rdDepictor

    molecule = Chem.RemoveHs(_with_hydrogens(one))
    rdDepictor.Compute2DCoords(molecule)
    return molecule


def _write_ase_db(path: Path, found: Sequence[Structure]) -> None:
    from ase.db import connect
    from ase.db.core import check

    def is_taken(key: str, value: Fact) -> bool:
        try:
            check({key: value})  # refuses texts that look like numbers
        except ValueError:
            return False
        return True

    try:
        with connect(path, type="db", append=False) as database:
            for one in found:
                facts = {
                    key: utf8_text(value) if isinstance(value, str) else value
                    for key, value in one.facts.items()
                }
                named = renamed(facts, _is_ase_s)
                pairs = {key: value for key, value in named.items() if is_taken(key, value)}
                database.write(_atoms(one), key_value_pairs=pairs, data=facts)
    except sqlite3.Error as error:
        raise OSError(str(error)) from error


STRUCTURE_FORMATS: dict[str, Callable[[Path, Sequence[Structure]], None]] = {
    "sdf": _write_sdf,
    "extxyz": _write_xyz,
    "ase-db": _write_ase_db,
}
