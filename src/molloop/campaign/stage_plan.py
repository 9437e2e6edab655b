"""What is spent on a stage of a run."""

from dataclasses import dataclass

from molloop.campaign.plan import Plan
from molloop.campaign.state import State
from molloop.simulate.protocol import SimulationProtocol


@dataclass(frozen=True)
class StagePlan:
    """What is spent on a stage.

    Attributes
    ----------
    protocol
        How a molecule is simulated in the stage.
    plan
        With its own count of values.
    share
        Part of all processor time that it gets, in the place of a count; None: it has a count, or
        gets what is worth it.
    """

    protocol: SimulationProtocol
    plan: Plan
    share: float | None = None

    @property
    def name(self) -> str:
        """Of the stage."""
        return self.protocol.stage

    def expected_s(self, state: State) -> float:
        """Return how long a simulation takes, as measured once any has ended."""
        return state.mean_s if state.n_finished else self.protocol.usual_s
