"""The run directory: one run, one process."""

import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from molloop.errors import InputError

STORE = "campaign.sqlite"
CONFIG = "config.toml"
ENVIRONMENT = "environment.json"
LOCK = ".lock"
PACKAGES = ("molloop", "numpy", "ase", "parsl", "rdkit", "scipy", "tblite")


class RunDir:
    """A new run directory, held by this process until it is closed.

    Parameters
    ----------
    path
        It may exist, but may not hold a run. A new one is readable by its owner only.

    Raises
    ------
    InputError
        It holds another run, another process has it, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = FileLock(self.path / LOCK)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(
                "run directory",
                str(path),
                "one that no other process uses",
                "Choose another with --run-dir, or wait.",
            ) from error
        except OSError as error:
            raise InputError(
                "run directory",
                str(path),
                "a folder that can be written",
                f"Choose another with --run-dir ({error}).",
            ) from error
        if self.store.exists():
            self.close()
            raise InputError(
                "run directory",
                str(path),
                "a folder without a run",
                "It holds another run: choose another with --run-dir.",
            )

    @property
    def store(self) -> Path:
        """Path of the run's database."""
        return self.path / STORE

    def describe(self, config_toml: str, library: dict[str, Any]) -> None:
        """Write the resolved configuration, and where and on what the run takes place."""
        (self.path / CONFIG).write_text(config_toml, encoding="utf-8")
        facts = {
            "command": sys.argv,
            "python": sys.version,
            "platform": platform.platform(),
            "host": platform.node(),
            "n_cpus": os.cpu_count(),
            "packages": {name: metadata.version(name) for name in PACKAGES},
            "library": library,
        }
        (self.path / ENVIRONMENT).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")

    def close(self) -> None:
        """Let another process have it."""
        self._lock.release()
