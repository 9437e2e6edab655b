"""What can go wrong, and whether trying again can help.

Every exception keeps its facts as typed attributes and survives pickling: workers send them home.
The command line turns them into one line and an exit code; nothing else does.
"""

import errno
from typing import ClassVar


class MolloopError(Exception):
    """Anything that molloop raises on purpose.

    Attributes
    ----------
    exit_code
        What the command line ends with when the error reaches it.
    """

    exit_code: ClassVar[int] = 1


class InputError(MolloopError):
    """Something that the user gave cannot be used.

    Parameters
    ----------
    what
        The thing that is wrong, by the name that the user knows.
    value
        What was given; None: nothing was.
    expected
        What would have been right.
    remedy
        What to do about it.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, what: str, value: object, expected: str, remedy: str) -> None:
        super().__init__(what, value, expected, remedy)
        self.what = what
        self.value = value
        self.expected = expected
        self.remedy = remedy

    def __str__(self) -> str:
        given = "is missing" if self.value is None else f"got {self.value!r}"
        return f"{self.what}: {given}, expected {self.expected}. {self.remedy}"


class RunError(MolloopError):
    """A run cannot go on.

    Parameters
    ----------
    reason
        What happened.
    remedy
        What to do about it.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        separator = "" if self.reason.endswith("\n") else " "
        return f"{self.reason}{separator}{self.remedy}"


class EngineError(RunError):
    """The workers cannot be started or have been lost for good."""


class StoreError(RunError):
    """The run's database cannot be read or written."""


class SimulationError(MolloopError):
    """One molecule cannot be simulated; the others are not touched by it.

    Parameters
    ----------
    kind
        The class of failure, a stable word: ``invalid_smiles``, ``embedding``, ``scf``, ...
    message
        What happened, with the molecule's SMILES where that helps.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


def not_written(
    what: str, path: object, error: Exception, expected: str = "a file that can be written"
) -> MolloopError:
    """Return the error of a file that the user has named and that cannot be written.

    A full disk is no mistake of the user's: what is written there another time may be.

    Parameters
    ----------
    what
        By what name the user knows it.
    """
    if _is_full(error):
        return RunError(
            f"{path} cannot be written: {error}.", "Make room on its disk, then do it again."
        )
    return InputError(what, str(path), expected, f"It fails with: {error}.")


def remedy_there(error: Exception) -> str:
    """Return what the user can do where nothing can be kept in a folder."""
    return "Make space there" if _is_full(error) else "See to it that it can be written there"


def _is_full(error: Exception) -> bool:
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return full or "disk is full" in str(error)  # SQLite's words
