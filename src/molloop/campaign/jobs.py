"""What is known of molecules: values from before, and outcomes of this campaign."""

from dataclasses import dataclass

from molloop.simulate.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Known:
    """A value known beforehand, and the molecule's id where the library holds it."""

    smiles: str
    value: float
    molecule_id: int | None


@dataclass(frozen=True, slots=True)
class Simulated:
    """An outcome, and how it came about.

    Attributes
    ----------
    proposal
        Its place in the order of all proposals, from 0.
    batch
        0 for the initial design, then the number of the ranking that chose it.
    time_s
        When it was known, in seconds from the beginning of the run.
    began_s, ended_s
        When the worker had it, on the same clock.
    """

    proposal: int
    molecule_id: int
    smiles: str
    batch: int
    time_s: float
    worker: str
    began_s: float
    ended_s: float
    outcome: Outcome
