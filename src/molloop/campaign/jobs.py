"""What is known of molecules: values from before, and outcomes of this campaign."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from molloop.goal import Constraint, Goal, Objective
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
    """

    smiles: str
    value: float
    molecule_id: int | None
    level: str = ""
    name: str = ""
    flags: tuple[str, ...] = ()
    charge: int | None = None
    n_unpaired: int | None = None

    def is_flagged(self, objective: Objective) -> bool:
        """Whether a flag casts doubt on the value, which is one of an objective."""
        return bool(self.flags and doubts(self.flags, objective.recipe))


def may_win(
    known: Iterable[Known], objective: Objective, left_out: Container[int | None]
) -> list[float]:
    """Return the values that may be the best.

    Not those with a flag where these are excluded, nor those of molecules that are left out.
    """
    return [
        one.value
        for one in known
        if (objective.keeps_flagged or not one.is_flagged(objective))
        and one.molecule_id not in left_out
    ]


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

    def is_flagged(self, objective: Objective | Constraint) -> bool:
        """Whether a flag casts doubt on the value of an objective."""
        flags = self.outcome.flags if isinstance(self.outcome, Success) else ()
        return bool(flags and doubts(flags, objective.recipe))

    def is_flagged_for(self, goal: Goal) -> bool:
        """Whether a flag casts doubt on the value of any quantity of a goal."""
        parts: tuple[Objective | Constraint, ...] = (*goal.objectives, *goal.constraints)
        return any(self.is_flagged(one) for one in parts if not one.quantity.descriptor)
