"""The dear steps of PySCF, by NumPy's products of matrices and with values of the grid kept.

PySCF's wheels bring an OpenBLAS of 2018, which knows no processor since, and multiply three to four
times as slowly as NumPy's. With what stands here an IE by B3LYP/def2-SVP takes about a quarter of
the time; the same energies come out to 1e-9 eV.
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgWarning

from molloop.simulate.pyscf_apart import df, lib, numint

Array = NDArray[np.float64]
Factors = list[tuple[Array, Array]]
FITS_AT_ONCE = 32  # functions of the fit, so that what is computed of them stays in the cache
POINTS_AT_ONCE = 56 * 100  # of the grid; PySCF wants a multiple of 56
KEPT_SHARE = 0.5  # of the memory, for values of the orbitals at the points
LEAST_MB = 100
BYTES_A_NUMBER = 8
BYTES_A_MB = 10**6


def turn_of(densities: Array, lefts: Sequence[Array], rights: Sequence[Array]) -> Array:
    """Say of what orbitals changes of densities are made: left times right, and its transpose.

    Their exchange then takes a fraction of the time.

    Parameters
    ----------
    densities
        Shape (n, n), or (spins, n, n).
    lefts, rights
        Of each spin, shape (n, k).
    """
    told: Array = lib.tag_array(densities, turn=list(zip(lefts, rights, strict=True)))
    return told


class Fitted(df.DF):  # type: ignore[misc]  # PySCF has no types
    """Coulomb and exchange matrices of densities by fitted integrals.

    Weigend, Phys. Chem. Chem. Phys. 4, 4285 (2002), doi:10.1039/b204199p.
    """

    def get_jk(
        self,
        dm: Any,
        hermi: int = 1,
        with_j: bool = True,
        with_k: bool = True,
        direct_scf_tol: float = 1e-13,
        omega: float | None = None,
    ) -> Any:
        """Return the Coulomb and the exchange matrix of each density, as PySCF does."""
        if omega:
            with self.range_coulomb(omega) as screened, warnings.catch_warnings():
                # steep functions of the fit have next to no integrals of long range
                warnings.simplefilter("ignore", LinAlgWarning)
                return screened.get_jk(dm, hermi, with_j, with_k, direct_scf_tol)
        coulomb = super().get_jk(dm, hermi, True, False, direct_scf_tol)[0] if with_j else None
        return coulomb, self._exchange(dm) if with_k else None

    def _exchange(self, dm: Any) -> Array:
        n = np.shape(dm)[-1]
        is_turn = getattr(dm, "turn", None) is not None
        factors = dm.turn if is_turn else _factors(dm)
        found = np.zeros((len(factors), n, n))
        memory = np.empty((FITS_AT_ONCE, n, n))  # asked for once, as it takes as long as the rest
        for packed in self.loop(FITS_AT_ONCE):
            integrals = lib.unpack_tril(packed, out=memory[: len(packed)])
            for k, (left, right) in enumerate(factors):
                half = _half(left, integrals)
                found[k] += half.T @ (half if left is right else _half(right, integrals))
        if is_turn:
            found += found.transpose(0, 2, 1)
        exchange: Array = found.reshape(np.shape(dm))
        return exchange


def _half(orbitals: Array, integrals: Array) -> Array:
    """Return the integrals with one side of each in some orbitals, shape (fits * k, n)."""
    half: Array = np.matmul(orbitals.T, integrals).reshape(-1, integrals.shape[-1])
    return half


def _factors(dm: Any) -> Factors:
    """Return of each density what it is the product of, the second one transposed."""
    n = np.shape(dm)[-1]
    if getattr(dm, "mo_coeff", None) is None:
        whole = np.eye(n)
        return [(np.ascontiguousarray(one.T), whole) for one in np.reshape(dm, (-1, n, n))]
    n_orbitals = np.shape(dm.mo_coeff)[-1]
    orbitals = np.reshape(dm.mo_coeff, (-1, n, n_orbitals))
    occupations = np.reshape(dm.mo_occ, (-1, n_orbitals))
    filled = [
        np.ascontiguousarray(columns[:, counts > 0] * np.sqrt(counts[counts > 0]))
        for columns, counts in zip(orbitals, occupations, strict=True)
    ]
    return [(one, one) for one in filled]


class Integration(numint.NumInt):  # type: ignore[misc]
    """Integrals of a functional, with the orbitals' values at the grid's points kept.

    Parameters
    ----------
    memory_mb
        Of the process. Without it PySCF takes 2 GB and more for some integrals, whatever a molecule
        was told.
    """

    def __init__(self, memory_mb: float) -> None:
        super().__init__()
        self._memory_mb = memory_mb
        self._kept: dict[tuple[int, int], tuple[Any, list[Any]]] = {}

    def block_loop(
        self,
        mol: Any,
        grids: Any,
        nao: int | None = None,
        deriv: int = 0,
        max_memory: float = 2000,
        non0tab: Any = None,
        blksize: int | None = None,
        buf: Any = None,
    ) -> Iterator[Any]:
        """Yield values, mask, weights and points, block by block, as PySCF does."""
        if grids.coords is None:
            grids.build(with_non0tab=True)
        left_mb = max(LEAST_MB, self._memory_mb - lib.current_memory()[0])
        max_memory = min(max_memory, left_mb)
        n_derivatives = (deriv + 1) * (deriv + 2) * (deriv + 3) // 6
        n_bytes = len(grids.coords) * mol.nao * n_derivatives * BYTES_A_NUMBER
        key = id(grids), deriv
        if key not in self._kept and n_bytes > KEPT_SHARE * max_memory * BYTES_A_MB:
            yield from super().block_loop(
                mol,
                grids,
                nao,
                deriv,
                non0tab=non0tab,
                blksize=blksize,
                buf=buf,
                max_memory=max_memory,
            )
            return
        if key not in self._kept:
            blocks = super().block_loop(
                mol, grids, nao, deriv, blksize=POINTS_AT_ONCE, max_memory=max_memory
            )
            # PySCF writes each block where the last one was; the grid is kept as its key is
            copies = [(values.copy(order="K"), *rest) for values, *rest in blocks]
            self._kept[key] = grids, copies
        yield from self._kept[key][1]
