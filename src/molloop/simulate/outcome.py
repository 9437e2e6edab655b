"""What a simulation gives: a success or a failure, never an exception.

Without slots: outcomes go from process to process, and frozen classes with slots are pickled by
functions in Python.
"""

from dataclasses import dataclass, field

from molloop.molecule import Geometry

SCHEMA_VERSION = 1
LARGEST_VALUE = 1e100  # models square values


@dataclass(frozen=True)
class Success:
    """A value, and what else is known of it.

    Attributes
    ----------
    value
        The property, in its unit: for the default one, the vertical IE in eV.
    level, fidelity
        Level of theory, and how much of the protocol was run; a simulator of the user's leaves
        them out, the worker fills them in.
    details
        Named numbers with the unit in the name, such as the energies of neutral and cation.
    flags
        Doubts that a reader of the value should know, such as ``not_converged``.
    geometry
        The relaxed molecule.
    seconds
        Time that it took.
    smiles, name
        Of the molecule, where :func:`molloop.simulate_molecules` gives it; else empty.
    """

    value: float
    level: str = ""
    fidelity: str = ""
    details: dict[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    geometry: Geometry | None = None
    seconds: float = 0.0
    schema_version: int = SCHEMA_VERSION
    smiles: str = ""
    name: str = ""


@dataclass(frozen=True)
class Failure:
    """Why there is no value.

    Attributes
    ----------
    kind
        A stable word.
    message
        A sentence.
    can_retry
        Whether the same call may succeed later.
    smiles, name
        As of a success.
    """

    kind: str
    message: str
    level: str
    fidelity: str
    can_retry: bool = False
    seconds: float = 0.0
    schema_version: int = SCHEMA_VERSION
    smiles: str = ""
    name: str = ""


Outcome = Success | Failure
