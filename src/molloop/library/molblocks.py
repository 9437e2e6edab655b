"""Many molblocks at once, by the columns of V2000: their atoms, bonds and coordinates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molloop.geometries import Positions

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

HEADER = 4  # lines, that of the counts is the last
_ATOM_WIDTH = 69


@dataclass(frozen=True, eq=False)
class Molblocks:
    """The atoms and bonds of n molblocks.

    Attributes
    ----------
    texts
        As they stand.
    lines
        Of all.
    are_plain
        Which are V2000 of which all numbers stand in their columns, and every hydrogen has one
        bond, shape (n,). Of others there is no atom and no bond.
    n_atoms, first
        Number of atoms of each, and that of its first one among those of all, shape (n,).
    owner
        Which molblock each atom belongs to, shape (a,).
    atom_lines, bond_lines
        The line of each atom, shape (a,), and of each bond, shape (b,).
    positions
        In Å, shape (a, 3).
    are_hydrogens
        Shape (a,).
    ends
        The two atoms of each bond, shape (b,) each.
    bond_owner
        Which molblock each bond belongs to, shape (b,).
    """

    texts: Sequence[str]
    lines: "Lines"
    are_plain: Mask
    n_atoms: Rows
    first: Rows
    owner: Rows
    atom_lines: Rows
    bond_lines: Rows
    positions: Positions
    are_hydrogens: Mask
    ends: tuple[Rows, Rows]
    bond_owner: Rows

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Molblocks":
        """Read some, at least one."""
        lines = Lines.of(texts)
        counts = lines.begin[np.minimum(lines.first + HEADER - 1, len(lines.begin) - 1)]
        n_atoms, are_atoms = lines.integers(counts)
        n_bonds, are_bonds = lines.integers(counts + 3)
        are_plain = are_atoms & are_bonds & lines.say(counts + 34, b"V2000")
        are_plain &= HEADER + n_atoms + n_bonds <= lines.count
        n_atoms, n_bonds = n_atoms * are_plain, n_bonds * are_plain

        n, first = len(n_atoms), starts(n_atoms)
        owner, place = counted(n_atoms)
        atom_lines = lines.first[owner] + HEADER + place
        rows = lines.begin[atom_lines]
        positions, are_numbers = lines.decimals(rows)
        are_hydrogens = lines.say(rows + 31, b"H  ")
        are_numbers &= lines.say(rows + 30, b" ")  # as RDKit goes on there, too
        are_plain &= all_are(are_numbers, owner, n)

        bond_owner, place = counted(n_bonds)
        bond_lines = (lines.first + HEADER + n_atoms)[bond_owner] + place
        rows = lines.begin[bond_lines]
        ends, n_bonds_of = [], np.zeros(len(owner), np.intp)
        for column in (0, 3):
            end, are_ends = lines.integers(rows + column)
            are_ends &= (end >= 1) & (end <= n_atoms[bond_owner])
            are_plain &= all_are(are_ends, bond_owner, n)
            ends.append(np.where(are_ends, first[bond_owner] + end - 1, 0))
            n_bonds_of += np.bincount(ends[-1], minlength=len(owner))
        are_plain &= all_are(~are_hydrogens | (n_bonds_of == 1), owner, n)
        return cls(
            *(texts, lines, are_plain, n_atoms, first, owner, atom_lines, bond_lines, positions),
            *(are_hydrogens, (ends[0], ends[1]), bond_owner),
        )

    def held_by(self) -> Rows:
        """Return the atom that holds each hydrogen, 0 for other atoms, shape (a,)."""
        held_by = np.zeros(len(self.owner), np.intp)
        for one, other in (self.ends, self.ends[::-1]):
            at = self.are_hydrogens[one]
            held_by[one[at]] = other[at]
        return held_by


@dataclass(frozen=True, eq=False)
class Lines:
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
    def of(cls, texts: Sequence[str]) -> "Lines":
        """Find those of some texts."""
        data = "\n".join([*texts, " " * 2 * _ATOM_WIDTH]).encode("ascii", "replace")
        chars = np.frombuffer(data, dtype=np.uint8)
        begin = np.append(0, np.flatnonzero(chars == ord("\n")) + 1)
        first = np.searchsorted(begin, starts(np.array([len(one) + 1 for one in texts])))
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


def starts(sizes: NDArray[Any]) -> Rows:
    """Return where each begins that stands behind others of these sizes."""
    starts: Rows = np.cumsum(sizes) - sizes
    return starts


def counted(sizes: NDArray[Any]) -> tuple[Rows, Rows]:
    """Return the owner of each thing, where each owns some, and its number with this owner."""
    owner = np.repeat(np.arange(len(sizes)), sizes)
    return owner, np.arange(len(owner)) - starts(sizes)[owner]


def all_are(which: Mask, owner: Rows, n: int) -> Mask:
    """Tell of which owners all things are so, shape (n,)."""
    return np.equal(np.bincount(owner[~which], minlength=n), 0)
