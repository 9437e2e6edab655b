"""What the driver needs of whatever runs its tasks. The engines live in `molloop.execution`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from molloop.goal import Goal
from molloop.molecule import Molecule
from molloop.search.policy import Policy
from molloop.simulate.outcome import Outcome
from molloop.simulate.protocol import SimulationProtocol

if TYPE_CHECKING:  # who only reads what was done needs none of it
    from molloop.library.shard import ShardRef
    from molloop.search.rank import Merged
    from molloop.search.training import Training


@dataclass(frozen=True, slots=True)
class Group:
    """Molecules that one task simulates.

    Attributes
    ----------
    molecules
        At least one.
    protocol
        How they are simulated.
    """

    molecules: tuple[Molecule, ...]
    protocol: SimulationProtocol

    @property
    def molecule_ids(self) -> tuple[int, ...]:
        """One a molecule, in the same order."""
        return tuple(one.id for one in self.molecules)

    @property
    def stage(self) -> str:
        """Name of the stage in which they are simulated."""
        return self.protocol.stage

    def led_by(self, places: Sequence[int]) -> "Group":
        """Return it with the molecules of some places first, in their order."""
        own = range(len(self.molecules))
        if tuple(places) == tuple(own[: len(places)]):
            return self
        order = [*places, *(one for one in own if one not in places)]
        return replace(self, molecules=tuple(self.molecules[one] for one in order))


@dataclass(frozen=True, eq=False)
class RankRequest:
    """Train a model and rank a library with it.

    Attributes
    ----------
    number
        From 1, one more each time.
    policy
        What to fit and how to score.
    training
        What the model learns from, and which molecules are left out.
    shards
        The library.
    n
        How many molecules to choose.
    seed
        Of whatever the model draws.
    stage
        Name of the one for which it chooses.
    goal
        What is searched for, where it is more than one objective.
    """

    number: int
    policy: Policy
    training: "Training"
    shards: "Sequence[ShardRef]"
    n: int
    seed: tuple[int, int]
    stage: str = ""
    goal: Goal | None = None


class Work(StrEnum):
    """What workers do."""

    SIMULATE = "simulate"
    TRAIN = "train"
    RANK = "rank"


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker did, and when; times in seconds by the engine's clock."""

    work: Work
    worker: str
    began_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class Simulations:
    """A group has been simulated.

    Attributes
    ----------
    outcomes, times_s
        One each a molecule, when it began and ended in seconds by the engine's clock. Where the
        engine was halted or a host was in trouble, of the first molecules only; the others were
        not simulated.
    trouble
        Of the host, if it was in any.
    lanes
        Where the worker had several molecules at the same time, which of its lanes had each: 0, 1,
        ...; otherwise empty.
    """

    group: Group
    outcomes: tuple[Outcome, ...]
    worker: str
    times_s: tuple[tuple[float, float], ...]
    trouble: str = ""
    lanes: tuple[int, ...] = ()

    @property
    def workers(self) -> list[str]:
        """Of each outcome, the worker, or the lane of it."""
        lanes = self.lanes or (0,) * len(self.outcomes)
        return [f"{self.worker}+{lane}" if lane else self.worker for lane in lanes]


@dataclass(frozen=True, slots=True)
class LostGroup:
    """A group was lost, and why.

    Attributes
    ----------
    what
        ``worker``: what simulated it; ``manager``: all of a node; ``pool``: that of a node, which
        was ended for the loss of another worker; ``task``: a host without disk or processes.
    """

    group: Group
    what: str
    message: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """A ranking has ended; its tasks in any order."""

    request: RankRequest
    chosen: "Merged"
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True)
class LostRanking:
    """A ranking has failed where it ran, and why."""

    request: RankRequest
    message: str


Completion = Simulations | LostGroup | Ranking | LostRanking


class Engine(Protocol):
    """Runs tasks, tells the time."""

    def now(self) -> float:
        """Return seconds since the engine began."""

    def n_workers(self) -> int:
        """How many tasks run at the same time."""

    def has_workers(self) -> bool:
        """Whether any may be at work; False while a scheduler has given none."""

    def simulate(self, group: Group) -> None:
        """Hand out a group; its completion comes from `wait`."""

    def rank(self, request: RankRequest) -> None:
        """Hand out a ranking; its completion comes from `wait`."""

    def wait(self, timeout_s: float) -> list[Completion]:
        """Return what has ended; wait for it up to `timeout_s`, then return nothing.

        Raises
        ------
        EngineError
            Nothing will ever end: the workers do not start or are lost.
        """

    def halt(self, grace_s: float) -> None:
        """Begin no other molecule; what is being simulated goes on, for so long at most."""

    def close(self) -> None:
        """Stop all tasks and workers."""
