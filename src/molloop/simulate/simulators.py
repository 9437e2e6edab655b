"""The registry of simulators: what each computes, and the options that it alone reads.

Light to import: the configuration reads it. A simulator's own module is imported by `load`, in the
process that simulates.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from numbers import Real
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from molloop.errors import SimulationError
from molloop.goal import Quantity
from molloop.simulate.levels import FIDELITIES, LEVELS

if TYPE_CHECKING:
    from molloop.simulate.outcome import Success

IONIZATION = "ionization"
ENTRY_POINTS = "molloop.simulators"  # the group in which other packages register theirs
IE = Quantity("IE", "eV", "Vertical ionization energy")
# an IE outside of these is no IE: helium's is the largest of any neutral atom, at 24.6 eV
IE_BOUNDS_EV = (0.0, 50.0)
UNBOUNDED = (-math.inf, math.inf)


class SimulatorError(ValueError):
    """A simulator cannot be used as it is configured; it says why."""


class Options(BaseModel):
    """Options of a simulator, a field each: nothing unknown, nothing converted."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_default=True, allow_inf_nan=False
    )


class IonizationOptions(Options):
    """Options of the simulator `ionization`."""

    level: str = Field(
        "gfn2",
        description="Option of ionization. Level of theory: "
        + "; ".join(f"{name} ({level.label}: {level.purpose})" for name, level in LEVELS.items())
        + ".",
    )
    fidelity: str = Field(
        "relaxed",
        description="Option of ionization. "
        + "; ".join(f"{name}: {text}" for name, text in FIDELITIES.items())
        + ".",
    )
    n_conformers: int = Field(
        1,
        ge=1,
        description="Option of ionization. Conformers that are embedded; the lowest by the force "
        "field is taken.",
    )
    max_atoms: int = Field(
        200,
        ge=1,
        description="Option of ionization. A molecule with more atoms, hydrogens included, is a "
        "failure.",
    )

    @field_validator("level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        return _one_of(value, LEVELS)

    @field_validator("fidelity")
    @classmethod
    def _known_fidelity(cls, value: str) -> str:
        return _one_of(value, FIDELITIES)


def _one_of(value: str, names: Mapping[str, object]) -> str:
    if value not in names:
        raise ValueError(f"expected one of {', '.join(names)}")
    return value


@dataclass(frozen=True)
class Simulator:
    """What is known of a simulator before it is imported.

    Attributes
    ----------
    function
        ``package.module:function``, called as ``function(smiles, **options)``. It returns a
        :class:`~molloop.simulate.outcome.Success` or a number, or raises
        :class:`~molloop.errors.SimulationError`.
    quantities
        What it computes; empty: what the configuration says.
    bounds
        Name of a quantity -> values between which all of its values lie. A value elsewhere is the
        failure ``out_of_bounds``.
    options
        The schema of its options; None: any that the function takes.
    cores
        That a molecule is computed on. A worker has one, so that more cannot be used yet.
    """

    function: str
    quantities: tuple[Quantity, ...] = ()
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    options: type[Options] | None = None
    cores: int = 1

    def computes(self, quantity: Quantity) -> bool:
        """Whether it computes a quantity, by symbol and unit."""
        known = {(one.symbol, one.unit) for one in self.quantities}
        return not known or (quantity.symbol, quantity.unit) in known

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
            name = ".".join(map(str, first["loc"]))
            raise SimulatorError(
                f"It does not take simulation.options.{name}: {first['msg']}"
            ) from error


SIMULATORS = {
    IONIZATION: Simulator(
        "molloop.simulate.ionization:vertical_ie",
        (IE,),
        {IE.name: IE_BOUNDS_EV},
        IonizationOptions,
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
    module, _, function = name.partition(":")
    if module and function:
        return Simulator(name)
    registered = _registered()
    if name not in registered:
        known = ", ".join([*SIMULATORS, *registered])
        raise SimulatorError(
            f"It is none that is registered ({known}), and not of the form package.module:function"
        )
    found = registered[name].load()
    if not isinstance(found, Simulator):
        raise SimulatorError(
            f"It is registered as {registered[name].value}, which is no Simulator, but of the type "
            f"{type(found).__name__}"
        )
    return found


def home_of(name: str) -> str:
    """Return where a simulator is written, ``package.module:name``; nothing is imported."""
    if name in SIMULATORS or ":" in name:
        return name
    registered = _registered()
    return registered[name].value if name in registered else name


def _registered() -> dict[str, EntryPoint]:
    """Return what other packages register, which is looked for only when one is named."""
    return {one.name: one for one in entry_points(group=ENTRY_POINTS)}


def load(
    name: str, options: Mapping[str, Any], quantity: Quantity = IE
) -> Callable[[str], "Success"]:
    """Import a simulator; return it as a function of a SMILES.

    Raises
    ------
    SimulatorError
        It is unknown, does not take the options, computes another quantity or wants more cores
        than a worker has.
    Exception
        Whatever its module raises.
    """
    simulator = simulator_named(name)
    if not simulator.computes(quantity):
        known = ", ".join(one.heading for one in simulator.quantities)
        raise SimulatorError(f"It computes {known}, not {quantity.heading}")
    if simulator.cores != 1:
        raise SimulatorError(f"It wants {simulator.cores} cores, and a worker has one")
    kept = simulator.checked(options)
    module, _, attribute = simulator.function.partition(":")
    function = getattr(import_module(module), attribute)
    _check_call(function, kept)
    bounds = simulator.bounds.get(quantity.name, UNBOUNDED)
    return partial(_simulated, function, kept, quantity, bounds)


def _check_call(function: Callable[..., object], options: Mapping[str, Any]) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # compiled code does not say what it takes
    try:
        signature.bind("", **options)
    except TypeError as error:
        raise SimulatorError(f"It does not take simulation.options: {error}") from error


def _simulated(
    function: Callable[..., object],
    options: Mapping[str, Any],
    quantity: Quantity,
    bounds: tuple[float, float],
    smiles: str,
) -> "Success":
    from molloop.simulate.outcome import Success

    found: Any = function(smiles, **options)
    success = Success(found) if _is_number(found) else found
    if bounds is not UNBOUNDED and isinstance(success, Success) and _is_number(success.value):
        low, high = bounds
        if not low < success.value < high:  # nan neither
            raise SimulationError(
                "out_of_bounds",
                f"{quantity.heading} of {smiles!r} is {success.value}, expected between {low} and "
                f"{high}",
            )
    return success


def _is_number(given: object) -> bool:
    return isinstance(given, Real) and not isinstance(given, bool)
