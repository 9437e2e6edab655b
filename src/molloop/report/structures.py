"""Relaxed molecules in the formats of other programs."""

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.io import write
from rdkit import Chem
from rdkit.Geometry import Point3D

from molloop.errors import InputError
from molloop.simulate.outcome import Success
from molloop.simulate.property import Property
from molloop.simulate.structure import molecule_with_hydrogens


def write_structures(
    path: Path, smiles: Sequence[str], successes: Sequence[Success], target: Property
) -> None:
    """Write molecules with their geometry (Å) and what is known of them.

    Parameters
    ----------
    path
        Ends with .xyz (extended XYZ, the facts in the comment line) or .sdf.
    smiles, successes
        One a molecule; one without a geometry is left out.

    Raises
    ------
    InputError
        The file has another ending, or cannot be written.
    """
    check_path(path)
    found = [pair for pair in zip(smiles, successes, strict=True) if pair[1].geometry is not None]
    try:
        _FORMATS[path.suffix.lower()](path, found, target)
    except OSError as error:
        raise InputError(
            "--save", str(path), "a file that can be written", f"It fails with: {error}."
        ) from error


def check_path(path: Path) -> None:
    """Raise InputError where no structures can be written: before they are computed."""
    if path.suffix.lower() not in _FORMATS:
        raise InputError("--save", str(path), "a file that ends with .xyz or .sdf", "Rename it.")
    if not path.absolute().parent.is_dir():
        raise InputError("--save", str(path), "a file in a folder that exists", "Make the folder.")


def _facts(smiles: str, success: Success, target: Property) -> dict[str, str | float]:
    facts: dict[str, str | float] = {"smiles": smiles, target.column: success.value}
    facts |= {"level": success.level, "fidelity": success.fidelity}
    return facts | success.details | ({"flags": " ".join(success.flags)} if success.flags else {})


def _write_xyz(path: Path, found: list[tuple[str, Success]], target: Property) -> None:
    images = []
    for smiles, success in found:
        assert success.geometry is not None
        atoms = Atoms(success.geometry.numbers, success.geometry.positions_angstrom)
        atoms.info = _facts(smiles, success, target)
        images.append(atoms)
    write(path, images, format="extxyz")


def _write_sdf(path: Path, found: list[tuple[str, Success]], target: Property) -> None:
    with path.open("w", encoding="utf-8") as file, Chem.SDWriter(file) as writer:
        for smiles, success in found:
            assert success.geometry is not None
            molecule = molecule_with_hydrogens(smiles)
            conformer = Chem.Conformer(molecule.GetNumAtoms())
            conformer.Set3D(True)
            for atom, place in enumerate(success.geometry.positions_angstrom):
                conformer.SetAtomPosition(atom, Point3D(*map(float, place)))
            molecule.AddConformer(conformer)
            molecule.SetProp("_Name", smiles)
            for key, value in _facts(smiles, success, target).items():
                molecule.SetProp(key, str(value))
            writer.write(molecule)


_FORMATS = {".xyz": _write_xyz, ".sdf": _write_sdf}
