"""PySCF, with nothing of the folder where it is imported and computes.

PySCF runs the file `.pyscf_conf.py` of the current folder as it is imported, or that of the user's
home. Where the folder has a file that is called as a basis set, PySCF reads that instead of its
own, and evaluates what is no number in it. A run's folder may be anybody's, and a user's settings
would change values.
"""

import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from tempfile import NamedTemporaryFile, TemporaryDirectory

__all__ = ["dft", "elsewhere", "gto", "hf", "lib"]
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
    from pyscf import dft, gto, lib
    from pyscf.scf import hf
