"""A molecule of RDKit becomes a SMILES and a geometry, whose atoms are in one order."""

from collections import defaultdict

import numpy as np
from rdkit import Chem

from molloop.molecule import Geometry

PLACE = "_molloop_place"  # of an atom in what was given
ORDER = "_smilesAtomOutputOrder"  # where RDKit keeps in which order it wrote the atoms


def smiles_and_geometry(molecule: Chem.Mol) -> tuple[str, Geometry | None]:
    """Return the canonical SMILES of a molecule, and its geometry.

    Parameters
    ----------
    molecule
        Of its conformers the first one counts, where that is one in 3D.

    Returns
    -------
    The geometry has the atoms in the order of the SMILES, hydrogens that it does not write behind,
    as `Chem.AddHs` of what it is read as adds them. None, where there are no places in 3D for just
    these atoms, such as in a file without hydrogens.

    Raises
    ------
    ValueError, RuntimeError
        RDKit cannot write it.
    """
    marked = Chem.Mol(molecule)
    for atom in marked.GetAtoms():
        atom.SetIntProp(PLACE, atom.GetIdx())
    bare = Chem.RemoveHs(marked)
    smiles = Chem.MolToSmiles(bare)
    if not molecule.GetNumConformers() or not molecule.GetConformer().Is3D():
        return smiles, None
    order = bare.GetPropsAsDict(includePrivate=True, includeComputed=True)[ORDER]
    written = [bare.GetAtomWithIdx(number).GetIntProp(PLACE) for number in order]
    places = _with_hydrogens(smiles, written, molecule)
    if places is None:
        return smiles, None
    numbers = [molecule.GetAtomWithIdx(place).GetAtomicNum() for place in places]
    positions = molecule.GetConformer().GetPositions()[places]
    return smiles, Geometry(np.array(numbers, dtype=np.uint8), positions)


def _with_hydrogens(smiles: str, written: list[int], molecule: Chem.Mol) -> list[int] | None:
    """Return the atoms of a molecule in the order of its SMILES; None where they are others.

    Parameters
    ----------
    written
        The atoms that the SMILES has, in its order.
    """
    left: dict[int, list[int]] = defaultdict(list)  # atom -> its hydrogens that are not written
    for place in sorted(set(range(molecule.GetNumAtoms())).difference(written)):
        [heavy] = molecule.GetAtomWithIdx(place).GetNeighbors()
        left[heavy.GetIdx()].append(place)
    read = Chem.MolFromSmiles(smiles)
    if read is None or read.GetNumAtoms() != len(written):
        return None
    places = list(written)
    for atom in list(Chem.AddHs(read).GetAtoms())[len(written) :]:
        [heavy] = atom.GetNeighbors()
        if not (hydrogens := left[written[heavy.GetIdx()]]):
            return None
        places.append(hydrogens.pop(0))
    return None if any(left.values()) else places
