"""Coordinates of many molblocks at once, by the columns of V2000; RDKit reads what is another."""

from collections.abc import Mapping, Sequence
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
    counts = lines.begin[np.minimum(lines.first + _HEADER - 1, len(lines.begin) - 1)]
    n_atoms, are_atoms = lines.integers(counts)
    n_bonds, are_bonds = lines.integers(counts + 3)
    n_all = np.array([one.GetNumAtoms(onlyExplicit=False) for one in molecules])
    n_named = np.array([one.GetNumAtoms() for one in molecules])
    is_plain = are_atoms & are_bonds & (n_atoms == n_all) & lines.say(counts + 34, b"V2000")
    is_plain &= _HEADER + n_atoms + n_bonds <= lines.count
    n_atoms, n_bonds = n_atoms * is_plain, n_bonds * is_plain

    first = _starts(n_atoms)
    owner, place = _counted(n_atoms)
    rows = lines.begin[lines.first[owner] + _HEADER + place]
    positions, are_numbers = lines.decimals(rows)
    is_hydrogen = lines.say(rows + 31, b"H  ")
    are_numbers &= lines.say(rows + 30, b" ")  # as RDKit goes on there, too
    is_plain &= _all_are(are_numbers, owner, len(n_atoms))
    is_plain &= np.bincount(owner[~is_hydrogen], minlength=len(n_atoms)) == n_named

    bond_owner, bond_place = _counted(n_bonds)
    rows = lines.begin[(lines.first + _HEADER + n_atoms)[bond_owner] + bond_place]
    ends = []
    for column in (0, 3):
        end, are_ends = lines.integers(rows + column)
        are_ends &= (end >= 1) & (end <= n_atoms[bond_owner])
        is_plain &= _all_are(are_ends, bond_owner, len(n_atoms))
        ends.append(np.where(are_ends, first[bond_owner] + end - 1, 0))
    heavy_of, n_bonds_of = np.zeros(len(owner), np.intp), np.zeros(len(owner), np.intp)
    for one, other in (ends, ends[::-1]):
        at = is_hydrogen[one]
        heavy_of[one[at]] = other[at]
        n_bonds_of += np.bincount(one[at], minlength=len(owner))
    is_plain &= _all_are(~is_hydrogen | (n_bonds_of == 1), owner, len(n_atoms))
    rank = _ranks(molecules, is_plain, owner, is_hydrogen)
    rank[is_hydrogen] = rank[heavy_of[is_hydrogen]]
    # first the molecule, then whether it is a hydrogen, then the rank; then as they stand
    order = np.argsort((2 * owner + is_hydrogen) * (n_atoms.max() + 1) + rank, kind="stable")
    positions = positions[order]
    return [
        positions[start : start + n] if plain else None
        for start, n, plain in zip(first.tolist(), n_atoms.tolist(), is_plain.tolist(), strict=True)
    ]


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

    def cells(self, places: Rows, dtype: str) -> NDArray[Any]:
        """Return what stands at places, each as wide as a type of NumPy."""
        # a view of what begins at each character: an index for each would take eight times as long
        n = len(self.chars) - np.dtype(dtype).itemsize + 1
        found: NDArray[Any] = np.ndarray((n,), dtype, self.chars, strides=(1,))[places]
        return found

    def say(self, places: Rows, word: bytes) -> Mask:
        """Tell at which places a word stands."""
        found: Mask = self.cells(places, f"S{len(word)}") == word
        return found

    def integers(self, places: Rows) -> tuple[Rows, Mask]:
        """Return the numbers that stand in three columns, and which are some; 0 for others."""
        pairs = self.cells(places, "V4").view(np.uint16).reshape(-1, 2)
        values = _TENS.take(pairs[:, 0]) + _ONES.take(pairs[:, 1])
        are = ~np.isnan(values)
        return np.where(are, values, 0).astype(np.intp), are

    def decimals(self, places: Rows) -> tuple[Positions, Mask]:
        """Return three numbers of ten columns, four digits behind the point, and which are some.

        One from 1000 on, or from -100 down, is none here. A whole number by a power of ten is
        rounded as the number itself would be: the same bits.
        """
        pairs = self.cells(places, "V30").view(np.uint16).reshape(-1, 3, 5)
        values = _NOTHING.take(pairs[..., 0])
        for place, table in enumerate((_HUNDREDS, _POINT, _DECIMALS, _LAST_DECIMALS), start=1):
            values += table.take(pairs[..., place])
        are: Mask = np.all(~np.isnan(values), axis=1)
        return _SIGN.take(pairs[..., 1]) * (values / 1e4), are


def _table(values: Mapping[str, float]) -> NDArray[np.float64]:
    """Return a table of what two signs stand for, by their bytes as one number; NaN for others."""
    table = np.full(2**16, np.nan)
    for signs, value in values.items():
        table[np.frombuffer(signs.encode("latin-1"), np.uint16)] = value
    return table


_D = {str(one): one for one in range(10)}
_DD = {f"{one:02}": one for one in range(100)}
_BLANK_D = {f" {one}": one for one in range(10)}
_MINUS_D = {f"-{one}": one for one in range(10)}
_NOTHING = _table({"  ": 0})
# of integers
_TENS = _table({"  ": 0} | {pair: 10 * one for pair, one in (_BLANK_D | _DD).items()})
_ONES = _table({digit + chr(sign): one for digit, one in _D.items() for sign in range(256)})
# of F10.4, in units of 10^-4
_HUNDREDS = _table(
    {"  ": 0, " -": 0} | {pair: 1e5 * one for pair, one in (_BLANK_D | _MINUS_D | _DD).items()}
)
_SIGN = np.where(np.isnan(_table({" -": 0} | _MINUS_D)), 1.0, -1.0)
_POINT = _table({f"{digit}.": 1e4 * one for digit, one in _D.items()})
_DECIMALS = _table({pair: 100 * one for pair, one in _DD.items()})
_LAST_DECIMALS = _table(_DD)


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
        atoms = np.fromstring(",".join(texts), dtype=np.intp, sep=",")
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
