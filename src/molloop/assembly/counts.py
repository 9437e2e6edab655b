"""How many: what a program may ask for."""

from numbers import Integral

from molloop.assembly.campaign import cores
from molloop.errors import InputError


def at_least_one(what: str, n: object, remedy: str = "Ask for more.") -> int:
    """Return a number of things, of which there has to be one.

    Raises
    ------
    InputError
        It is no whole number, or less than one.
    """
    if not isinstance(n, Integral) or isinstance(n, bool) or n < 1:
        raise InputError(what, n, "1 at least", remedy)
    return int(n)


def processes(n: int | None) -> int:
    """Return how many processes to use; None: one a core.

    Raises
    ------
    InputError
        It is no whole number, or less than one.
    """
    return cores() if n is None else at_least_one("n_processes", n, "None takes one a core.")
