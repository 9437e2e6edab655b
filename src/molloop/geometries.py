"""Geometries whose atoms are in the order of a SMILES, its unwritten hydrogens behind."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from molloop.molecule import Geometry
from molloop.smiles import NoMoleculeError, read_molecule

Positions = NDArray[np.float64]

_HYDROGEN_BOND = Chem.MolFromSmarts("[#1]~*")


def smiles_and_geometry(molecule: Chem.Mol) -> tuple[str, Geometry | None]:
    """Return the canonical SMILES of a molecule of RDKit, and its geometry.

    Parameters
    ----------
    molecule
        Of its conformers the first one counts, where that is one in 3D.

    Returns
    -------
    The geometry has the atoms in the order of :func:`ordered_positions`. None, where there are no
    places in 3D for just these atoms, such as in a file without hydrogens.

    Raises
    ------
    ValueError, RuntimeError
        RDKit cannot write it.
    """
    bare = Chem.RemoveHs(molecule)
    smiles = Chem.MolToSmiles(bare)
    if not is_in_space(molecule):
        return smiles, None
    positions = ordered_positions(bare, molecule)
    return smiles, None if positions is None else geometry_of(smiles, positions)


def is_in_space(molecule: Chem.Mol) -> bool:
    """Whether a molecule has coordinates in 3D."""
    return bool(molecule.GetNumConformers() and molecule.GetConformer().Is3D())


def ordered_positions(molecule: Chem.Mol, written: Chem.Mol) -> Positions | None:
    """Return the coordinates of a molblock in the order of the SMILES written last, hydrogens last.

    Parameters
    ----------
    molecule, written
        As :func:`molloop.smiles.read_molecule` and :func:`molloop.smiles.read_as_written` return
        them; a SMILES of the molecule was written.

    Returns
    -------
    In Å, shape (n, 3): the atoms that the SMILES names; then the hydrogens of the first of them,
    those of the second, and so on, as `rdkit.Chem.AddHs` adds them to the SMILES. None where not
    all hydrogens have coordinates.
    """
    if molecule.GetNumAtoms(onlyExplicit=False) != written.GetNumAtoms():
        return None
    positions = written.GetConformer().GetPositions()
    places = _places(molecule.GetConformer().GetPositions(), positions)
    if len(places) != molecule.GetNumAtoms():
        return None  # coordinates that are no numbers
    named = set(places)
    hydrogens = defaultdict(list)
    matches = written.GetSubstructMatches(_HYDROGEN_BOND, maxMatches=written.GetNumBonds() + 1)
    for hydrogen, heavy in matches:  # in the order of the hydrogens
        if hydrogen not in named:
            hydrogens[heavy].append(hydrogen)
    order = [places[atom] for atom in _written_order(molecule)]
    order += [hydrogen for heavy in order for hydrogen in hydrogens[heavy]]
    return positions[order] if len(order) == len(positions) else None


def as_written(molecule: Chem.Mol, positions: Positions) -> Positions:
    """Return coordinates in the order of a molecule's own atoms, the hydrogens of each behind.

    Parameters
    ----------
    positions
        As of :func:`ordered_positions`, in the order of the SMILES that was written of it last.
    """
    order = _written_order(molecule)
    counts = [molecule.GetAtomWithIdx(atom).GetTotalNumHs() for atom in order]
    ends = len(order) + np.cumsum(counts)
    of_atom = {
        atom: (place, range(end - n, end))
        for place, (atom, n, end) in enumerate(zip(order, counts, ends.tolist(), strict=True))
    }
    atoms = sorted(of_atom)
    hydrogens = [one for atom in atoms for one in of_atom[atom][1]]
    return positions[[of_atom[atom][0] for atom in atoms] + hydrogens]


def geometry_of(smiles: str, positions_angstrom: Positions) -> Geometry | None:
    """Return the geometry of a molecule of a library.

    Parameters
    ----------
    positions_angstrom
        In the order of :func:`ordered_positions`, shape (n, 3).
    """
    try:
        molecule = Chem.AddHs(read_molecule(smiles))
    except NoMoleculeError:
        return None
    numbers = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()], dtype=np.uint8)
    if len(numbers) != len(positions_angstrom):
        return None
    return Geometry(numbers, positions_angstrom)


def _places(some: Positions, all_of_them: Positions) -> list[int]:
    """Return where rows stand among all rows, which have them in the same order."""
    places: list[int] = []
    wanted = some.tolist()
    for place, row in enumerate(all_of_them.tolist()):
        if len(places) < len(wanted) and row == wanted[len(places)]:
            places.append(place)
    return places


def _written_order(molecule: Chem.Mol) -> list[int]:
    text = molecule.GetProp("_smilesAtomOutputOrder")
    return [int(atom) for atom in text.strip("[,]").split(",")]
