"""The states of all stages that the events of a run add up to. Pure."""

from collections.abc import Sequence

from molloop.campaign.events import Began, Event, Resumed, Stopped
from molloop.campaign.state import State, add_up


def add_up_stages(
    events: Sequence[Event], start: tuple[State, ...], stages: Sequence[str]
) -> tuple[State, ...]:
    """Return the state of each stage that some events add up to.

    What tells of no stage, as in a run of schema 3, is of the first one; but how a run begins, goes
    on and ends is told to all, and what was known beforehand to the first.
    """
    if len(stages) == 1:
        return (add_up(events, start[0]),)
    of: dict[str, list[Event]] = {stage: [] for stage in stages}
    for event in events:
        if isinstance(event, Began):
            of[stages[0]].append(event)
        elif isinstance(event, Resumed | Stopped):
            for some in of.values():
                some.append(event)
        else:
            of.get(event.stage, of[stages[0]]).append(event)
    return tuple(add_up(of[stage], state) for stage, state in zip(stages, start, strict=True))
