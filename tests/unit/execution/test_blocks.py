import pytest
from parsl.jobs.states import JobState, JobStatus

from molloop.execution.blocks import BlockLimit, BlocksLostError


class Executor:
    def __init__(self):
        self.error = None

    def set_bad_state_and_fail_all(self, error):
        self.error = error


def look(lives, state=JobState.COMPLETED):
    """Show a limit blocks that come one after the other, each with a life of so many seconds."""
    executor, now_s, status = Executor(), [0.0], {}
    limit = BlockLimit(lambda: now_s[0])
    for number, life_s in enumerate(lives):
        status[str(number)] = JobStatus(JobState.PENDING)
        limit(executor, status)
        if life_s is not None:
            status[str(number)] = JobStatus(JobState.RUNNING)
            limit(executor, status)
            now_s[0] += life_s
        status[str(number)] = JobStatus(state, message=f"no {number}")
        limit(executor, status)
    return executor.error


@pytest.mark.parametrize("state", [JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED])
def test_three_short_lives_in_a_row_are_enough(state):
    error = look([100, 1, 1, 1], state)
    assert isinstance(error, BlocksLostError)
    assert [word in str(error) for word in ("no 0", "no 1", "no 2", "no 3")] == [
        False,
        True,
        True,
        True,
    ]
    assert state.name.lower() in str(error)


def test_blocks_that_never_ran_count_as_well():
    assert look([None, None, None]) is not None


@pytest.mark.parametrize("lives", [[1, 1], [1, 1, 100, 1, 1], [3600] * 12])
def test_others_are_replaced(lives):
    assert look(lives) is None


def test_the_tenth_block_comes_after_the_ninth():
    assert look([*([100] * 8), 1, 100, 1, 1]) is None
    assert look([*([100] * 8), 1, 1, 1]) is not None


def test_a_first_block_that_is_refused_ends_the_run_at_once():
    executor = Executor()
    limit = BlockLimit(lambda: 0.0)
    limit(executor, {"0": JobStatus(JobState.FAILED, message="no such partition")})
    assert "no such partition" in str(executor.error)


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.PENDING, JobState.HELD])
def test_refusals_end_nothing_while_another_block_runs_or_waits(state):
    executor, now_s = Executor(), [0.0]
    limit = BlockLimit(lambda: now_s[0])
    status = {"0": JobStatus(state)}
    limit(executor, status)
    for number in range(1, 5):
        status[str(number)] = JobStatus(JobState.FAILED, message="socket timed out")
        limit(executor, status)
    assert executor.error is None


def test_what_was_said_first_is_told():
    executor, status = Executor(), {}
    limit = BlockLimit(lambda: 0.0)
    for number in range(3):
        status[str(number)] = JobStatus(JobState.PENDING)
        limit(executor, status)
        status[str(number)] = JobStatus(JobState.FAILED, message=f"node {number} is ill")
        limit(executor, status)
        status = {block: JobStatus(JobState.COMPLETED) for block in status}
    assert "node 0 is ill" in str(executor.error)
