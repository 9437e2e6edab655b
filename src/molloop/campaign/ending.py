"""How a campaign is told to end, and how it ends then."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from molloop.campaign.events import End, Stopped
from molloop.errors import EngineError


@dataclass
class Interruption:
    """Has a campaign hand out nothing more, and end when what is being simulated has ended.

    It is asked for by setting the reason, from a signal handler perhaps, or another thread.

    Attributes
    ----------
    grace_s
        How long that is waited for at most, where less than the campaign's own grace is left.
    is_heard
        Whether a campaign runs that will heed it.
    abandon
        Called before the process ends at once: gives back what was asked of others, without
        waiting, and returns the command for it, if any. None: nothing was asked for.
    """

    reason: str = ""
    grace_s: float = inf
    is_heard: bool = False
    abandon: Callable[[], str] | None = None


def ending(
    interruption: Interruption, now_s: float, time_limit_s: float, broken: EngineError | None
) -> Stopped | None:
    """Return how a campaign ends, where it should hand out nothing more."""
    if interruption.reason:
        return Stopped(interruption.reason, End.INTERRUPTED)
    if now_s >= time_limit_s:
        return Stopped(f"its time limit of {time_limit_s:g} s is over", End.DONE)
    if broken is not None:
        return Stopped(broken.reason, End.BROKEN)
    return None
