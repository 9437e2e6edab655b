"""Coordinates of many molblocks at once, by the columns of V2000; RDKit reads what is another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from molloop.geometries import Positions, ordered_positions
from molloop.smiles import read_as_written

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

_HEADER = 4  # lines, that of the counts is the last
_ATOM_WIDTH = 34  # three coordinates, a blank, the element
_DIGITS = np.array([1e8, 1e7, 1e6, 1e5, 1e4, 0, 1e3, 1e2, 10, 1])  # of F10.4


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


def _by_columns(molblocks: Sequence[str], molecules: Sequence[Chem.Mol]) -> list[Positions | None]:
    """Do so where all atoms have coordinates and no hydrogen is named; None for others."""
    lines = _Lines.of(molblocks)
    counts = lines.starts(np.minimum(lines.first + _HEADER - 1, len(lines.begin) - 1))
    n_atoms, are_atoms = lines.integers(counts)
    n_bonds, are_bonds = lines.integers(counts + 3)
    n_all = np.array([one.GetNumAtoms(onlyExplicit=False) for one in molecules])
    n_named = np.array([one.GetNumAtoms() for one in molecules])
    is_plain = are_atoms & are_bonds & (n_atoms == n_all) & lines.say(counts + 34, b"V2000")
    is_plain &= _HEADER + n_atoms + n_bonds <= lines.count
    n_atoms, n_bonds = n_atoms * is_plain, n_bonds * is_plain

    owner, place = _counted(n_atoms)
    rows = lines.starts(lines.first[owner] + _HEADER + place)
    positions, are_numbers = lines.decimals(rows)
    is_hydrogen = lines.say(rows + 31, b"H  ")
    are_numbers &= lines.say(rows + 30, b" ")  # as RDKit goes on there, too
    is_plain &= _all_are(are_numbers, owner, len(n_atoms))
    is_plain &= np.bincount(owner[~is_hydrogen], minlength=len(n_atoms)) == n_named

    bond_owner, bond_place = _counted(n_bonds)
    rows = lines.starts(lines.first[bond_owner] + _HEADER + n_atoms[bond_owner] + bond_place)
    ends = []
    for column in (0, 3):
        end, are_ends = lines.integers(rows + column)
        are_ends &= (end >= 1) & (end <= n_atoms[bond_owner])
        is_plain &= _all_are(are_ends, bond_owner, len(n_atoms))
        ends.append(np.where(are_ends, _starts(n_atoms)[bond_owner] + end - 1, 0))
    heavy_of, n_bonds_of = np.zeros(len(owner), np.intp), np.zeros(len(owner), np.intp)
    for one, other in (ends, ends[::-1]):
        at = is_hydrogen[one]
        heavy_of[one[at]] = other[at]
        n_bonds_of += np.bincount(one[at], minlength=len(owner))
    is_plain &= _all_are(~is_hydrogen | (n_bonds_of == 1), owner, len(n_atoms))
    rank = _ranks(molecules, is_plain, owner, is_hydrogen)
    rank[is_hydrogen] = rank[heavy_of[is_hydrogen]]
    order = np.lexsort((np.arange(len(owner)), rank, is_hydrogen, owner))
    parts = np.split(positions[order], np.cumsum(n_atoms)[:-1])
    return [part if plain else None for part, plain in zip(parts, is_plain.tolist(), strict=True)]


@dataclass(frozen=True, eq=False)
class _Lines:
    """The lines of n texts.

    Attributes
    ----------
    chars
        A byte a character, and some behind the last.
    begin
        Where each line begins.
    first, count
        Number of the first line of each text, and how many it has, shape (n,).
    """

    chars: Bytes
    begin: Rows
    first: Rows
    count: Rows

    @classmethod
    def of(cls, texts: Sequence[str]) -> "_Lines":
        data = "\n".join([*texts, " " * 2 * _ATOM_WIDTH]).encode("ascii", "replace")
        chars = np.frombuffer(data, dtype=np.uint8)
        begin = np.append(0, np.flatnonzero(chars == ord("\n")) + 1)
        first = np.searchsorted(begin, _starts(np.array([len(one) + 1 for one in texts])))
        return cls(chars, begin, first, np.diff(first, append=len(begin) - 1))

    def starts(self, lines: Rows) -> Rows:
        """Return where lines begin."""
        return self.begin[lines]

    def say(self, places: Rows, word: bytes) -> Mask:
        """Tell at which places a word stands."""
        cells = self.chars[places[:, None] + np.arange(len(word))]
        found: Mask = np.all(cells == np.frombuffer(word, dtype=np.uint8), axis=1)
        return found

    def integers(self, places: Rows) -> tuple[Rows, Mask]:
        """Return the numbers that stand in three columns, and which are some; 0 for others."""
        cells = self.chars[places[:, None] + np.arange(3)]
        values, kinds = _digits(cells)
        are = _is_number(kinds) & np.all(kinds != _MINUS, axis=1)
        return np.where(are, values @ np.array([100, 10, 1]), 0).astype(np.intp), are

    def decimals(self, places: Rows) -> tuple[Positions, Mask]:
        """Return three numbers of ten columns, four digits behind the point, and which are some.

        A whole number by a power of ten is rounded as the number itself would be: the same bits.
        """
        cells = self.chars[places[:, None, None] + np.arange(30).reshape(3, 10)]
        values, kinds = _digits(cells)
        are = (cells[..., 5] == ord(".")) & np.all(kinds[..., 6:] == _DIGIT, axis=-1)
        # RDKit goes on with a number where the next one leaves no blank
        are &= _is_number(kinds[..., :5]) & (kinds[..., 0] != _DIGIT)
        sign = np.where(np.any(kinds[..., :5] == _MINUS, axis=-1), -1.0, 1.0)
        return sign * (values @ _DIGITS / 1e4), np.all(are, axis=1)


_BLANK, _MINUS, _DIGIT, _OTHER = range(4)  # in this order within a number
_KINDS = np.full(256, _OTHER, dtype=np.uint8)
_KINDS[[ord(" "), ord("-")]] = _BLANK, _MINUS
_KINDS[[*b"0123456789"]] = _DIGIT
_VALUES = np.zeros(256)
_VALUES[[*b"0123456789"]] = range(10)


def _digits(cells: Bytes) -> tuple[NDArray[np.float64], Bytes]:
    """Return the value of each sign, 0 for one that is no digit, and its kind."""
    return _VALUES[cells], _KINDS[cells]


def _is_number(kinds: Bytes) -> Mask:
    """Tell where the signs of the last axis are blanks, one minus or none, and digits."""
    is_ordered = np.all(kinds[..., 1:] >= kinds[..., :-1], axis=-1)
    is_one = np.sum(kinds == _MINUS, axis=-1) <= 1
    found: Mask = is_ordered & is_one & (kinds[..., -1] == _DIGIT)
    return found


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
        molecule, place = _counted(sizes)
        atoms = np.array(",".join(texts).split(","), dtype=np.intp)
        ranks[named[_starts(sizes)[molecule] + atoms]] = place
    return ranks


def _starts(sizes: NDArray[Any]) -> Rows:
    """Return where each begins that stands behind others of these sizes."""
    starts: Rows = np.cumsum(sizes) - sizes
    return starts


def _counted(sizes: NDArray[Any]) -> tuple[Rows, Rows]:
    """Return the owner of each thing, where each owns some, and its number with this owner."""
    owner = np.repeat(np.arange(len(sizes)), sizes)
    return owner, np.arange(len(owner)) - _starts(sizes)[owner]


def _all_are(which: Mask, owner: Rows, n: int) -> Mask:
    """Tell of which owners all things are so, shape (n,)."""
    return np.equal(np.bincount(owner[~which], minlength=n), 0)
