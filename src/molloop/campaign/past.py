"""What earlier processes of a campaign have stored, looked at before another one goes on."""

from collections import Counter
from collections.abc import Iterable, Sequence

from molloop.campaign.events import Event, Ranked, Submitted
from molloop.campaign.jobs import Job
from molloop.campaign.ledger import Ledger
from molloop.campaign.state import State
from molloop.campaign.states import add_up_stages
from molloop.library.selection import Selection, left_out_of


def take_up(
    events: Sequence[Event],
    states: tuple[State, ...],
    ledger: Ledger,
    known: Iterable[Job],
    with_values: Iterable[Job],
    stages: Sequence[str],
    selection: Selection,
) -> tuple[State, ...]:
    """Have a ledger take note of all events, and return what they add up to, a state a stage.

    Each state says which of the molecules that they name do not meet the conditions now.

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
    selection
        Which molecules of its library meet the conditions.

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
    if again := [job for job, n in jobs.items() if n > 1]:
        raise ValueError(f"molecule {min(again).molecule_id} was handed out twice")
    if strange := set(with_values).difference(jobs):
        raise ValueError(f"molecule {min(strange).molecule_id} has a value and was not handed out")
    named = {
        key
        for event in events
        if isinstance(event, Submitted | Ranked)
        for key in event.molecule_ids
    }
    if (largest := max(named, default=-1)) >= selection.n_molecules:
        raise ValueError(f"the library has no molecule {largest}")
    for job in ledger.in_flight:
        if job.stage not in stages:
            raise ValueError(f"a job of the stage {job.stage!r:.60} is under way: the run has none")
    left_out = left_out_of(selection, named)
    return add_up_stages(events, tuple(one._replace(left_out=left_out) for one in states), stages)
