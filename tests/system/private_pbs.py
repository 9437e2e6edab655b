"""A private PBS on this machine: qsub, qstat and qdel of the stand-in, in a folder of their own."""

import os
import subprocess
import sys
from pathlib import Path

STAND_IN = Path(__file__).with_name("pbs_stand_in.py")
COMMANDS = ("qsub", "qstat", "qdel")


def install(folder: Path) -> dict[str, str]:
    """Make a folder with the commands; return the environment in which they are found."""
    (folder / "home").mkdir(parents=True)
    for name in COMMANDS:
        path = folder / name
        path.write_text(f'#!/bin/bash\nexec {sys.executable} {STAND_IN} {name} "$@"\n')
        path.chmod(0o755)
    return {
        "PATH": f"{folder}:/usr/bin:/bin",
        "PBS_STAND_IN": str(folder),
        "HYDRA_LAUNCHER": "fork",
        "HOME": str(folder / "home"),
    }


class Pbs:
    """The stand-in, its jobs, and its settings."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.environment = install(folder) | {
            f"PBS_STAND_IN_{name}": value for name, value in settings.items()
        }

    def call(self, *words: object) -> tuple[int, str, str]:
        """Call a command; return its exit code, output and errors."""
        done = subprocess.run(
            list(map(str, words)),
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr

    def job(self, number: int) -> Path:
        return self.folder / f"job-{number}"

    def state(self, number: int) -> str:
        """Return a job's letter, whatever qstat would say; nothing where there is no such job."""
        path = self.job(number) / "state"
        return path.read_text() if path.exists() else ""

    def n_jobs(self) -> int:
        return len(list(self.folder.glob("job-*")))
