"""What is known of molecules: values from before, and outcomes of this campaign."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from molloop.goal import Constraint, Goal, Objective, Values
from molloop.molecule import label
from molloop.simulate.doubts import doubts
from molloop.simulate.outcome import Outcome, Success


class Job(NamedTuple):
    """What is handed out, ever once with a value: a molecule, to be simulated in a stage."""

    molecule_id: int
    stage: str


@dataclass(frozen=True, slots=True)
class Known:
    """A value known beforehand.

    Attributes
    ----------
    molecule_id
        None where the library does not hold the molecule.
    level
        Of the value, where it is not the run's: such as ``experiment``; empty otherwise.
    name
        What the file of the values calls the molecule; empty where it says nothing.
    flags
        Of the value, as the file has them.
    charge, n_unpaired
        Of the molecule itself: as the file says, else as the SMILES has them; None: not known.
    further
        Values of the goal's further quantities by their names, those that are known.
    """

    smiles: str
    value: float
    molecule_id: int | None
    level: str = ""
    name: str = ""
    flags: tuple[str, ...] = ()
    charge: int | None = None
    n_unpaired: int | None = None
    further: Mapping[str, float] = field(default_factory=dict)

    def is_flagged(self, objective: Objective) -> bool:
        """Whether a flag casts doubt on the value, which is one of an objective."""
        return are_doubtful(self.flags, (objective,))

    def is_flagged_for(self, goal: Goal) -> bool:
        """Whether a flag casts doubt on the value of any quantity of a goal."""
        return are_doubtful(self.flags, goal.parts)

    def values(self, goal: Goal) -> Values:
        """Return the values of a goal's quantities."""
        return goal.values({**self.further, goal.objective.quantity.name: self.value})


def are_doubtful(flags: Collection[str], parts: Iterable[Objective | Constraint]) -> bool:
    """Whether flags cast doubt on the value of any of some quantities that are computed."""
    return bool(flags) and any(
        doubts(flags, one.recipe) for one in parts if not one.quantity.descriptor
    )


@dataclass(slots=True)
class Simulated:
    """An outcome, and how it came about; never changed.

    Not frozen: a frozen one takes five times as long to make, and there are as many as outcomes.

    Attributes
    ----------
    proposal
        Its place in the order of all proposals, from 0.
    stage
        In which the molecule was simulated.
    batch
        0 for the initial design, then the number of the ranking that chose it.
    time_s
        When it was known, in seconds from the beginning of the run.
    began_s, ended_s
        When the worker had it, on the same clock.
    name
        What the user's file calls the molecule; empty where it says nothing.
    kept
        Cells of further columns of that file, by their names.
    """

    proposal: int
    molecule_id: int
    stage: str
    smiles: str
    batch: int
    time_s: float
    worker: str
    began_s: float
    ended_s: float
    outcome: Outcome
    name: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What people read of the molecule: its name, where it has one, and its SMILES."""
        return label(self.smiles, self.name)

    @property
    def job(self) -> Job:
        """What was handed out."""
        return Job(self.molecule_id, self.stage)

    def value(self, quantity: str, stage: str | None = None) -> float | None:
        """Return the value of a quantity, or None where it has none.

        Parameters
        ----------
        stage
            In which it has to be simulated; None: in any.
        """
        if not isinstance(self.outcome, Success) or stage not in (None, self.stage):
            return None
        return self.outcome.named.get(quantity)

    @property
    def flags(self) -> Collection[str]:
        """Flags of the outcome; a failure has none."""
        return self.outcome.flags if isinstance(self.outcome, Success) else ()

    def is_flagged(self, objective: Objective) -> bool:
        """Whether a flag casts doubt on the value of an objective."""
        return are_doubtful(self.flags, (objective,))

    def is_flagged_for(self, goal: Goal) -> bool:
        """Whether a flag casts doubt on the value of any quantity of a goal."""
        return are_doubtful(self.flags, goal.parts)
