"""The programs that values depend on: RDKit's conformers differ from version to version."""

from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata

PROGRAMS = ("molloop", "rdkit", "tblite")
OF_SOME_LEVELS = ("pyscf", "pyscf-dispersion")


def versions(others: Iterable[str] = ()) -> dict[str, str]:
    """Return the versions that this process computes by, those of other packages last."""
    return {name: metadata.version(name) for name in (*PROGRAMS, *others)}


def told(processes: Sequence[Mapping[str, str]]) -> str:
    """Return versions in words, such as ``molloop 0.2.0, rdkit 2026.9.1, tblite 0.8.0``.

    Parameters
    ----------
    processes
        Of each process that has computed; versions that differ stand side by side, with ``/``.
    """
    found = {
        name: dict.fromkeys(one[name] for one in processes if name in one)
        for name in (*PROGRAMS, *OF_SOME_LEVELS)
    }
    return ", ".join(f"{name} {'/'.join(some)}" for name, some in found.items() if some)
