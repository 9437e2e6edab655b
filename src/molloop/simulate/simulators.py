"""The simulator that a protocol names."""

from collections.abc import Callable
from functools import cache, partial
from importlib import import_module

from molloop.simulate.outcome import Success
from molloop.simulate.protocol import IONIZATION, SimulationProtocol

Simulator = Callable[[str], Success]


@cache
def load(protocol: SimulationProtocol) -> Simulator:
    """Import the simulator that a protocol names.

    Raises
    ------
    ImportError, AttributeError, ValueError
        There is no such module or function, or the name is not ``package.module:function``.
    """
    if protocol.simulator == IONIZATION:
        from molloop.simulate.ionization import vertical_ie

        return partial(
            vertical_ie,
            level=protocol.level,
            fidelity=protocol.fidelity,
            n_conformers=protocol.n_conformers,
            max_atoms=protocol.max_atoms,
        )
    module, _, name = protocol.simulator.partition(":")
    if not (module and name):
        raise ValueError(f"{protocol.simulator!r} is not of the form package.module:function")
    function: Simulator = getattr(import_module(module), name)
    return function
