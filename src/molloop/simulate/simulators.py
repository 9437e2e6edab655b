"""The registry of simulators: what each computes, and which options it alone reads.

Light to import: the configuration reads it. A simulator's own module is imported where it is called
(`load.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from molloop.goal import Quantity
from molloop.registry import is_name, is_reference, registered
from molloop.simulate.options import IonizationOptions, Options
from molloop.simulate.recipes import RECIPES

IONIZATION = "ionization"
ENTRY_POINTS = "molloop.simulators"  # the group in which other packages register theirs
IE = RECIPES["ie"].quantity


class SimulatorError(ValueError):
    """A simulator cannot be used as it is configured; it says why."""


@dataclass(frozen=True)
class Simulator:
    """What is known of a simulator before it is imported.

    Attributes
    ----------
    function
        ``package.module:function``, called as ``function(smiles, **options)``, or with a
        molecule. It returns a :class:`~molloop.Success` or a number, or raises
        :class:`~molloop.SimulationError`.
    quantities
        What it computes; empty: what the configuration says.
    bounds
        Name of a quantity -> values between which all of its values lie. A value elsewhere is the
        failure ``out_of_bounds``.
    options
        The schema of its options; None: any that the function takes.
    cores
        That a molecule is computed on; the configuration must give as many.
    takes_molecule
        Whether it is called as ``function(molecule, **options)``, with a
        :class:`~molloop.Molecule`: SMILES, name, and geometry where the file has one.
    takes_quantity
        Whether it is called with ``quantity="ea"`` too, the name of the quantity that is asked for.
    takes_resources
        Whether it is called with ``resources=`` too, the :class:`~molloop.Resources` that the
        configuration gives a molecule.
    """

    function: str
    quantities: tuple[Quantity, ...] = ()
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    options: type[Options] | None = None
    cores: int = 1
    takes_molecule: bool = False
    takes_quantity: bool = False
    takes_resources: bool = False

    def computes(self, quantity: Quantity) -> bool:
        """Whether it computes a quantity, by symbol and unit."""
        known = {(one.symbol, one.unit) for one in self.quantities}
        return not known or (quantity.symbol, quantity.unit) in known

    def title_of(self, symbol: str, unit: str) -> str:
        """Return the title of a quantity; empty where it does not say one."""
        titles = {(one.symbol, one.unit): one.title for one in self.quantities}
        return titles.get((symbol, unit), "")

    def checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options with the defaults of those that are left out.

        Raises
        ------
        SimulatorError
            One is unknown, of the wrong type or out of bounds.
        """
        if self.options is None:
            return dict(options)
        try:
            return self.options.model_validate(dict(options)).model_dump()
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, ("simulation", "options", *first["loc"])))
            is_unknown = first["type"] == "extra_forbidden"
            why = f"it has {', '.join(self.options.model_fields)}" if is_unknown else first["msg"]
            raise SimulatorError(f"It does not take {name}: {why}") from error


SIMULATORS = {
    IONIZATION: Simulator(
        "molloop.simulate.ionization:quantities_of",
        tuple(recipe.quantity for recipe in RECIPES.values()),
        options=IonizationOptions,  # its bounds depend on the charge: recipes have them
        takes_molecule=True,
        takes_quantity=True,
        takes_resources=True,
    )
}


def simulator_named(name: str) -> Simulator:
    """Return a simulator of molloop or of another package, or a function, wrapped.

    Raises
    ------
    SimulatorError
        There is none of that name, and it is not ``package.module:function``; or what another
        package has registered is no :class:`Simulator`.
    Exception
        Whatever the module of another package raises.
    """
    if name in SIMULATORS:
        return SIMULATORS[name]
    if is_reference(name):
        return Simulator(name)
    others = registered(ENTRY_POINTS)
    if name not in others:
        known = ", ".join([*SIMULATORS, *others])
        raise SimulatorError(
            f"It is none that is registered ({known}), and not of the form package.module:function"
        )
    found = others[name].load()
    if not isinstance(found, Simulator):
        raise SimulatorError(
            f"It is registered as {others[name].value}, which is no Simulator, but of the type "
            f"{type(found).__name__}"
        )
    return found


def names_one(text: str) -> bool:
    """Whether a text is of a form that names a simulator, be there one or not."""
    return is_reference(text) or is_name(text)


@dataclass(frozen=True)
class Origin:
    """Where the code of a simulator is from.

    Attributes
    ----------
    modules
        Those that it is written in, as far as it says.
    package, version
        The distribution that has registered it; empty for none.
    """

    modules: tuple[str, ...]
    package: str = ""
    version: str = ""


def origin_of(name: str) -> Origin | None:
    """Return where a simulator's code is from, None for molloop's own.

    The module of another package's is imported.

    Raises
    ------
    SimulatorError
        As :func:`simulator_named`.
    Exception
        Whatever the module of another package raises.
    """
    if name in SIMULATORS:
        return None
    if is_reference(name):
        return Origin((_module_of(name),))
    function = simulator_named(name).function
    point = registered(ENTRY_POINTS)[name]
    modules = dict.fromkeys((point.module, _module_of(function)))
    dist = point.dist
    return Origin(tuple(modules), *((dist.name, dist.version) if dist else ()))


def _module_of(reference: str) -> str:
    return reference.partition(":")[0]
