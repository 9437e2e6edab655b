"""What a command needs of the system, asked before a library fails without a word for the lack."""

import os
import resource

from molloop.errors import RunError

MIB = 2**20
MIB_A_THREAD = 40  # that an OpenBLAS maps when it is loaded; NumPy and SciPy have one each
MAX_BLAS_THREADS = 64
PARSL_FILES = 48  # of the process that runs a campaign: 36 were measured


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def require_files(what: str, n: int) -> None:
    """Raise RunError where this process may open fewer files."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < n:
        raise RunError(
            f"{what} needs {n} open files, and this process may have {most}.",
            f"Allow more: `ulimit -n {n}`.",
        )


def require_address_space(what: str, n_mib: int, n_blas: int) -> None:
    """Raise RunError where this process may map less memory.

    Parameters
    ----------
    n_mib
        What it needs in MiB where linear algebra has one thread.
    n_blas
        Libraries of linear algebra that it loads: each takes more for every further thread.
    """
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY:
        return
    needed = n_mib + n_blas * MIB_A_THREAD * (_blas_threads() - 1)
    if most < needed * MIB:
        raise RunError(
            f"{what} needs {needed:,} MiB of address space here, and this process may have "
            f"{most // MIB:,}.",
            f"Allow more, `ulimit -v {needed * 1024}`; OPENBLAS_NUM_THREADS=1 needs least.",
        )


def _blas_threads() -> int:
    given = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or ""
    n = available_cores()
    return min(int(given) if given.isdecimal() and int(given) else n, n, MAX_BLAS_THREADS)
