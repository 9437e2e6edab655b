"""A simulator that is named becomes a function of a molecule, in the process that simulates."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from molloop.errors import SimulationError
from molloop.goal import Quantity
from molloop.molecule import Molecule
from molloop.registry import import_thing
from molloop.simulate.levels import LEVELS, Level
from molloop.simulate.outcome import Success
from molloop.simulate.resources import Resources
from molloop.simulate.rules import is_number
from molloop.simulate.simulators import IE, IONIZATION, SimulatorError, simulator_named

Bounds = tuple[float, float]
# distribution -> what is imported of it, compiled code included
MODULES = {"pyscf": "molloop.simulate.dft", "pyscf-dispersion": "pyscf.dispersion.dftd3"}
DEFAULT = Resources()


def load(
    name: str,
    options: Mapping[str, Any],
    quantity: Quantity = IE,
    resources: Resources = DEFAULT,
) -> Callable[[Molecule], object]:
    """Import a simulator; return it as a function of a molecule.

    Raises
    ------
    SimulatorError
        It is unknown, does not take the options, computes another quantity or wants more cores
        than there are.
    Exception
        Whatever its module raises.
    """
    simulator = simulator_named(name)
    if not simulator.computes(quantity):
        known = ", ".join(one.heading for one in simulator.quantities)
        raise SimulatorError(f"It computes {known}; not {quantity.heading}")
    if simulator.cores > resources.cores:
        raise SimulatorError(
            f"It wants {simulator.cores} cores, and simulation.cores is {resources.cores}"
        )
    kept = simulator.checked(options)
    if simulator.takes_quantity:
        kept = {**kept, "quantity": quantity.name}
    if name == IONIZATION:
        _require_packages(LEVELS[kept["level"]])
    if simulator.takes_resources:
        kept = {**kept, "resources": resources}
    function = import_thing(simulator.function)
    _check_call(function, kept)
    call = partial(_called, function, simulator.takes_molecule, kept)
    return partial(_simulated, call, quantity, simulator.bounds.get(quantity.name))


def _require_packages(level: Level) -> None:
    """Raise SimulatorError where what a level is computed by cannot be imported."""
    for name in level.packages:
        try:
            import_module(MODULES[name])
        except Exception as error:  # compiled code: a library that is missing is an OSError
            told = f"{name} cannot be imported ({type(error).__name__}: {error})"
            raise SimulatorError(f"{told}. Install it: pip install 'molloop[dft]'") from error


def _check_call(function: Callable[..., object], options: Mapping[str, Any]) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # compiled code does not say what it takes
    try:
        signature.bind("", **options)
    except TypeError as error:
        raise SimulatorError(f"It does not take simulation.options: {error}") from error


def _called(
    function: Callable[..., object],
    takes_molecule: bool,
    options: Mapping[str, Any],
    molecule: Molecule,
) -> object:
    return function(molecule if takes_molecule else molecule.smiles, **options)


def _simulated(
    call: Callable[[Molecule], object],
    quantity: Quantity,
    bounds: Bounds | None,
    molecule: Molecule,
) -> object:
    found: Any = call(molecule)
    if not isinstance(found, Success):
        if not is_number(found):
            return found  # whoever checks it says what is wrong with it
        found = Success(found)
    value: Any = found.values
    if isinstance(value, Mapping):
        value = value.get(quantity.name)
    if bounds and is_number(value) and not bounds[0] < value < bounds[1]:  # nan neither
        raise SimulationError(
            "out_of_bounds",
            f"{quantity.heading} of {molecule.label!r} is {value}, expected between {bounds[0]} "
            f"and {bounds[1]}",
        )
    return found
