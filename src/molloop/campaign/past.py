"""What earlier processes of a campaign have stored, looked at before another one goes on."""

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from molloop.campaign.events import Event, Ranked
from molloop.campaign.ledger import Ledger
from molloop.campaign.state import State, add_up


def take_up(
    events: Sequence[Event],
    state: State,
    ledger: Ledger,
    with_values: Iterable[int],
    n_molecules: int,
) -> State:
    """Have a ledger take note of all events, and return the state that they add up to.

    Parameters
    ----------
    state
        Before the first event.
    with_values
        Ids of molecules of which values are stored.
    n_molecules
        Of the library.

    Raises
    ------
    ValueError
        The events contradict each other, the values or the library.
    """
    for event in events:
        ledger.apply(event)
    state = add_up(events, state)
    tried, counts = np.unique(ledger.tried, return_counts=True)
    if (again := tried[counts > 1]).size:
        raise ValueError(f"molecule {again[0]} was handed out twice")
    if strange := set(with_values).difference(tried):
        raise ValueError(f"molecule {min(strange)} has a value and was not handed out")
    ranked = [event.molecule_ids for event in events if isinstance(event, Ranked)]
    largest = max([-1, *tried[-1:], *chain.from_iterable(ranked)])
    if largest >= n_molecules:
        raise ValueError(f"the library has no molecule {largest}")
    return state
