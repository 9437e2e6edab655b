"""The run directory: one run, one process."""

import errno
import fcntl
import os
import platform
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from molloop.errors import InputError, RunError
from molloop.files import check_plain_folder, file_sha256, write_whole
from molloop.simulate.simulators import Origin
from molloop.store.disk import what_is_there

STORE = "campaign.sqlite"
CONFIG = "config.toml"
LOCK = ".lock"
LOCK_TIMEOUT_S = 1.0  # `is_held` has it for a moment
# what a run is made of, beside the tables and figures that it writes anew
OWN = (STORE, CONFIG, LOCK, "parsl", "scratch", "job.sh", "job.toml")
PACKAGES = ("molloop", "numpy", "ase", "parsl", "rdkit", "scipy", "tblite")


_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class RunDir:
    """A run directory, held by this process until it is closed.

    Parameters
    ----------
    path
        A new one is readable by its owner only.
    is_new
        Whether it must not hold a run yet, or must hold one.

    Raises
    ------
    InputError
        It holds a run or none, another process has it, or it cannot be written.
    """

    def __init__(self, path: Path, *, is_new: bool = True) -> None:
        self.path = path.absolute()
        if not is_new:
            find_run(path)
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_own(path)
            self._lock = FileLock(self.path / LOCK, fallback_to_soft=False)
            self._lock.acquire(timeout=LOCK_TIMEOUT_S)
        except Timeout as error:
            raise InputError(
                "run directory",
                str(path),
                "one that no other process uses",
                f"`molloop status {path}` says which one does: wait for it"
                + (", or choose another folder." if is_new else "."),
            ) from error
        except NotImplementedError as error:  # of filelock, where there are no locks
            raise _no_locks(path, error) from error
        except OSError as error:
            if error.errno in _NO_LOCKS:
                raise _no_locks(path, error) from error
            raise InputError(
                "run directory",
                str(path),
                "a folder that can be written",
                f"Choose another folder ({error}).",
            ) from error
        if is_new and self.store.exists():
            self.close()
            raise InputError(
                "run directory",
                str(path),
                "a folder without a run",
                f"It holds one: `molloop resume {path}` goes on with it; or choose another folder.",
            )

    @property
    def store(self) -> Path:
        """Path of the run's database."""
        return self.path / STORE

    def write_config(self, config_toml: str) -> None:
        """Write the resolved configuration, whole or not at all.

        Raises
        ------
        RunError
            It cannot be written.
        """
        config = self.path / CONFIG
        try:
            write_whole(config, lambda path: path.write_text(config_toml, "utf-8"))
        except OSError as error:
            raise RunError(
                f"{config} cannot be written ({error}).", what_is_there(self.store)
            ) from error

    def close(self) -> None:
        """Let another process have it."""
        self._lock.release()


def _no_locks(path: Path, error: Exception) -> InputError:
    return InputError(
        "run directory",
        str(path),
        "a folder on a file system with locks, so that no two processes run in it",
        f"Choose one elsewhere ({error}).",
    )


def find_run(path: Path) -> Path:
    """Return the database of the run that a folder holds.

    Raises
    ------
    InputError
        It holds none, or a link or special file, which could be anything.
    """
    store = path / STORE
    try:
        if not store.is_file():
            expected = f"a folder that holds a run ({STORE})"
            raise InputError("run directory", str(path), expected, "Check the path.")
        check_own(path)
    except OSError as error:
        expected = "a folder that you may read"
        raise InputError(
            "run directory", str(path), expected, f"It cannot be read ({error})."
        ) from error
    return store


def is_own(path: Path, run_dir: Path) -> bool:
    """Whether a path is one of those that a run directory is made of, its journal among them."""
    name = path.name
    is_named = name in OWN or name.startswith(f"{STORE}-")
    return is_named and path.parent.resolve() == run_dir.resolve()


def check_own(path: Path) -> None:
    """Look whether a run directory holds plain files and folders only.

    Whoever made it could have its files be others, elsewhere, or keep a reader waiting for ever.

    Raises
    ------
    InputError
        Something there is none.
    OSError
        It cannot be read.
    """
    try:
        check_plain_folder(path)
    except ValueError as error:
        raise InputError(
            "run directory",
            str(path),
            "a folder of plain files and folders",
            f"{error}: take it away, or put a copy in its place.",
        ) from error


def is_held(path: Path) -> bool | None:
    """Whether a process runs in it; None where the file system does not tell."""
    try:
        lock = os.open(path / LOCK, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    except OSError:
        return None
    finally:
        os.close(lock)
    return False


def environment(
    library: dict[str, Any], simulator: Origin | None, packages: Iterable[str] = ()
) -> dict[str, Any]:
    """Return where and on what this process runs; with the versions of further packages."""
    return {
        "command": sys.argv,
        "python": sys.version,
        "platform": platform.platform(),
        "host": platform.node(),
        "pid": os.getpid(),
        "n_cpus": os.cpu_count(),
        "packages": {name: metadata.version(name) for name in (*PACKAGES, *packages)},
        "library": library,
        "simulator": simulator and _code_of(simulator),
    }


def _code_of(simulator: Origin) -> dict[str, Any]:
    return {
        "package": simulator.package,
        "version": simulator.version,
        "sha256": {name: _source_sha256(name) for name in simulator.modules},
    }


def _source_sha256(module: str) -> str | None:
    """Checksum of the file of a module, which is not imported; None where it is not found."""
    package, *others = module.split(".")
    # packages that are edited where they are may have a finder of their own
    specs = (finder.find_spec(package, None) for finder in sys.meta_path)
    found = next((one for one in specs if one is not None), None)
    if found is None:
        return None
    if not others:
        candidates = [Path(found.origin)] if found.origin else []
    else:
        # a package without an __init__.py may have several folders
        folders = [Path(one).joinpath(*others) for one in found.submodule_search_locations or ()]
        candidates = [path for one in folders for path in (one / "__init__.py", Path(f"{one}.py"))]
    return next((file_sha256(path) for path in candidates if path.is_file()), None)
