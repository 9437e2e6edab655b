"""What RDKit says of single atoms, remembered by their surroundings.

Crippen's values and some counts are sums over atoms, and RDKit tells kinds of atoms apart by
patterns, up to 113 on each molecule: half the time that a library's build would take. Here RDKit is
asked once for all atoms of the same surroundings; a library of 10^6 molecules has some thousand.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import Lipinski, rdMolDescriptors

from molloop.library.atoms import Atoms

N_REMEMBERED = 2**18  # surroundings, about, at most: 50 MB
# RDKit's versions count by different patterns, which it does not show: which one it is, these tell
_PATTERNS = {
    "NumHBA": (
        "[$([O,S;H1;v2]-[!$(*=[O,N,P,S])]),$([O,S;H0;v2]),$([O,S;-]),"
        "$([N;v3;!$(N-*=!@[O,N,P,S])]),$([nH0X2,o,s;+0])]",
        Chem.MolToSmarts(Lipinski.HAcceptorSmarts),
    ),
    "NumHBD": (Chem.MolToSmarts(Lipinski.HDonorSmarts),),
    "NumHeteroatoms": (Chem.MolToSmarts(Lipinski.HeteroatomSmarts),),
    "NumAmideBonds": ("C(=[O;!R])N",),
}
_EXAMPLES = [
    Chem.MolFromSmiles(text)
    for text in (
        *("Cn1cccc1", "c1ccncc1", "c1cc[nH]c1", "C[n+]1ccccc1", "c1ccsc1", "c1ccoc1"),
        *("O=c1cc[nH]cc1", "CO", "CC(=O)O", "CC(=O)[O-]", "CS", "CSC", "CS(C)(=O)=O", "O=NO"),
        *("COC=O", "CN", "C[NH3+]", "CNC=O", "CN(C)C(N)=O", "CNC=N", "CNC1=NCCN1"),
        *("CC(=O)NC(C)=O", "O=C1CCCN1", "CC#N", "CF"),
    )
]


def _matching(name: str) -> Chem.Mol | None:
    """Return the pattern by which the installed RDKit counts; None if it is not known here."""
    count = rdMolDescriptors.Properties.GetProperty(name)
    for pattern in map(Chem.MolFromSmarts, _PATTERNS[name]):
        if all(len(one.GetSubstructMatches(pattern)) == count(one) for one in _EXAMPLES):
            return pattern
    return None


COUNTED = {name: one for name in _PATTERNS if (one := _matching(name)) is not None}
SUMS = ("CrippenClogP", "CrippenMR", *COUNTED)
_N_HYDROGENS, _OF_HYDROGEN, _OF_ATOM = 0, slice(1, 3), slice(3, 3 + len(SUMS))
_WIDTH = _OF_ATOM.stop


class AtomValues:
    """Remembers what RDKit said of atoms."""

    def __init__(self) -> None:
        self._rows: dict[int, int] = {}
        self._table = np.empty((1024, _WIDTH))

    def sums(self, molecules: Sequence[Chem.Mol], atoms: Atoms) -> NDArray[np.float64]:
        """Return :data:`SUMS` of n molecules with these atoms, shape (n, number of sums)."""
        values = self._values(molecules, atoms)
        # RDKit's order, so that sums are the same to the last bit: atoms, then their hydrogens
        n_hydrogens = values[:, _N_HYDROGENS].astype(np.intp)
        owner = np.concatenate([atoms.owner, np.repeat(atoms.owner, n_hydrogens)])
        of_hydrogens = np.repeat(values[:, _OF_HYDROGEN], n_hydrogens, axis=0)
        of_atoms = values[:, _OF_ATOM]
        crippen = np.concatenate([of_atoms[:, :2], of_hydrogens])
        sums = [np.bincount(owner, one, len(molecules)) for one in crippen.T]
        counts = [np.bincount(atoms.owner, one, len(molecules)) for one in of_atoms[:, 2:].T]
        return np.stack(sums + counts, axis=1)

    def _values(self, molecules: Sequence[Chem.Mol], atoms: Atoms) -> NDArray[np.float64]:
        if len(self._rows) > N_REMEMBERED:
            self._rows.clear()
        labels = atoms.surroundings.tolist()
        for place, label in enumerate(labels):
            if label not in self._rows:
                owner = atoms.owner[place]
                start, stop = np.searchsorted(atoms.owner, [owner, owner + 1])
                self._remember(labels[start:stop], ask_rdkit(molecules[owner]))
        return self._table[[self._rows[label] for label in labels]]

    def _remember(self, labels: Sequence[int], values: NDArray[np.float64]) -> None:
        for label, one in zip(labels, values, strict=True):
            row = self._rows.setdefault(label, len(self._rows))
            if row == len(self._table):
                self._table = np.concatenate([self._table, np.empty_like(self._table)])
            self._table[row] = one


def ask_rdkit(molecule: Chem.Mol) -> NDArray[np.float64]:
    """Return what RDKit says of the atoms of a molecule, none of which is a hydrogen.

    Returns
    -------
    Shape (a, 3 + number of sums): of each atom how many hydrogens it has, Crippen's values of each
    of these, and what it adds to each of :data:`SUMS` without them.
    """
    whole = Chem.AddHs(molecule)
    crippen = np.array(rdMolDescriptors._CalcCrippenContribs(whole))
    n_atoms = molecule.GetNumAtoms()
    values = np.zeros((n_atoms, _WIDTH))
    for hydrogen in range(n_atoms, whole.GetNumAtoms()):
        [atom] = whole.GetAtomWithIdx(hydrogen).GetNeighbors()
        values[atom.GetIdx(), _N_HYDROGENS] += 1
        values[atom.GetIdx(), _OF_HYDROGEN] = crippen[hydrogen]
    of_atom = values[:, _OF_ATOM]
    of_atom[:, :2] = crippen[:n_atoms]
    for column, pattern in enumerate(COUNTED.values(), start=2):
        for match in molecule.GetSubstructMatches(pattern):
            of_atom[match[0], column] += 1
    return values
