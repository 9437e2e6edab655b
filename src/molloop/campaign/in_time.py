"""What a run still does before its time is over. Pure."""

from collections.abc import Container
from dataclasses import replace

from molloop.campaign.events import End
from molloop.campaign.ladder import Ladder, States, Step
from molloop.campaign.plan import Simulate, Stop

NO_MORE = -1  # values of a stage


def decide_in_time(
    ladder: Ladder, states: States, taken: Container[int], n_tasks: int, left_s: float
) -> list[Step]:
    """Return what to do now; no simulation is begun that is expected to take too long.

    Where that leaves nothing to do, the run ends.

    Parameters
    ----------
    left_s
        Until what is under way is given up.
    """
    both = zip(ladder.stages, states, strict=True)
    late = [stage.expected_s(state) > left_s for stage, state in both]
    late[0] = late[0] and states[0].n_finished > 0  # a guess alone does not keep a run from it
    if any(late[1:]):
        stages = [
            replace(one, plan=replace(one.plan, max_training_count=NO_MORE)) if is_late else one
            for one, is_late in zip(ladder.stages, (False, *late[1:]), strict=True)
        ]
        ladder = replace(ladder, stages=tuple(stages))
    steps = ladder.decide(states, taken, n_tasks)
    # such as what is left of a batch
    kept = [one for one in steps if not (late[one[0]] and isinstance(one[1], Simulate))]
    if steps and not kept and not n_tasks and not any(one.is_ranking for one in states):
        reason = "its time limit leaves too little time for another simulation"
        return [(0, Stop(reason, End.DONE))]
    return kept
