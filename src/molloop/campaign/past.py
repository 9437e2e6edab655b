"""What earlier processes of a campaign have stored, looked at before another one goes on."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

from molloop.campaign.events import Event, Ranked, Submitted
from molloop.campaign.jobs import Job
from molloop.campaign.ledger import Ledger
from molloop.campaign.state import State
from molloop.campaign.states import add_up_stages


def take_up(
    events: Sequence[Event],
    states: tuple[State, ...],
    ledger: Ledger,
    known: Iterable[Job],
    with_values: Iterable[Job],
    stages: Sequence[str],
    n_molecules: int,
) -> tuple[State, ...]:
    """Have a ledger take note of all events, and return what they add up to, a state a stage.

    Parameters
    ----------
    states
        Before the first event.
    known
        Of which values were known beforehand.
    with_values
        Of which values are stored.
    stages
        Of the campaign.
    n_molecules
        Of its library.

    Raises
    ------
    ValueError
        The events contradict each other, the values, the stages or the library.
    """
    jobs = Counter(known)
    for event in events:
        ledger.apply(event)
        if isinstance(event, Submitted):
            jobs.update(event.jobs)
    states = add_up_stages(events, states, stages)
    if again := [job for job, n in jobs.items() if n > 1]:
        raise ValueError(f"molecule {min(again).molecule_id} was handed out twice")
    if strange := set(with_values).difference(jobs):
        raise ValueError(f"molecule {min(strange).molecule_id} has a value and was not handed out")
    ranked = [event.molecule_ids for event in events if isinstance(event, Ranked)]
    largest = max([-1, *(job.molecule_id for job in jobs), *chain.from_iterable(ranked)])
    if largest >= n_molecules:
        raise ValueError(f"the library has no molecule {largest}")
    for job in ledger.in_flight:
        if job.stage not in stages:
            raise ValueError(f"a job of the stage {job.stage!r:.60} is under way: the run has none")
    return states
