"""Features that users and other packages compute: called, and checked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from molloop.errors import RunError
from molloop.library.features import FeatureKind
from molloop.library.registry import feature_kind
from molloop.texts import counted

WORD = 8  # bytes that models look at together


class _WrongError(Exception):
    """What is wrong with what comes out."""


def computed(name: str, molecules: Sequence[Chem.Mol], width: int | None = None) -> NDArray[Any]:
    """Compute features of n >= 1 molecules, shape (n, width), and check them.

    Parameters
    ----------
    width
        How many numbers a molecule must have; None: any, but none.

    Raises
    ------
    RunError
        It fails, or what comes out is something else; the error names the molecule.
    """
    kind = feature_kind(name)
    try:
        return _checked(kind, molecules, width)
    except _WrongError as error:
        told, culprit = str(error), molecules[0]
        which = f"{counted(len(molecules), 'molecule')}, the first of which is "
        for molecule in molecules:
            try:
                _checked(kind, [molecule], width)
            except _WrongError as one:
                told, culprit, which = str(one), molecule, ""
                break
        raise RunError(
            f"The features {name} of {which}{_shown(culprit)} cannot be used: {told}.",
            "Correct the code that computes them, or choose other features.",
        ) from error


def _checked(kind: FeatureKind, molecules: Sequence[Chem.Mol], width: int | None) -> NDArray[Any]:
    n, dtype = len(molecules), np.dtype(kind.dtype)
    try:
        rows = np.asarray(kind.compute(molecules))
    except Exception as error:  # what computes them is a user's, and may raise anything
        raise _WrongError(f"{type(error).__name__}: {error}") from error
    is_table = rows.ndim == 2 and len(rows) == n and rows.shape[1] > 0
    if not is_table or width not in (None, rows.shape[1]):
        expected = f"({n}, {'width' if width is None else width})"
        raise _WrongError(f"their shape is {rows.shape} instead of {expected}")
    if dtype == np.uint8 and rows.dtype != dtype:
        raise _WrongError(f"they are {rows.dtype} instead of uint8")
    if dtype == np.uint8 and rows.shape[1] % WORD:
        raise _WrongError(f"they have {rows.shape[1]} bytes instead of a multiple of {WORD}")
    if rows.dtype.kind not in "fiub":
        raise _WrongError(f"they are {rows.dtype} instead of numbers")
    with np.errstate(over="ignore"):
        found = rows.astype(dtype)
    if not np.isfinite(found).all():
        wrong = rows[~np.isfinite(found)][0]
        raise _WrongError(f"one is {wrong}, which is no finite number of single precision")
    return found


def _shown(molecule: Chem.Mol) -> str:
    smiles = Chem.MolToSmiles(molecule)
    name = molecule.GetProp("_Name") if molecule.HasProp("_Name") else ""
    return f"{smiles} ({name})" if name else smiles
