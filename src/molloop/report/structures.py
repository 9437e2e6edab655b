"""Relaxed molecules in the formats of other programs."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from molloop.errors import InputError
from molloop.files import write_whole
from molloop.simulate.outcome import Geometry, Success
from molloop.simulate.property import Property

if TYPE_CHECKING:
    from ase import Atoms

Fact = str | float


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
    return facts | success.details | ({"flags": " ".join(success.flags)} if success.flags else {})


def write_structures(path: Path, file_format: str, found: Sequence[Structure]) -> None:
    """Write a whole file or none.

    Parameters
    ----------
    file_format
        ``extxyz`` (extended XYZ, the facts in the comment line), ``sdf`` (the facts as properties)
        or ``ase-db`` (a database of ASE, the facts as its key-value pairs).

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

    return Atoms(one.geometry.numbers, one.geometry.positions_angstrom)


def _write_xyz(path: Path, found: Sequence[Structure]) -> None:
    from ase.io import write

    images = []
    for one in found:
        images.append(_atoms(one))
        images[-1].info = dict(one.facts)
    write(path, images, format="extxyz")


def _write_sdf(path: Path, found: Sequence[Structure]) -> None:
    from rdkit import Chem
    from rdkit.Geometry import Point3D

    from molloop.simulate.structure import molecule_with_hydrogens

    with path.open("w", encoding="utf-8") as file, Chem.SDWriter(file) as writer:
        for one in found:
            molecule = molecule_with_hydrogens(one.smiles)
            numbers = [atom.GetAtomicNum() for atom in molecule.GetAtoms()]
            if numbers != one.geometry.numbers.tolist():
                raise InputError(
                    "geometry",
                    one.smiles,
                    "atoms in the order of the SMILES, hydrogens last, for sdf",
                    "Take extxyz or ase-db, which have no bonds.",
                )
            conformer = Chem.Conformer(molecule.GetNumAtoms())
            conformer.Set3D(True)
            for atom, place in enumerate(one.geometry.positions_angstrom):
                conformer.SetAtomPosition(atom, Point3D(*map(float, place)))
            molecule.AddConformer(conformer)
            molecule.SetProp("_Name", one.smiles)
            for key, value in one.facts.items():
                molecule.SetProp(key, str(value))
            writer.write(molecule)


def _write_ase_db(path: Path, found: Sequence[Structure]) -> None:
    from ase.db import connect

    try:
        with connect(path, type="db", append=False) as database:
            for one in found:
                database.write(_atoms(one), key_value_pairs=one.facts)
    except sqlite3.Error as error:
        raise OSError(str(error)) from error


STRUCTURE_FORMATS: dict[str, Callable[[Path, Sequence[Structure]], None]] = {
    "sdf": _write_sdf,
    "extxyz": _write_xyz,
    "ase-db": _write_ase_db,
}
