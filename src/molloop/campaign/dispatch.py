"""How many molecules make a task, and how many tasks are under way. Pure."""

from dataclasses import dataclass
from math import ceil

from molloop.campaign.state import State

MIN_TASK_S = 0.15  # shorter ones cost more to hand out than to run
TASKS_PER_S = 1000 / 3  # of all workers together: a third of what one driver can hand out
TURNAROUND_S = 0.1  # from a result to the task that follows from it, with a margin
MAX_GROUP_SIZE = 200
FINISHED_PER_MOLECULE = 12
MAX_QUEUED_TASKS = 500


@dataclass(frozen=True)
class Dispatch:
    """Sizes tasks by what simulations have taken so far.

    Attributes
    ----------
    n_workers
        How many tasks run at the same time.
    fixed_group_size
        Molecules of a task; None: as many as make it last.
    n_abreast
        Molecules that a worker simulates at the same time: it has more cores than one takes.
    """

    n_workers: int
    fixed_group_size: int | None = None
    n_abreast: int = 1

    def group_size(self, state: State, n_left: int) -> int:
        """Return how many molecules make a task.

        So many that the driver can keep all workers busy; fewer near the end, when `n_left`
        molecules are left, so that workers end together. At first one, a second one after 12
        simulations and so on: while little is known, a ranking should not wait for long tasks.
        All that times the molecules that go abreast.
        """
        if self.fixed_group_size is not None:
            return self.fixed_group_size
        task_s = max(MIN_TASK_S, self.n_workers / TASKS_PER_S)
        n_at_first = max(1, ceil(state.n_finished / FINISHED_PER_MOLECULE / self.n_abreast))
        n_in_turn = min(ceil(task_s / max(state.mean_s, 1e-9)), MAX_GROUP_SIZE, n_at_first)
        at_the_end = max(
            ceil(n_left / (2 * self.n_workers)), min(self.n_abreast, ceil(n_left / self.n_workers))
        )
        return max(1, min(n_in_turn * self.n_abreast, at_the_end))

    def room(self, state: State, group_size: int, n_tasks: int) -> int:
        """Return how many more molecules to hand out, where so many tasks are under way.

        Each worker has a task, and some wait for the workers that end before an answer comes.
        """
        n_queued = 1
        if state.n_finished:
            task_s = max(group_size * state.mean_s / self.n_abreast, 1e-9)
            n_queued = min(ceil(self.n_workers * TURNAROUND_S / task_s), MAX_QUEUED_TASKS)
        return max(0, self.n_workers + n_queued - n_tasks) * group_size
