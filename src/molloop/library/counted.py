"""Counts of kinds of bonds, of sizes of rings and of carbonyl groups."""

import numpy as np
from numpy.typing import NDArray

from molloop.library.graphs import AROMATIC, DOUBLE, SINGLE, TRIPLE, Graphs, Numbers

_C, _N, _O, _F, _S, _HALOGENS = 6, 7, 8, 9, 16, (17, 35, 53)
_ORDERS = {"-": SINGLE, "=": DOUBLE, "#": TRIPLE, ":": AROMATIC}
_TO_HYDROGEN = {"C-H": _C, "N-H": _N, "O-H": _O}
_KINDS = {
    **{f"C{sign}C": (_C, _C, order) for sign, order in _ORDERS.items()},
    **{f"C{sign}N": (_C, _N, order) for sign, order in _ORDERS.items()},
    **{f"C{sign}O": (_C, _O, _ORDERS[sign]) for sign in "-=:"},
    "C-F": (_C, _F, SINGLE),
    **{f"C{sign}S": (_C, _S, _ORDERS[sign]) for sign in "-=:"},
    **{f"N{sign}N": (_N, _N, _ORDERS[sign]) for sign in "-=:"},
    **{f"N{sign}O": (_N, _O, _ORDERS[sign]) for sign in "-=:"},
    "S=O": (_S, _O, DOUBLE),
    "N-S": (_N, _S, SINGLE),
}
_NAMES = (*_TO_HYDROGEN, *_KINDS, "C-Cl/Br/I", "other")
BONDS = tuple(f"NumBonds {name}" for name in _NAMES)
_MAX_RING = 7
RINGS = (
    *(f"NumRingsOf{size}" for size in range(3, _MAX_RING)),
    f"NumRingsOf{_MAX_RING}OrMore",
)
# by how many oxygens and nitrogens there are beside the carbon; the others are carbon or hydrogen
_CARBONYLS = {
    "NumKetonesAndAldehydes": (0, 0),
    "NumEstersAndAcids": (1, 0),
    "NumAmides": (0, 1),
    "NumCarbonates": (2, 0),
    "NumCarbamates": (1, 1),
    "NumUreas": (0, 2),
}
CARBONYLS = tuple(_CARBONYLS)


def _places() -> NDArray[np.int8]:
    """Return the column of a bond by its elements and twice its order, shape (128, 128, 8)."""
    other = len(_NAMES) - 1
    table = np.full((128, 128, 8), other, dtype=np.int8)
    for column, (one, two, order) in enumerate(_KINDS.values(), start=len(_TO_HYDROGEN)):
        table[one, two, order] = table[two, one, order] = column
    for halogen in _HALOGENS:
        table[_C, halogen, SINGLE] = table[halogen, _C, SINGLE] = other - 1
    return table


_PLACES = _places()


def bond_counts(graphs: Graphs) -> Numbers:
    """Return :data:`BONDS` of n molecules, shape (n, 28)."""
    n, width = graphs.n, len(BONDS)
    once = graphs.begin < graphs.end
    one, two = graphs.elements[graphs.begin[once]], graphs.elements[graphs.end[once]]
    column = _PLACES[one, two, graphs.order[once].astype(np.intp)]
    flat = np.bincount(graphs.bond_owner[once] * width + column, minlength=n * width)
    counts = flat.reshape(n, width).astype(float)
    to_hydrogen = np.array([graphs.elements == element for element in _TO_HYDROGEN.values()])
    for place, which in enumerate([*to_hydrogen, ~to_hydrogen.any(axis=0)]):
        found = np.bincount(graphs.owner[which], graphs.n_hydrogens[which], n)
        counts[:, place if place < len(_TO_HYDROGEN) else -1] += found
    return counts


def ring_counts(graphs: Graphs) -> Numbers:
    """Return :data:`RINGS` of n molecules, shape (n, 5)."""
    owner, sizes = graphs.rings
    size = np.minimum(sizes, _MAX_RING)
    columns = [
        np.bincount(owner[size == one], minlength=graphs.n) for one in range(3, _MAX_RING + 1)
    ]
    return np.stack(columns, axis=1).astype(float)


def carbonyl_counts(graphs: Graphs) -> Numbers:
    """Return :data:`CARBONYLS` of n molecules, shape (n, 6): none of a ring that is aromatic."""
    beside, is_single = graphs.elements[graphs.end], graphs.order == SINGLE
    n_carbons, n_nitrogens, n_oxygens = (
        np.bincount(graphs.begin[is_single & (beside == one)], minlength=len(graphs.owner))
        for one in (_C, _N, _O)
    )
    is_carbonyl = (graphs.order == DOUBLE) & (beside == _O)
    is_carbonyl &= graphs.elements[graphs.begin] == _C
    carbons = graphs.begin[is_carbonyl]
    n_beside = n_carbons + n_nitrogens + n_oxygens + graphs.n_hydrogens
    carbons = carbons[n_beside[carbons] == 2]
    columns = [
        np.bincount(
            graphs.owner[carbons[(n_oxygens[carbons] == o) & (n_nitrogens[carbons] == n)]],
            minlength=graphs.n,
        )
        for o, n in _CARBONYLS.values()
    ]
    return np.stack(columns, axis=1).astype(float)
