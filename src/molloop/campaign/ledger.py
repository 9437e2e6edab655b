"""Which molecules were handed out, and which are under way: the events of a run add up to it."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from molloop.campaign.events import Event, Finished, Lost, Source, Submitted
from molloop.campaign.jobs import Job


@dataclass(slots=True)
class Proposal:
    """A job under way: its place in the order of all proposals, its batch, its losses."""

    number: int
    batch: int
    losses: tuple[str, ...] = ()


class Ledger:
    """Grows by eight bytes a molecule of the initial design, by some fifty for others.

    Parameters
    ----------
    known
        Ids of molecules whose values were known beforehand.
    upper
        Names of the stages above the first.

    Attributes
    ----------
    tried
        Ids of all that are known or were handed out in the first stage.
    taken
        Those of them that are not from the initial design.
    promoted
        By the names of the stages above, ids of all that were handed out there.
    in_flight
        Those under way, in the order of their proposals.
    """

    def __init__(self, known: Iterable[int] = (), upper: Iterable[str] = ()) -> None:
        self.tried = array("q", known)
        self.taken = set(self.tried)
        self.promoted: dict[str, set[int]] = {stage: set() for stage in upper}
        self.in_flight: dict[Job, Proposal] = {}
        self._n_proposals = 0

    def apply(self, event: Event) -> None:
        """Take note of an event.

        Raises
        ------
        ValueError
            It tells of a molecule that was handed out twice, or ended or was lost without that.
        """
        match event:
            case Submitted(molecule_ids, source, batch):
                jobs = event.jobs
                if again := self.in_flight.keys() & set(jobs):
                    raise ValueError(f"molecule {min(again).molecule_id} is handed out twice")
                if event.stage in self.promoted:
                    self.promoted[event.stage].update(molecule_ids)
                else:
                    self.tried.extend(molecule_ids)
                    if source is Source.RANKING:
                        self.taken.update(molecule_ids)
                for number, job in enumerate(jobs, start=self._n_proposals):
                    self.in_flight[job] = Proposal(number, batch)
                self._n_proposals += len(jobs)
            case Finished():
                if self.in_flight.pop(event.job, None) is None:
                    raise _not_under_way(event.job)
            case Lost(what=what):
                for job in event.jobs:
                    if job not in self.in_flight:
                        raise _not_under_way(job)
                    self.in_flight[job].losses += (what,)

    def pending(self, stage: str) -> list[int]:
        """Return the molecules under way in a stage, in the order of the library."""
        return sorted(job.molecule_id for job in self.in_flight if job.stage == stage)


def _not_under_way(job: Job) -> ValueError:
    return ValueError(f"molecule {job.molecule_id} has ended or was lost, but is not under way")
