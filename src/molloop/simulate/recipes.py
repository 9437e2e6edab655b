"""The quantities that are computed of a molecule, and the recipe of each, in one table.

Light to import: the configuration reads the names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from molloop.goal import Direction, Quantity, slug

Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Point:
    """A calculation that recipes ask for: a state of the molecule, at the geometry of a state.

    Attributes
    ----------
    charge
        Beyond the molecule's own.
    geometry
        Of which state: ``molecule``, ``cation`` or ``anion``. An ion's is relaxed in its own state.
    meaning
        In words.
    """

    charge: int
    geometry: str
    meaning: str


# state -> charge beyond the molecule's own
STATES = {"molecule": 0, "cation": 1, "anion": -1}
POINTS = {
    "molecule": Point(0, "molecule", "molecule"),
    "ion": Point(1, "molecule", "cation at the molecule's geometry"),
    "anion": Point(-1, "molecule", "anion at the molecule's geometry"),
    "cation_relaxed": Point(1, "cation", "relaxed cation"),
    "anion_relaxed": Point(-1, "anion", "relaxed anion"),
    "molecule_at_cation": Point(0, "cation", "molecule at the cation's geometry"),
    "molecule_at_anion": Point(0, "anion", "molecule at the anion's geometry"),
}
# what flags call those of another state or geometry than the molecule itself
_CALLED = {
    "ion": "cation",
    "cation_relaxed": "relaxed_cation",
    "anion_relaxed": "relaxed_anion",
}


def flag_of(point: str, doubt: str) -> str:
    """Return the flag of a doubt about a single point, such as ``cation_spin_contaminated``."""
    return doubt if point == "molecule" else f"{_CALLED.get(point, point)}_{doubt}"


@dataclass(frozen=True, slots=True)
class Orbitals:
    """What a calculation says beside its energy: frontier orbitals (eV) and dipole (Debye)."""

    homo_ev: float
    lumo_ev: float
    dipole_debye: float


@dataclass(frozen=True)
class Computed:
    """What a recipe reads.

    Attributes
    ----------
    energies_ev
        Total energies, by the names of `POINTS`.
    orbitals
        Of the molecule itself.
    shift_ev
        The level's own correction for the electron that comes or goes.
    electron_ev
        What an electron at rest far away is worth at the level.
    zero_v
        Absolute potential of the reference electrode.
    """

    energies_ev: Mapping[str, float]
    orbitals: Callable[[], Orbitals]
    shift_ev: float
    electron_ev: float
    zero_v: float

    def __getitem__(self, name: str) -> float:
        return self.energies_ev[name]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A quantity, and how it follows from calculations.

    Attributes
    ----------
    direction
        Which of its values are searched for, unless the user says it.
    points
        The calculations that it needs, by the names of `POINTS`.
    value
        Of what these say.
    bounds
        Charge of the molecule -> values between which all of its values lie; one elsewhere is the
        failure ``out_of_bounds``.
    cost
        Processor time beside that of ``ie``, as `benchmarks/quantities.py` measures it.
    worth
        What a value may be used for, in a line.
    against_electrode
        Whether it is a potential, which needs a solvent and a reference electrode.
    has_shift
        Whether the level's shift is in it.
    """

    quantity: Quantity
    direction: Direction
    points: tuple[str, ...]
    value: Callable[[Computed], float]
    bounds: Callable[[int], Bounds]
    cost: float
    worth: str
    against_electrode: bool = False
    has_shift: bool = False

    @property
    def is_adiabatic(self) -> bool:
        """Whether a geometry of an ion is relaxed for it."""
        return any(POINTS[name].geometry != "molecule" for name in self.points)


def _removal(charge: int) -> Bounds:
    # helium's IE is the largest of any neutral atom, at 24.6 eV; an anion may hold its electron
    # by nothing, and each charge more holds the next one by as much again
    return (-30.0 if charge < 0 else 0.0, 50.0 * (1 + max(charge, 0)))


def _addition(charge: int) -> Bounds:
    # of a neutral molecule: chlorine's, the largest of any atom, is 3.6 eV, without the shift 9 eV;
    # methane's anion, in so small a basis, lies 8 eV above it. Of a cation: the IE of what it was.
    return (-30.0, 20.0) if charge <= 0 else (-20.0, 50.0 * charge)


def _within(low: float, high: float) -> Callable[[int], Bounds]:
    return lambda _charge: (low, high)


_UP, _DOWN = Direction.MAXIMISE, Direction.MINIMISE
_TABLE = (
    Recipe(
        Quantity("IE", "eV", "Vertical ionization energy"),
        _UP,
        ("molecule", "ion"),
        lambda of: of["ion"] - of["molecule"] + of.shift_ev,
        _removal,
        1.0,
        "the order of molecules; numbers by ipea1",
        has_shift=True,
    ),
    Recipe(
        Quantity("EA", "eV", "Vertical electron affinity"),
        _UP,
        ("molecule", "anion"),
        lambda of: of["molecule"] - of["anion"] + of.shift_ev,
        _addition,
        1.0,
        "the order of good acceptors; without meaning where it is flagged anion_not_bound",
        has_shift=True,
    ),
    Recipe(
        Quantity("IE, adiabatic", "eV", "Adiabatic ionization energy"),
        _UP,
        ("molecule", "cation_relaxed"),
        lambda of: of["cation_relaxed"] - of["molecule"] + of.shift_ev,
        _removal,
        3.1,
        "as ie, and what a relaxed cation is worth",
        has_shift=True,
    ),
    Recipe(
        Quantity("EA, adiabatic", "eV", "Adiabatic electron affinity"),
        _UP,
        ("molecule", "anion_relaxed"),
        lambda of: of["molecule"] - of["anion_relaxed"] + of.shift_ev,
        _addition,
        3.9,
        "as ea; an anion that falls apart is flagged anion_rearranged",
        has_shift=True,
    ),
    Recipe(
        Quantity("Fundamental gap", "eV", "Fundamental gap, IE - EA, vertical"),
        _DOWN,
        ("molecule", "ion", "anion"),
        lambda of: of["ion"] + of["anion"] - 2 * of["molecule"],
        _within(-5.0, 100.0),
        1.1,
        "the order; the level's shift drops out. Without meaning where the anion is not bound",
    ),
    Recipe(
        Quantity("Hole reorganisation", "eV", "Reorganisation energy of a hole, inner sphere"),
        _DOWN,
        ("molecule", "ion", "cation_relaxed", "molecule_at_cation"),
        lambda of: of["ion"] - of["cation_relaxed"] + of["molecule_at_cation"] - of["molecule"],
        _within(-1.0, 30.0),
        3.3,
        "the order of rigid molecules; the solvent's part is not in it",
    ),
    Recipe(
        Quantity(
            "Electron reorganisation", "eV", "Reorganisation energy of an electron, inner sphere"
        ),
        _DOWN,
        ("molecule", "anion", "anion_relaxed", "molecule_at_anion"),
        lambda of: of["anion"] - of["anion_relaxed"] + of["molecule_at_anion"] - of["molecule"],
        _within(-1.0, 30.0),
        4.1,
        "as of a hole, where the anion is bound",
    ),
    Recipe(
        Quantity("Oxidation potential", "V", "Oxidation potential, adiabatic"),
        _UP,
        ("molecule", "cation_relaxed"),
        lambda of: of["cation_relaxed"] - of["molecule"] - of.electron_ev - of.zero_v,
        _within(-30.0, 30.0),
        3.3,
        "the order; no vibrations, no ions around, errors of some tenths of a volt and more",
        against_electrode=True,
    ),
    Recipe(
        Quantity("Reduction potential", "V", "Reduction potential, adiabatic"),
        _UP,
        ("molecule", "anion_relaxed"),
        lambda of: of["molecule"] - of["anion_relaxed"] - of.electron_ev - of.zero_v,
        _within(-30.0, 30.0),
        3.6,
        "as the oxidation potential",
        against_electrode=True,
    ),
    Recipe(
        Quantity("HOMO", "eV", "Energy of the highest occupied orbital"),
        _DOWN,
        ("molecule",),
        lambda of: of.orbitals().homo_ev,
        _within(-100.0, 60.0),
        0.9,
        "a trend among molecules of one family; it is not -IE",
    ),
    Recipe(
        Quantity("LUMO", "eV", "Energy of the lowest empty orbital"),
        _DOWN,
        ("molecule",),
        lambda of: of.orbitals().lumo_ev,
        _within(-100.0, 60.0),
        0.9,
        "a trend among molecules of one family; it is not -EA",
    ),
    Recipe(
        Quantity("Orbital gap", "eV", "Gap between the frontier orbitals, LUMO - HOMO"),
        _DOWN,
        ("molecule",),
        lambda of: of.orbitals().lumo_ev - of.orbitals().homo_ev,
        _within(-1.0, 100.0),
        0.9,
        "a trend; neither the fundamental gap nor that of a spectrum",
    ),
    Recipe(
        Quantity("Dipole", "Debye", "Dipole moment"),
        _UP,
        ("molecule",),
        lambda of: of.orbitals().dipole_debye,
        _within(-1.0, 1000.0),
        0.9,
        "some tenths of a Debye, of this one conformer; of an ion, about its centre of mass",
    ),
)
RECIPES = {recipe.quantity.name: recipe for recipe in _TABLE}


def recipe_named(text: str) -> Recipe | None:
    """Return the recipe of a quantity by its name, in any case; None where there is none."""
    return RECIPES.get(slug(text))
