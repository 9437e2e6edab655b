"""Coordinates of many molblocks at once, by the columns of V2000; RDKit reads what is another."""

from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from molloop.geometries import Positions, ordered_positions
from molloop.library.molblocks import Mask, Molblocks, Rows, counted, starts
from molloop.smiles import read_as_written


def coordinates(blocks: Molblocks, molecules: Sequence[Chem.Mol | None]) -> list[Positions | None]:
    """Return the coordinates of molblocks in the order of the SMILES written last, hydrogens last.

    Parameters
    ----------
    molecules
        What :func:`molloop.smiles.read_molecule` makes of them, of each a SMILES was written; None
        for those that are not asked for.

    Returns
    -------
    Of each as :func:`molloop.geometries.ordered_positions`; None where it is not asked for.
    """
    found = _by_columns(blocks, molecules)
    for place, (one, molecule) in enumerate(zip(found, molecules, strict=True)):
        if one is None and molecule is not None:
            written = read_as_written(blocks.texts[place])
            if written is not None:
                found[place] = ordered_positions(molecule, written)
    return found


def _by_columns(blocks: Molblocks, molecules: Sequence[Chem.Mol | None]) -> list[Positions | None]:
    """Do so where all atoms have coordinates and no hydrogen is named; None for others."""
    n_atoms, owner, are_hydrogens = blocks.n_atoms, blocks.owner, blocks.are_hydrogens
    n_all = [-1 if one is None else one.GetNumAtoms(onlyExplicit=False) for one in molecules]
    n_named = [-1 if one is None else one.GetNumAtoms() for one in molecules]
    is_plain = blocks.are_plain & (n_atoms == np.array(n_all))
    is_plain &= np.bincount(owner[~are_hydrogens], minlength=len(n_atoms)) == np.array(n_named)
    rank = _ranks(molecules, is_plain, owner, are_hydrogens)
    rank[are_hydrogens] = rank[blocks.held_by()[are_hydrogens]]
    # first the molecule, then whether it is a hydrogen, then the rank; then as they stand
    order = np.argsort((2 * owner + are_hydrogens) * (n_atoms.max() + 1) + rank, kind="stable")
    positions = blocks.positions[order]
    return [
        positions[start : start + n] if plain else None
        for start, n, plain in zip(
            blocks.first.tolist(), n_atoms.tolist(), is_plain.tolist(), strict=True
        )
    ]


def _ranks(
    molecules: Sequence[Chem.Mol | None], is_plain: Mask, owner: Rows, is_hydrogen: Mask
) -> Rows:
    """Return the place of each named atom in the SMILES of its molecule, 0 for others."""
    ranks = np.zeros(len(owner), np.intp)
    texts = [
        molecule.GetProp("_smilesAtomOutputOrder").strip("[,]")
        for molecule, plain in zip(molecules, is_plain.tolist(), strict=True)
        if plain and molecule is not None
    ]
    if texts:
        named = np.flatnonzero(~is_hydrogen & is_plain[owner])
        sizes = np.bincount(owner[named], minlength=len(molecules))[is_plain]
        molecule, place = counted(sizes)
        atoms = np.fromstring(",".join(texts), dtype=np.intp, sep=",")
        ranks[named[starts(sizes)[molecule] + atoms]] = place
    return ranks
