"""How many blocks of nodes may be asked for in vain."""

import time
from collections.abc import Callable

from parsl.executors.status_handling import BlockProviderExecutor
from parsl.jobs.states import JobState, JobStatus

MOST_IN_VAIN = 3
LASTING_S = 60.0


class BlocksLostError(Exception):
    """The last blocks all ended soon; its text is what the scheduler said of them."""


class BlockLimit:
    """Ends a run whose blocks do not last, before it floods a scheduler with others.

    Parsl calls it with what it knows of each block, whenever it looks. Blocks that have ended are
    replaced. But when three in a row ran for less than a minute, as far as anybody saw, and no
    other runs or waits, that is taken for a fault, however they ended; so is a refusal of the
    first one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._was_accepted = False
        self._began_s: dict[str, float] = {}
        self._ended: dict[str, tuple[float, str]] = {}  # when, and what was said of it then

    def __call__(self, executor: BlockProviderExecutor, status: dict[str, JobStatus]) -> None:
        """Look at the blocks of an executor, by their numbers."""
        now_s = self._clock()
        for block, one in status.items():
            self._was_accepted |= not one.terminal
            if one.state is JobState.RUNNING:
                self._began_s.setdefault(block, now_s)
            elif one.terminal and block not in self._ended:
                self._ended[block] = now_s, _describe(block, one)
        n_in_vain = MOST_IN_VAIN if self._was_accepted else 1
        last = sorted(self._ended, key=int)[-n_in_vain:]
        is_left = any(not one.terminal for one in status.values())
        if len(last) == n_in_vain and not is_left and all(map(self._is_short, last)):
            reasons = "; ".join(self._ended[block][1] for block in last)
            executor.set_bad_state_and_fail_all(BlocksLostError(reasons))

    def _is_short(self, block: str) -> bool:
        ended_s, _ = self._ended[block]
        return ended_s - self._began_s.get(block, ended_s) < LASTING_S


def _describe(block: str, status: JobStatus) -> str:
    words = [status.message, status.stderr_summary]
    told = " ".join(" ".join(text.split()) for text in words if text)
    return f"block {block} {status.state.name.lower()}" + (f" ({told})" if told else "")
