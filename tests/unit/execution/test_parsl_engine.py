"""What the engine gives Parsl and takes back, with an executor that runs it at once."""

import threading
from concurrent.futures import Future
from importlib import import_module

import pytest
from parsl.dataflow.dflow import DataFlowKernel

from molloop.campaign.engine import Group, LostGroup
from molloop.errors import EngineError
from molloop.execution import kernels, tasks
from molloop.execution.parsl_engine import ParslEngine
from molloop.execution.sites import parsl_config
from molloop.settings import SiteSettings
from molloop.simulate.outcome import Failure, Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.worker import GroupResult

PROTOCOL = SimulationProtocol(simulator="mine:simulate", timeout_s=7.0)
GROUP = Group((4, 9), ("C", "N"), PROTOCOL)
OUTCOMES = (Success(12.5, "own", flags=("odd",)), Failure("crash", "gone", "own", "own", True))


class Executor:
    """Calls what it is given as Parsl's workers do: a function by its name, with bytes."""

    provider = None
    interchange_proc = None
    bad_state_is_set = False
    executor_exception = None
    _result_queue_thread = None
    worker_logdir = "nowhere"

    def __init__(self, label):
        self.label = label
        self.refuses = None

    def submit_payload(self, context, buffer):
        if self.refuses is not None:
            raise self.refuses
        module, _, name = context["task_executor"]["f"].rpartition(".")
        future = Future()
        future.set_result(getattr(import_module(module), name)(buffer))
        return future


@pytest.fixture
def executor(monkeypatch, tmp_path):
    config = parsl_config(SiteSettings(workers=1), tmp_path / "parsl")
    stand_in = Executor(config.executors[0].label)
    kernel = DataFlowKernel.__new__(DataFlowKernel)
    kernel.executors = {stand_in.label: stand_in}
    kernel.submitter_lock = threading.Lock()
    monkeypatch.setattr(kernels, "start", lambda _: kernel)
    stand_in.engine = ParslEngine(config, tmp_path / "scratch", 60.0)
    return stand_in


@pytest.fixture
def asked(monkeypatch):
    """Return what workers are asked to simulate; they answer with OUTCOMES."""
    calls = []

    def simulate_group(smiles, protocol, halt):
        calls.append((smiles, protocol, halt.is_called()))
        return GroupResult(OUTCOMES, "node:1", ((5.0, 6.0), (6.0, 8.5)), "no more disk")

    monkeypatch.setattr(tasks, "simulate_group", simulate_group)
    return calls


def test_a_group_goes_to_a_worker_and_its_outcomes_come_back(executor, asked):
    executor.engine.simulate(GROUP)
    [done] = executor.engine.wait(0.0)
    assert asked == [(("C", "N"), PROTOCOL, False)]
    assert (done.group, done.outcomes, done.worker) == (GROUP, OUTCOMES, "node:1")
    assert done.trouble == "no more disk"
    (first, second) = done.times_s
    assert first[1] - first[0] == pytest.approx(1.0)
    assert (second[0] - first[0], second[1] - first[0]) == pytest.approx((1.0, 3.5))


def test_a_group_that_begins_after_a_halt_is_told_so(executor, asked):
    executor.engine.halt(5.0)
    executor.engine.simulate(GROUP)
    assert asked == [(("C", "N"), PROTOCOL, True)]


def test_what_has_ended_is_read_together(executor, asked):
    for _ in range(3):
        executor.engine.simulate(GROUP)
    assert len(executor.engine.wait(0.0)) == len(asked) == 3
    assert executor.engine.wait(0.0) == []


def test_what_parsl_does_not_take_is_lost(executor):
    executor.refuses = ValueError("the socket is closed")
    executor.engine.simulate(GROUP)
    message = "ValueError: the socket is closed"
    assert executor.engine.wait(0.0) == [LostGroup(GROUP, "task", message)]


def test_what_an_executor_that_has_given_up_does_not_take_ends_the_run(executor, tmp_path):
    executor.refuses = executor.executor_exception = RuntimeError("no nodes")
    executor.bad_state_is_set = True
    executor.run_dir = tmp_path
    executor.engine.simulate(GROUP)
    with pytest.raises(EngineError, match="The workers cannot be started: no nodes"):
        executor.engine.wait(1.0)
