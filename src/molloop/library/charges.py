"""Partial charges of atoms from the graph alone, and what is told of them for a molecule.

Gasteiger and Marsili, Tetrahedron 36, 3219 (1980), doi:10.1016/0040-4020(80)80168-2: along each
bond charge flows to the more electronegative atom, in rounds that halve the flow.
"""

from dataclasses import dataclass

import numpy as np

from molloop.library.graphs import AROMATIC, DOUBLE, TRIPLE, Graphs, Indices, Numbers

CHARGES = (
    "MaxCharge",
    "MinCharge",
    "MaxHydrogenCharge",
    "MeanAbsoluteCharge",
    "MeanSquareCharge",
    "BondPolarity",
    "SumAbsoluteFormalCharge",
    "FormalChargeSeparation",
)
N_ROUNDS = 4
# electronegativity in eV at a charge q: a + b q + c q^2, for three, two and one neighbour in a line
_A, _B, _C = 7.17, 6.24, -0.56  # of hydrogen
_HYDROGEN_CATION_EV = 20.02
_SILICON = ((7.30, 6.567, 0.657),) * 3
_COEFFICIENTS = {
    6: ((7.98, 9.18, 1.88), (8.79, 9.32, 1.51), (10.39, 9.45, 0.73)),
    7: ((11.54, 10.82, 1.36), (12.87, 11.15, 0.85), (15.68, 11.70, -0.27)),
    8: ((14.18, 12.92, 1.39), (17.07, 13.79, 0.47), (17.07, 13.79, 0.47)),
    9: ((14.66, 13.85, 2.31),) * 3,
    15: ((8.90, 8.24, 0.96),) * 3,
    16: ((10.14, 9.13, 1.38),) * 3,
    17: ((11.00, 9.69, 1.35),) * 3,
    35: ((10.08, 8.47, 1.16),) * 3,
    53: ((9.90, 7.96, 0.96),) * 3,
}
_TABLE = np.array([_COEFFICIENTS.get(element, _SILICON) for element in range(256)])


@dataclass(frozen=True, eq=False)
class PartialCharges:
    """Partial charges of atoms, and of each of their hydrogens, shape (a,)."""

    of_atoms: Numbers
    of_hydrogens: Numbers


def partial_charges(graphs: Graphs) -> PartialCharges:
    """Return those of molecules; the elements that the method does not have count as silicon."""
    a, b, c = _TABLE[graphs.elements, _hybridisation(graphs)].T
    per_cation = 1 / (a + b + c)
    charge, hydrogen = graphs.charges.astype(float), np.zeros(len(a))
    begin, end, share = graphs.begin, graphs.end, 1.0
    at_begin, at_end = per_cation[begin], per_cation[end]
    for _ in range(N_ROUNDS):
        share /= 2
        pull = a + charge * (b + charge * c)
        flow = np.bincount(begin, _flow(pull[end] - pull[begin], at_begin, at_end), len(a))
        of_hydrogen = _A + hydrogen * (_B + hydrogen * _C)
        from_hydrogen = _flow(of_hydrogen - pull, per_cation, 1 / _HYDROGEN_CATION_EV)
        charge = charge + share * (flow + graphs.n_hydrogens * from_hydrogen)
        hydrogen = hydrogen - share * from_hydrogen
    return PartialCharges(charge, hydrogen)


def _flow(difference: Numbers, per_cation: Numbers, per_other: Numbers | float) -> Numbers:
    """Return the charge that an atom gets from another, more electronegative by a difference.

    The unit is the electronegativity, as a cation, of the one whose electrons go.
    """
    return difference * np.where(difference > 0, per_cation, per_other)


def _hybridisation(graphs: Graphs) -> Indices:
    """Return 0, 1 or 2 for sp3, sp2 and sp, shape (a,)."""
    is_multiple = (graphs.order == AROMATIC) | (graphs.order == DOUBLE)
    n_double = np.bincount(graphs.begin[graphs.order == DOUBLE], minlength=len(graphs.kinds))
    found = np.zeros(len(graphs.kinds), dtype=np.intp)
    found[graphs.begin[is_multiple]] = 1
    found[(n_double > 1) & (graphs.elements == 6)] = 2
    found[graphs.begin[graphs.order == TRIPLE]] = 2
    return found


def charge_descriptors(graphs: Graphs) -> Numbers:
    """Return :data:`CHARGES` of n molecules, shape (n, 8).

    The first three are 0 at least, or at most; means are over heavy atoms. The bond polarity is the
    mean difference of charge along a bond. The charge separation is the sum over pairs of formally
    charged atoms of minus their charges' product times the bonds between them.
    """
    found, first, n = partial_charges(graphs), graphs.first_atoms, graphs.n
    of_atoms = found.of_atoms
    has_hydrogens = graphs.n_hydrogens > 0

    def mean(numbers: Numbers, owner: Indices) -> Numbers:
        return np.bincount(owner, numbers, n) / np.maximum(np.bincount(owner, minlength=n), 1)

    polarity = np.abs(of_atoms[graphs.begin] - of_atoms[graphs.end])
    columns = [
        np.maximum(np.maximum.reduceat(of_atoms, first), 0),
        np.minimum(np.minimum.reduceat(of_atoms, first), 0),
        np.maximum.reduceat(np.where(has_hydrogens, found.of_hydrogens, 0), first),
        mean(np.abs(of_atoms), graphs.owner),
        mean(of_atoms**2, graphs.owner),
        mean(polarity, graphs.bond_owner),
        np.bincount(graphs.owner, np.abs(graphs.charges), n),
        _separation(graphs),
    ]
    return np.stack(columns, axis=1)


def _separation(graphs: Graphs) -> Numbers:
    """Return the separation of formal charges, shape (n,); most molecules have none."""
    found = np.zeros(graphs.n)
    charged = np.bincount(graphs.owner[graphs.charges != 0], minlength=graphs.n) > 1
    for one in np.flatnonzero(charged).tolist():
        atoms = slice(graphs.first_atoms[one], graphs.first_atoms[one] + graphs.sizes[one])
        charges = graphs.charges[atoms]
        found[one] = -(charges @ graphs.distances(one) @ charges) / 2
    return found
