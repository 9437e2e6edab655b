"""A job of the stand-in for PBS: a folder that its commands and its mom read and write.

States are PBS's letters. What has ended is known to commands only where the server keeps a history.
"""

import json
import os
from contextlib import suppress
from pathlib import Path

ROOT = Path(os.environ["PBS_STAND_IN"])
SERVER = "stand-in"
KEEPS_HISTORY = bool(os.environ.get("PBS_STAND_IN_HISTORY"))


class Job:
    """One job, by the name that the server has given it."""

    def __init__(self, name):
        self.number = name.partition(".")[0]
        self.name = f"{self.number}.{SERVER}"
        self.folder = ROOT / f"job-{self.number}"

    @property
    def state(self):
        """Its letter; F also where it never was, as nothing waits for such a job."""
        with suppress(OSError):
            return (self.folder / "state").read_text()
        return "F"

    @property
    def exit_status(self):
        """None: it has none, or not yet; so it is where it has never run."""
        with suppress(OSError):
            return int((self.folder / "code").read_text())

    @property
    def is_known(self):
        """Whether the server finds it among those that go on."""
        return self.state != "F"

    @property
    def is_in_history(self):
        return KEEPS_HISTORY and self.folder.exists() and not self.is_known

    @property
    def facts(self):
        return json.loads((self.folder / "job.json").read_text())

    @property
    def n_deletions(self):
        with suppress(OSError):
            return len((self.folder / "deletions").read_text())
        return 0

    def note(self, letter, exit_status=None):
        if exit_status is not None:
            (self.folder / "code").write_text(str(exit_status))
        unfinished = self.folder / "state.tmp"
        unfinished.write_text(letter)
        unfinished.replace(self.folder / "state")

    def delete(self):
        """Have its mom end it; one that has none yet is gone at once."""
        with (self.folder / "deletions").open("a") as file:
            file.write("x")
        if self.state in "HQ":
            self.note("F")

    def attributes(self):
        """What qstat shows of it."""
        found = {"Job_Name": self.facts["name"], "job_state": self.state}
        found["comment"] = f"state {self.state} of a stand-in"
        status = self.exit_status
        return found | ({} if status is None else {"Exit_status": status})


def all_jobs():
    return [Job(folder.name.removeprefix("job-")) for folder in ROOT.glob("job-*")]
