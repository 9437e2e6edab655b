"""A simulation as the sandbox runs it: one outcome a molecule, whatever the simulator does."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from molloop.errors import SimulationError
from molloop.molecule import Molecule
from molloop.simulate.load import load
from molloop.simulate.outcome import Failure, Outcome
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.simulators import SimulatorError
from molloop.simulate.validation import accepted


@dataclass(frozen=True)
class SimulationTask:
    """Simulates molecule after molecule by a protocol; a :class:`molloop.sandbox.task.Task`."""

    protocol: SimulationProtocol

    @property
    def timeout_s(self) -> float:
        """Of a molecule."""
        return self.protocol.timeout_s

    @property
    def memory_limit_gib(self) -> float:
        """Of a molecule, with all processes that it starts."""
        return self.protocol.memory_limit_gib

    @cached_property
    def _simulator(self) -> Callable[[Molecule], object]:
        protocol = self.protocol
        return load(protocol.simulator, protocol.options, protocol.quantity, protocol.resources)

    def obstacle(self) -> str:
        """Return why the simulator cannot be used here, and a remedy; or nothing."""
        try:
            _ = self._simulator
        except SimulatorError as error:
            return f"{error}."
        except BaseException as error:  # noqa: BLE001 - importing runs a user's code
            reason = f"{type(error).__name__}: {_text(error)}"
            return f"Importing it fails: {reason}. Is its folder on PYTHONPATH?"
        return ""

    def run(self, molecule: Molecule) -> Outcome:
        """Simulate one molecule; whatever goes wrong is a failure of this molecule."""
        began_s = time.perf_counter()
        outcome = accepted(self._outcome(molecule), self.protocol.quantity.name)
        return replace(outcome, seconds=time.perf_counter() - began_s)

    def _outcome(self, molecule: Molecule) -> object:
        """Return what the simulator returns, or what it raises as a failure."""
        try:
            return self._simulator(molecule)
        except SimulationError as error:
            return Failure(error.kind, _text(error.message))
        except MemoryError:
            return Failure("memory", "out of memory")
        except BaseException as error:  # noqa: BLE001 - a worker raises for no molecule
            return Failure("unexpected", f"{type(error).__name__}: {_text(error)}")

    def failed(self, molecule: Molecule, kind: str, reason: str, seconds: float) -> Failure:
        """Return the outcome of a molecule whose process came to an end."""
        message = f"{molecule.label!r}: the process that simulates {reason}"
        return Failure(kind, message, seconds)


def _text(given: object) -> str:
    try:
        return str(given)
    except Exception:  # noqa: BLE001 - it is a user's
        return f"a {type(given).__name__} without words"
