"""Whether workers are there, with an executor that only says so."""

import threading
from types import SimpleNamespace

import pytest
import zmq
from parsl.jobs.states import JobState, JobStatus
from parsl.providers import SlurmProvider

from molloop.errors import EngineError
from molloop.execution.parsl_inside import health
from molloop.execution.parsl_inside.health import Health


class Clock:
    def __init__(self, monkeypatch):
        self.now_s = 1000.0
        monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: self.now_s))


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def executor(tmp_path, monkeypatch):
    provider = SlurmProvider.__new__(SlurmProvider)
    monkeypatch.setattr(health, "words_of_scheduler", lambda _: "17 PENDING Priority")
    return SimpleNamespace(
        address="10.0.0.1",
        interchange_proc=None,
        _result_queue_thread=None,
        bad_state_is_set=False,
        connected_managers=list,
        status_facade={"0": JobStatus(JobState.PENDING)},
        provider=provider,
        run_dir=str(tmp_path),
        label="workers",
    )


def test_a_queue_that_gives_nothing_ends_a_run_when_it_was_told_so(clock, executor):
    watch = Health(executor, 10.0, 100.0)
    clock.now_s += 99
    watch.check()
    clock.now_s += 1
    with pytest.raises(EngineError, match=r"within 100 s.*17 PENDING Priority"):
        watch.check()


def test_a_worker_has_its_time_once_the_scheduler_has_given_nodes(clock, executor):
    watch = Health(executor, 10.0)
    clock.now_s += 5000
    watch.check()
    executor.status_facade = {"0": JobStatus(JobState.RUNNING)}
    clock.now_s += 9
    watch.check()
    clock.now_s += 2
    with pytest.raises(EngineError, match=r"started within 10 s; workers connect to 10\.0\.0\.1\."):
        watch.check()


def test_workers_that_are_gone_later_are_missed_too(clock, executor):
    watch = Health(executor, 10.0, 100.0)
    executor.status_facade = {"0": JobStatus(JobState.RUNNING)}
    executor.connected_managers = lambda: ["a manager"]
    watch.check()
    # the block is over, and the next one waits
    executor.connected_managers = list
    executor.status_facade = {"0": JobStatus(JobState.COMPLETED), "1": JobStatus(JobState.PENDING)}
    clock.now_s += 31
    watch.check()
    clock.now_s += 99
    watch.check()
    clock.now_s += 1
    with pytest.raises(EngineError, match="The scheduler has given no nodes within 100 s"):
        watch.check()


def test_workers_that_come_back_have_a_clean_slate(clock, executor):
    watch = Health(executor, 10.0)
    executor.status_facade = {"0": JobStatus(JobState.RUNNING)}
    for _ in range(3):
        executor.connected_managers = lambda: ["a manager"]
        clock.now_s += 31
        watch.check()
        executor.connected_managers = list
        clock.now_s += 31
        watch.check()
        clock.now_s += 9
        watch.check()


def test_an_interchange_that_does_not_answer_is_asked_again(clock, executor):
    def silent():
        raise zmq.Again

    executor.connected_managers = silent
    watch = Health(executor, 10.0)
    clock.now_s += 100
    watch.check()


def test_an_interchange_that_has_ended_is_told(executor):
    executor.interchange_proc = SimpleNamespace(poll=lambda: -9)
    with pytest.raises(EngineError, match=r"interchange.*-9"):
        Health(executor, 10.0).check()


def test_the_last_lines_of_what_the_workers_said_are_told(clock, executor, tmp_path):
    folder = tmp_path / "submit_scripts"
    folder.mkdir()
    (folder / "block.stdout").write_text("no such module\n")
    executor.status_facade = {"0": JobStatus(JobState.RUNNING)}
    watch = Health(executor, 10.0)
    clock.now_s += 11
    with pytest.raises(EngineError, match="no such module"):
        watch.check()


def test_an_interchange_that_answers_no_more_is_told(clock, executor):
    watch = Health(executor, 10.0)
    executor.connected_managers = lambda: ["one"]
    watch.check()
    for _ in range(100):  # nobody asks while results come
        clock.now_s += 31
        watch.note_worker()

    def silent():
        raise zmq.Again

    executor.connected_managers = silent
    for _ in range(10):
        clock.now_s += 31
        watch.check()
    watch.note_worker()  # something came after all
    for _ in range(10):
        clock.now_s += 31
        watch.check()
    clock.now_s += 31
    with pytest.raises(EngineError, match=r"no answer for 300 s.*molloop resume"):
        watch.check()


def test_results_that_nobody_takes_are_told(executor):
    executor._result_queue_thread = threading.Thread()
    with pytest.raises(EngineError, match="takes results has ended"):
        Health(executor, 10.0).check()


def test_blocks_that_have_all_ended_are_over(executor):
    watch = Health(executor, 10.0)
    executor.status_facade = {}
    assert not watch.is_over()  # none was begun
    executor.status_facade = {"0": JobStatus(JobState.FAILED), "1": JobStatus(JobState.RUNNING)}
    assert not watch.is_over()
    executor.status_facade["1"] = JobStatus(JobState.COMPLETED)
    assert watch.is_over()
