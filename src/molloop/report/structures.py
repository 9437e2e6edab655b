"""Relaxed molecules in the formats of other programs."""

import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from molloop.errors import InputError, SimulationError
from molloop.files import write_whole
from molloop.molecule import Geometry
from molloop.simulate.outcome import Success
from molloop.simulate.property import Property
from molloop.texts import sdf_line, utf8_text, xyz_text

if TYPE_CHECKING:
    from ase import Atoms

Fact = str | float
ENERGY = "molecule_energy_ev"  # what `ionization` calls the energy of the relaxed molecule
NO_BONDS = "Take extxyz or ase-db, which have no bonds."
XYZ_KEYS = {"lattice", "properties", "pbc", "virial", "uid"}  # mean something in extended XYZ


@dataclass(frozen=True, eq=False)
class Structure:
    """A molecule with its geometry (Å), and what is known of it, by name."""

    smiles: str
    geometry: Geometry
    facts: dict[str, Fact]


def structures_of(
    smiles: Iterable[str], successes: Iterable[Success], target: Property
) -> list[Structure]:
    """Return those that have a geometry."""
    return [
        Structure(text, one.geometry, facts_of(text, one, target))
        for text, one in zip(smiles, successes, strict=True)
        if one.geometry is not None
    ]


def facts_of(smiles: str, success: Success, target: Property) -> dict[str, Fact]:
    """Return what is known of a molecule: its value and level, details, flags."""
    facts: dict[str, Fact] = {"smiles": smiles, target.column: success.value}
    facts |= {"level": success.level, "fidelity": success.fidelity}
    facts |= {"flags": " ".join(success.flags)} if success.flags else {}
    return facts | renamed(success.details, facts.__contains__)


def renamed(facts: Mapping[str, Fact], is_taken: Callable[[str], bool]) -> dict[str, Fact]:
    """Return facts by names that are words and not taken: ``charge`` as ``molecule_charge``."""
    found: dict[str, Fact] = {}
    for key, value in facts.items():
        name = re.sub(r"\W", "_", key, flags=re.ASCII)
        while is_taken(name) or name in found or not re.match("[A-Za-z_]", name):
            name = f"molecule_{name}"
        found[name] = value
    return found


def write_structures(path: Path, file_format: str, found: Sequence[Structure]) -> None:
    """Write a whole file or none.

    Parameters
    ----------
    file_format
        ``extxyz`` (extended XYZ, the facts in the comment line), ``sdf`` (the facts as properties)
        or ``ase-db`` (a database of ASE, the facts as its key-value pairs). In the formats of ASE,
        facts whose name means something else there begin with ``molecule_``, and the energy of
        the relaxed molecule is that of a calculator too.

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
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    atoms = Atoms(one.geometry.numbers, one.geometry.positions_angstrom)
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
    from rdkit.Geometry import Point3D

    from molloop.simulate.structure import molecule_with_hydrogens

    with path.open("w", encoding="utf-8") as file, Chem.SDWriter(file) as writer:
        for one in found:
            try:
                molecule = molecule_with_hydrogens(utf8_text(one.smiles))
            except SimulationError as error:
                expected = "one that RDKit reads, for sdf"
                raise InputError("SMILES", f"{one.smiles:.80}", expected, NO_BONDS) from error
            numbers = [atom.GetAtomicNum() for atom in molecule.GetAtoms()]
            if numbers != one.geometry.numbers.tolist():
                raise InputError(
                    "geometry",
                    f"{one.smiles:.80}",
                    "atoms in the order of the SMILES, hydrogens last, for sdf",
                    NO_BONDS,
                )
            conformer = Chem.Conformer(molecule.GetNumAtoms())
            conformer.Set3D(True)
            for atom, place in enumerate(one.geometry.positions_angstrom):
                conformer.SetAtomPosition(atom, Point3D(*map(float, place)))
            molecule.AddConformer(conformer)
            molecule.SetProp("_Name", sdf_line(one.smiles))
            for key, value in one.facts.items():
                molecule.SetProp(key, sdf_line(str(value)))
            writer.write(molecule)


def _write_ase_db(path: Path, found: Sequence[Structure]) -> None:
    from ase.db import connect
    from ase.db.core import check

    def can_hold(key: str, value: Fact) -> bool:
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
                pairs = {key: value for key, value in named.items() if can_hold(key, value)}
                database.write(_atoms(one), key_value_pairs=pairs, data=facts)
    except sqlite3.Error as error:
        raise OSError(str(error)) from error


STRUCTURE_FORMATS: dict[str, Callable[[Path, Sequence[Structure]], None]] = {
    "sdf": _write_sdf,
    "extxyz": _write_xyz,
    "ase-db": _write_ase_db,
}
