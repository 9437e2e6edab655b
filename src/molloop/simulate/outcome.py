"""What a simulation gives: a success or a failure, never an exception.

Without slots: outcomes go from process to process, and frozen classes with slots are pickled by
functions in Python.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from molloop.molecule import Geometry

LARGEST_VALUE = 1e100  # models square values
LARGEST_COUNT = 2**53  # beyond it not every reader of JSON tells whole numbers apart
LARGEST_CHARGE = 10_000
MOST_ATOMS = 2**20
MOST_LETTERS = 2**20  # of all flags together

OWN = "molecule"  # what the calculation of a molecule itself is called, not of an ion of it


@dataclass(frozen=True)
class Calculation:
    """A single point: the energy of a molecule in some state, by some method, at some geometry.

    Attributes
    ----------
    charge, n_unpaired
        Of the molecule, and its unpaired electrons.
    method
        What the program calls it, such as ``GFN2-xTB``.
    energy_ev
        The total energy.
    geometry
        Which of the success's geometries it was computed at.
    solvent
        Empty for none.
    n_steps
        Of the relaxation that it ends; 0 where there was none.
    """

    charge: int
    n_unpaired: int
    method: str
    energy_ev: float
    geometry: str = ""
    solvent: str = ""
    n_steps: int = 0


@dataclass(frozen=True)
class Success:
    """Values of a molecule, and what they were made of.

    Attributes
    ----------
    values
        By the name of the quantity, such as ``{"ie": 12.6}``, each in its unit. A number alone is
        the value of the quantity that was asked for.
    calculations
        By a name of the simulator's, such as ``molecule`` and ``ion``.
    geometries
        The same; the first one is the molecule's own.
    flags
        Doubts that a reader of the values should know, such as ``not_converged``.
    seconds
        Time that it took.
    smiles, name
        Of the molecule, where :func:`molloop.simulate_molecules` gives it; else empty.
    """

    values: Mapping[str, float] | float
    calculations: Mapping[str, Calculation] = field(default_factory=dict)
    geometries: Mapping[str, Geometry] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    seconds: float = 0.0
    smiles: str = ""
    name: str = ""

    @property
    def named(self) -> Mapping[str, float]:
        """The values by their names; a number alone has none and is not among them."""
        values = self.values
        # a dict nearly always, which takes a tenth of the time to tell
        return values if type(values) is dict or isinstance(values, Mapping) else {}

    @property
    def value(self) -> float:
        """The value that was asked for: the first one."""
        values = self.values
        return next(iter(values.values())) if isinstance(values, Mapping) else values

    @property
    def molecule(self) -> Calculation | None:
        """The calculation of the molecule as it was given, not of an ion of it, if there is one."""
        return self.calculations.get(OWN)

    @property
    def geometry(self) -> Geometry | None:
        """The molecule's own geometry, if there is one."""
        return next(iter(self.geometries.values()), None)


@dataclass(frozen=True)
class Failure:
    """Why there is no value.

    Attributes
    ----------
    kind
        A stable word.
    message
        A sentence.
    seconds
        Time that it took.
    smiles, name
        As of a success.
    """

    kind: str
    message: str
    seconds: float = 0.0
    smiles: str = ""
    name: str = ""


Outcome = Success | Failure
