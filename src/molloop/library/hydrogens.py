"""Molblocks without the hydrogens that RDKit would take away, so that it need not read them.

To read and to remove them takes RDKit half of its time for a molecule in space. A hydrogen may only
go where the rest says the same: its neighbour has the one valence that RDKit fills up with
hydrogens, and stereo does not hang on it, as places in space are far from where RDKit would decide
otherwise. All other molblocks stay as they are.
"""

import numpy as np
from numpy.typing import NDArray

from molloop.library.molblocks import HEADER, Mask, Molblocks, Rows, all_are, starts

_VALENCES = {b"C  ": 4, b"N  ": 3, b"O  ": 2, b"S  ": 2}
# behind an element: no isotope or charge, and behind a parity, which RDKit passes over, no more
_NO_CHARGE, _NO_MORE = b" 0  0  ", 9 * b"  0"
_ORDERS = {b"  1  0": 1, b"  2  0": 2, b"  3  0": 3}
_WEDGES = (b"  1  1", b"  1  6")  # in space they say nothing where four neighbours do
_MOLFILE_END = b"M  END"
_MOST = 999  # atoms or bonds of V2000
_DIGITS = np.frombuffer("".join(f"{one:3}" for one in range(_MOST + 1)).encode(), np.uint8)
# far from flat (RDKit leaves a centre of less than 0.1 cubic Å open), straight and right angles
_LEAST_VOLUME = 0.12
_LEAST_SINE = 0.35
_LEAST_COSINE = 0.5
_OPPOSITE = -0.7


def without_hydrogens(blocks: Molblocks) -> list[str]:
    """Return molblocks as short as RDKit may read them instead, others as they are."""
    texts = blocks.texts
    lines, owner, bond_owner = blocks.lines, blocks.owner, blocks.bond_owner
    graph = _Graph(blocks)
    are_short = blocks.are_plain & graph.are_plain & _are_regular(blocks, graph)
    are_short &= np.bincount(owner[blocks.are_hydrogens], minlength=len(texts)) > 0
    goes = blocks.are_hydrogens & are_short[owner]
    bond_goes = goes[blocks.ends[0]] | goes[blocks.ends[1]]

    chars = lines.chars.copy()
    counts = lines.begin[lines.first[are_short] + HEADER - 1]
    n_left = np.bincount(owner[~goes], minlength=len(texts))
    n_bonds_left = np.bincount(bond_owner[~bond_goes], minlength=len(texts))
    _write(chars, counts, n_left[are_short])
    _write(chars, counts + 3, n_bonds_left[are_short])

    line_stays = np.repeat(are_short, lines.count)
    line_stays[blocks.atom_lines[goes]] = False
    line_stays[blocks.bond_lines[bond_goes]] = False
    widths = np.diff(lines.begin[: len(line_stays) + 1])
    data = chars[: widths.sum()][np.repeat(line_stays, widths)].tobytes().decode("ascii")
    ends = np.cumsum(widths * line_stays)[lines.first + lines.count - 1].tolist()
    return [
        data[begin : end - 1] if is_short else text  # a line end parted it from the next
        for text, is_short, begin, end in zip(
            texts, are_short.tolist(), [0, *ends[:-1]], ends, strict=True
        )
    ]


def _write(chars: NDArray[np.uint8], places: Rows, numbers: Rows) -> None:
    """Write numbers into three columns each."""
    chars[places[:, None] + np.arange(3)] = _DIGITS.reshape(-1, 3)[numbers]


class _Graph:
    """Bonds of the atoms of molblocks.

    Attributes
    ----------
    order
        Of each bond, shape (b,).
    degree, n_hydrogens
        Bonds of each atom, and those to hydrogens, shape (a,).
    are_plain
        Which molblocks say nothing but elements, places and bonds, and have hydrogens behind all
        other atoms and only where RDKit would add just these, shape (n,).
    """

    def __init__(self, blocks: Molblocks) -> None:
        lines, owner, (one, other) = blocks.lines, blocks.owner, blocks.ends
        n, n_atoms = len(blocks.n_atoms), len(owner)
        rows = lines.begin[blocks.bond_lines]
        self.order = np.zeros(len(rows), np.intp)
        for word, order in _ORDERS.items():
            self.order[lines.say(rows + 6, word)] = order
        wedges = lines.say(rows + 6, _WEDGES[0]) | lines.say(rows + 6, _WEDGES[1])
        # as the bonds stand: so RDKit has the neighbours of an atom
        self._begin = np.stack((one, other), 1).ravel()
        self._end = np.stack((other, one), 1).ravel()
        self.degree = np.bincount(self._begin, minlength=n_atoms)
        to_hydrogen = blocks.are_hydrogens[self._end]
        self.order[wedges & (self.degree[one] == 4)] = 1
        self.n_hydrogens = np.bincount(self._begin[to_hydrogen], minlength=n_atoms)
        self._first = starts(self.degree)
        self._by_atom = np.append(self._end[np.argsort(self._begin, kind="stable")], 0)

        valence = np.bincount(self._begin, np.repeat(self.order, 2), n_atoms)
        rows = lines.begin[blocks.atom_lines]
        fits = self.n_hydrogens == 0
        for symbol, usual in _VALENCES.items():
            fits |= (valence == usual) & lines.say(rows + 31, symbol)
        # RDKit keeps the hydrogen of an imine, as stereo hangs on it
        is_imine = lines.say(rows + 31, b"N  ") & (self.degree == 2)
        fits &= ~(is_imine & (self.n_hydrogens > 0))
        # the numbers of the others stay, as RDKit may name them
        n_heavy = np.bincount(owner[~blocks.are_hydrogens], minlength=n)
        fits &= blocks.are_hydrogens == (np.arange(n_atoms) - blocks.first[owner] >= n_heavy[owner])
        fits &= lines.say(rows + 34, _NO_CHARGE) & lines.say(rows + 42, _NO_MORE)
        fits &= (lines.chars[rows + 41] >= ord("0")) & (lines.chars[rows + 41] <= ord("3"))
        n_bonds = np.bincount(blocks.bond_owner, minlength=n)
        behind = (lines.first + HEADER + blocks.n_atoms + n_bonds) * blocks.are_plain
        self.are_plain = all_are(fits, owner, n) & all_are(self.order > 0, blocks.bond_owner, n)
        self.are_plain &= lines.say(lines.begin[behind], _MOLFILE_END)
        # else RDKit might take the rest for flat
        is_above = ~blocks.are_hydrogens & (blocks.positions[:, 2] != 0)
        self.are_plain &= np.bincount(owner[is_above], minlength=n) > 0

    def neighbours(self, atoms: Rows, n: int) -> tuple[Rows, Mask]:
        """Return up to so many neighbours of some atoms, and which are some, shape (m, n) each."""
        places = np.arange(n)
        are = places < self.degree[atoms][:, None]
        at = np.minimum(self._first[atoms][:, None] + places, len(self._by_atom) - 1)
        return self._by_atom[at], are


def _are_regular(blocks: Molblocks, graph: _Graph) -> Mask:
    """Tell which molblocks have no stereo that may hang on a hydrogen, shape (n,)."""
    n = len(blocks.n_atoms)
    centres = np.flatnonzero((graph.degree == 4) & (graph.n_hydrogens == 1))
    are = all_are(_are_tetrahedra(blocks, graph, centres), blocks.owner[centres], n)
    is_asked = graph.order == 2
    for end in blocks.ends:
        is_asked &= (graph.degree[end] > 1) & (graph.n_hydrogens[end] < 2)
    bonds = np.flatnonzero(is_asked)
    return are & all_are(_are_flat(blocks, graph, bonds), blocks.bond_owner[bonds], n)


def _are_tetrahedra(blocks: Molblocks, graph: _Graph, centres: Rows) -> Mask:
    """Tell around which atoms any three neighbours, in space, show the same hand, shape (m,)."""
    neighbours, _ = graph.neighbours(centres, 4)
    arms = blocks.positions[neighbours] - blocks.positions[centres][:, None]
    arms /= np.maximum(1, np.linalg.norm(arms, axis=2, keepdims=True))
    a, b, c, d = arms.transpose(1, 2, 0)
    ab, cd = np.cross(a, b, axis=0), np.cross(c, d, axis=0)
    volumes = np.array([(ab * c).sum(0), -(ab * d).sum(0), (cd * a).sum(0), -(cd * b).sum(0)])
    are: Mask = (volumes.min(0) > _LEAST_VOLUME) | (volumes.max(0) < -_LEAST_VOLUME)
    # RDKit asks the first three
    are |= blocks.are_hydrogens[neighbours[:, 3]] & (np.abs(volumes[0]) > _LEAST_VOLUME)
    return are


def _are_flat(blocks: Molblocks, graph: _Graph, bonds: Rows) -> Mask:
    """Tell around which double bonds neighbours lie at clear sides, shape (m,)."""
    one, other = (end[bonds] for end in blocks.ends)
    axis = blocks.positions[other] - blocks.positions[one]
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-3)
    are_clear: Mask = np.ones(len(bonds), np.bool_)
    sides = []
    for at, across in ((one, other), (other, one)):
        neighbours, are = graph.neighbours(at, 3)
        are &= neighbours != across[:, None]
        arms = blocks.positions[neighbours] - blocks.positions[at][:, None]
        arms /= np.maximum(np.linalg.norm(arms, axis=2, keepdims=True), 1e-3)
        arms -= np.einsum("mki,mi->mk", arms, axis)[..., None] * axis[:, None]
        sines = np.linalg.norm(arms, axis=2)
        are_clear &= (graph.degree[at] < 4) & np.all((sines > _LEAST_SINE) | ~are, axis=1)
        arms /= np.maximum(sines, 1e-3)[..., None]
        sides.append((arms, are))
        for k, m in ((0, 1), (0, 2), (1, 2)):
            cosine = (arms[:, k] * arms[:, m]).sum(1)
            are_clear &= (cosine < _OPPOSITE) | ~(are[:, k] & are[:, m])
    (arms, are), (others, are_others) = sides
    cosines = np.abs(np.einsum("mki,mli->mkl", arms, others))
    both = are[:, :, None] & are_others[:, None]
    are_clear &= np.all((cosines > _LEAST_COSINE) | ~both, axis=(1, 2))
    return are_clear
