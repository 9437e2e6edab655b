"""PySCF, with nothing of the folder where it is imported and computes.

PySCF runs the file `.pyscf_conf.py` of the current folder as it is imported, or that of the user's
home. Where the folder has a file that is called as a basis set, PySCF reads that instead of its
own, and evaluates what is no number in it. A run's folder may be anybody's, and a user's settings
would change values. Matrices are multiplied by NumPy, whose BLAS is the faster one.
"""

import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any

import numpy as np

__all__ = ["df", "dft", "elsewhere", "gto", "lib", "numint"]
SETTINGS = "PYSCF_CONFIG_FILE"  # the file that PySCF looks for first


@contextmanager
def _no_settings() -> Iterator[None]:
    before = os.environ.get(SETTINGS)
    with NamedTemporaryFile(prefix="molloop-") as empty:
        os.environ[SETTINGS] = empty.name
        try:
            yield
        finally:
            del os.environ[SETTINGS]
            if before is not None:
                os.environ[SETTINGS] = before


@contextmanager
def elsewhere() -> Iterator[None]:
    """Work in an empty folder."""
    with TemporaryDirectory(prefix="molloop-") as folder, chdir(folder):
        yield


with elsewhere(), _no_settings():
    from pyscf import df, dft, gto, lib
    from pyscf.dft import numint
    from pyscf.scf import hf


def _multiplied(a: Any, b: Any, alpha: float = 1, c: Any = None, beta: float = 0) -> Any:
    """Return alpha a b + beta c; it is written into c where there is one."""
    product = alpha * np.dot(a, b) if alpha != 1 else np.dot(a, b)
    if c is None:
        return product
    c[:] = beta * c + product if beta else product
    return c


# nobody reads the file that each solution would be written into
hf.MUTE_CHKFILE = True
lib.ddot = lib.numpy_helper.ddot = _multiplied
