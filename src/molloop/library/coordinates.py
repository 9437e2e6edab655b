"""Coordinates of many molblocks at once, by the columns of V2000; RDKit reads what is another."""

from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from molloop.geometries import Positions, ordered_positions
from molloop.library.molblocks import Mask, Molblocks, Rows, counted, starts
from molloop.smiles import read_as_written


def coordinates(molblocks: Sequence[str], molecules: Sequence[Chem.Mol]) -> list[Positions | None]:
    """Return the coordinates of molblocks in the order of the SMILES written last, hydrogens last.

    Parameters
    ----------
    molecules
        What :func:`molloop.smiles.read_molecule` makes of them; of each a SMILES was written.

    Returns
    -------
    Of each as :func:`molloop.geometries.ordered_positions`.
    """
    if not molblocks:
        return []
    found = _by_columns(molblocks, molecules)
    for place, one in enumerate(found):
        if one is None:
            written = read_as_written(molblocks[place])
            if written is not None:
                found[place] = ordered_positions(molecules[place], written)
    return found


def _by_columns(texts: Sequence[str], molecules: Sequence[Chem.Mol]) -> list[Positions | None]:
    """Do so where all atoms have coordinates and no hydrogen is named; None for others."""
    found = Molblocks.of(texts)
    n_atoms, owner, are_hydrogens = found.n_atoms, found.owner, found.are_hydrogens
    is_plain = found.are_plain
    is_plain &= n_atoms == np.array([one.GetNumAtoms(onlyExplicit=False) for one in molecules])
    n_named = np.array([one.GetNumAtoms() for one in molecules])
    is_plain &= np.bincount(owner[~are_hydrogens], minlength=len(n_atoms)) == n_named
    rank = _ranks(molecules, is_plain, owner, are_hydrogens)
    rank[are_hydrogens] = rank[found.held_by()[are_hydrogens]]
    # first the molecule, then whether it is a hydrogen, then the rank; then as they stand
    order = np.argsort((2 * owner + are_hydrogens) * (n_atoms.max() + 1) + rank, kind="stable")
    positions = found.positions[order]
    return [
        positions[start : start + n] if plain else None
        for start, n, plain in zip(
            found.first.tolist(), n_atoms.tolist(), is_plain.tolist(), strict=True
        )
    ]


def _ranks(molecules: Sequence[Chem.Mol], is_plain: Mask, owner: Rows, is_hydrogen: Mask) -> Rows:
    """Return the place of each named atom in the SMILES of its molecule, 0 for others."""
    ranks = np.zeros(len(owner), np.intp)
    texts = [
        molecule.GetProp("_smilesAtomOutputOrder").strip("[,]")
        for molecule, plain in zip(molecules, is_plain.tolist(), strict=True)
        if plain
    ]
    if texts:
        named = np.flatnonzero(~is_hydrogen & is_plain[owner])
        sizes = np.bincount(owner[named], minlength=len(molecules))[is_plain]
        molecule, place = counted(sizes)
        atoms = np.fromstring(",".join(texts), dtype=np.intp, sep=",")
        ranks[named[starts(sizes)[molecule] + atoms]] = place
    return ranks
