"""What the engine gives Parsl and takes back, with an executor that runs it at once."""

import signal
import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
from parsl.dataflow.dflow import DataFlowKernel
from parsl.dataflow.states import States
from parsl.jobs.states import JobState, JobStatus

from molloop.campaign.engine import Group, LostGroup
from molloop.errors import EngineError
from molloop.execution import parsl_engine, tasks
from molloop.execution.parsl_config import parsl_config
from molloop.execution.parsl_engine import ParslEngine
from molloop.execution.parsl_inside import kernels
from molloop.execution.site import Site
from molloop.molecule import Geometry, Molecule
from molloop.sandbox import halt
from molloop.sandbox.worker import GroupResult
from molloop.simulate.outcome import Failure, Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.task import SimulationTask

PROTOCOL = SimulationProtocol(simulator="mine:simulate", timeout_s=7.0)
GROUP = Group((Molecule(4, "C"), Molecule(9, "N", "ammonia")), PROTOCOL)
OUTCOMES = (Success({"ie": 12.5}, flags=("odd",)), Failure("crash", "gone"))


class Executor:
    """Calls what it is given as Parsl's workers do: a function by its name, with bytes."""

    provider = None
    interchange_proc = None
    bad_state_is_set = False
    executor_exception = None
    _result_queue_thread = None
    worker_logdir = "nowhere"

    def __init__(self, label, lock, run_dir):
        self.label = label
        self.run_dir = run_dir
        self._lock = lock
        self.refuses = None
        self.answers = None

    def submit_payload(self, context, buffer):
        assert self._lock.locked()  # its socket is not for two threads
        assert type(buffer) is bytes
        assert list(context) == ["task_executor"]  # without a priority: rankings come first
        if self.refuses is not None:
            raise self.refuses
        module, _, name = context["task_executor"]["f"].rpartition(".")
        future = Future()
        future.set_result(self.answers or getattr(import_module(module), name)(buffer))
        return future


@pytest.fixture
def config(tmp_path):
    return parsl_config(Site(workers=1), tmp_path / "parsl")


@pytest.fixture
def executor(config, tmp_path):
    return Executor(config.executors[0].label, threading.Lock(), tmp_path)


@pytest.fixture
def engine(config, executor, monkeypatch, tmp_path):
    kernel = DataFlowKernel.__new__(DataFlowKernel)
    kernel.executors = {executor.label: executor}
    kernel.submitter_lock = executor._lock
    monkeypatch.setattr(kernels, "start", lambda _: kernel)
    return ParslEngine(config, tmp_path / "scratch", 60.0)


@pytest.fixture
def asked(monkeypatch):
    """Return what workers are asked to simulate; they answer with OUTCOMES."""
    calls = []

    def run_group(molecules, task, halt, n_abreast):
        calls.append((molecules, task.protocol, halt.is_called()))
        assert n_abreast == 1
        return GroupResult(OUTCOMES, "node:1", ((5.0, 6.0), (6.0, 8.5)), "no more disk")

    monkeypatch.setattr(tasks, "run_group", run_group)
    return calls


def test_a_group_goes_to_a_worker_and_its_outcomes_come_back(engine, asked):
    engine.simulate(GROUP)
    [done] = engine.wait(0.0)
    assert asked == [([*GROUP.molecules], PROTOCOL, False)]
    assert (done.group, done.outcomes, done.worker) == (GROUP, OUTCOMES, "node:1")
    assert done.trouble == "no more disk"
    (first, second) = done.times_s
    assert first[1] - first[0] == pytest.approx(1.0)
    assert (second[0] - first[0], second[1] - first[0]) == pytest.approx((1.0, 3.5))


def test_a_signal_whose_handler_takes_long_does_not_prolong_the_wait(engine):
    """Seen: after SIGTERM a run waited for good, as its time was over when the handler returned."""
    came = []

    def handle(*_):
        came.append(time.monotonic())
        assert len(came) == 1, "it still waits"
        time.sleep(0.2)  # the handler is to outlast the timeout: that is what made it wait for good

    engine._health.has_worker = True  # asks Parsl nothing
    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.1, 5.0)
    try:
        assert engine.wait(0.2) == []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert len(came) == 1


def test_a_worker_has_as_many_abreast_as_its_cores_are_enough_for(engine, monkeypatch):
    told = []

    def run_group(molecules, task, halt, n_abreast):
        told.append((task.protocol.cores, n_abreast))
        # the second one has ended alone
        return GroupResult(OUTCOMES[:1], "node:1", ((5.0, 6.0),), "", (1,), (2,))

    monkeypatch.setattr(tasks, "run_group", run_group)
    engine._worker_cores = 6
    for cores in (1, 4, 6):
        protocol = replace(PROTOCOL, cores=cores, name=f"on {cores}")
        engine.simulate(replace(GROUP, protocol=protocol))
    assert told == [(1, 6), (4, 1), (6, 1)]
    [done, *_] = engine.wait(0.0)
    assert done.group.molecule_ids == (9, 4)
    assert done.workers == ["node:1+2"]


def test_a_geometry_goes_to_the_worker_too(engine, asked):
    geometry = Geometry(np.array([2], np.uint8), np.array([[1.0, 2.0, 3.0]]))
    engine.simulate(Group((Molecule(4, "C"), Molecule(5, "[He]", "", geometry)), PROTOCOL))
    [(plain, helium), _, _] = asked[0]
    assert plain == Molecule(4, "C")
    assert helium.geometry.numbers.tolist() == [2]
    assert helium.geometry.positions_angstrom.tolist() == [[1.0, 2.0, 3.0]]


def test_a_group_that_begins_after_a_halt_is_told_so(engine, asked):
    engine.halt(5.0)
    engine.simulate(GROUP)
    assert asked == [([*GROUP.molecules], PROTOCOL, True)]


def test_what_groups_share_is_read_once_by_a_worker(engine, monkeypatch):
    told = []

    def run_group(molecules, task, halt, n_abreast):
        told.append((task, halt))
        return GroupResult((), "node:1", ())

    monkeypatch.setattr(tasks, "run_group", run_group)
    other = replace(PROTOCOL, timeout_s=8.0, name="second")
    for group in (GROUP, GROUP, replace(GROUP, protocol=other)):
        engine.simulate(group)
    (first, second, third) = told
    assert first[0] is second[0]
    assert first[1] is second[1]  # so it is looked for now and then, and not by every task
    assert (first[0], third[0]) == (SimulationTask(PROTOCOL), SimulationTask(other))


def test_a_halt_is_heard_by_a_worker_that_has_looked_before(engine, asked, monkeypatch):
    monkeypatch.setattr(halt, "LOOK_PERIOD_S", 0.0)
    engine.simulate(GROUP)
    engine.halt(5.0)
    engine.simulate(GROUP)
    assert [is_called for *_, is_called in asked] == [False, True]


def test_an_engine_that_is_halted_asks_nothing_that_may_hang(engine, executor):
    def hang():
        raise AssertionError("the interchange is asked")

    executor.connected_managers = hang
    engine.halt(5.0)
    assert engine.wait(0.0) == []


def test_workers_whose_block_has_ended_are_none(engine, executor):
    executor.status_facade = {"0": JobStatus(JobState.RUNNING)}
    engine._health.note_worker()
    assert engine.has_workers()
    executor.status_facade = {"0": JobStatus(JobState.CANCELLED)}
    assert not engine.has_workers()


@pytest.mark.usefixtures("asked")
def test_what_ends_soon_after_another_comes_with_it(engine, monkeypatch):
    pauses_s = []

    def pause(seconds):
        pauses_s.append(seconds)
        engine.simulate(GROUP)

    clock = SimpleNamespace(monotonic=lambda: 100.0, time=lambda: 0.0, sleep=pause)
    monkeypatch.setattr(parsl_engine, "time", clock)
    engine.simulate(GROUP)
    assert len(engine.wait(0.0)) == 2  # what ended while it looked, and that
    engine.simulate(GROUP)
    assert len(engine.wait(0.0)) == 2
    assert pauses_s == pytest.approx([0.0, 0.05])


def test_what_parsl_does_not_take_is_lost(engine, executor):
    executor.refuses = ValueError("the socket is closed")
    engine.simulate(GROUP)
    message = "ValueError: the socket is closed"
    assert engine.wait(0.0) == [LostGroup(GROUP, "task", message)]


def test_what_cannot_be_read_is_lost_and_parsl_s_log_says_why(engine, executor, caplog):
    executor.answers = b"nothing that was pickled"
    engine.simulate(GROUP)
    [lost] = engine.wait(0.0)
    assert (lost.group, lost.what) == (GROUP, "task")
    assert "UnpicklingError" in lost.message
    [record] = caplog.records
    assert record.name.startswith("parsl.")
    assert "UnpicklingError" in caplog.text


def test_what_an_executor_that_has_given_up_does_not_take_ends_the_run(engine, executor):
    executor.bad_state_is_set = True
    executor.executor_exception = RuntimeError("no nodes")
    engine.simulate(GROUP)
    with pytest.raises(EngineError, match="The workers cannot be started: no nodes"):
        engine.wait(1.0)


def test_nothing_is_sent_to_an_interchange_that_is_gone(engine, executor, asked):
    executor.interchange_proc = SimpleNamespace(poll=lambda: -9)
    engine.simulate(GROUP)
    assert asked == []
    with pytest.raises(EngineError, match=r"interchange.*has ended \(-9\)"):
        engine.wait(1.0)


def test_a_model_is_handed_out_before_the_simulations_that_follow(engine):
    states = [States.pending, States.pending, States.launched]
    task = SimpleNamespace(task_status=lambda: states.pop(0).name)
    parsl_engine.wait_until_launched(task)
    assert states == []
