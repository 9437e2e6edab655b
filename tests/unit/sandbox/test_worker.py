import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from molloop.molecule import Molecule
from molloop.sandbox import worker
from molloop.sandbox.guard import Guard
from molloop.sandbox.halt import Halt
from molloop.sandbox.worker import run_group, run_one
from molloop.simulate.outcome import Failure, Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.task import SimulationTask


def task(simulator="ionization", **given):
    return SimulationTask(SimulationProtocol(simulator=simulator, **given))


def molecule(text):
    return Molecule(0, text)


def molecules(*texts):
    return [molecule(text) for text in texts]


EVIL = task("evil:simulate", timeout_s=2.0, memory_limit_gib=0.4)


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    # a child that an earlier test began does not have that path
    guards = worker._Guards()
    monkeypatch.setattr(worker, "_GUARDS", guards)
    yield
    guards.guard.close()


@pytest.fixture
def guard():
    guard = Guard()
    yield guard
    guard.close()


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until_gone(pid):
    for _ in range(50):
        if not is_running(pid):
            return
        time.sleep(0.1)
    raise AssertionError(f"process {pid} is still there after 5 s")


def test_one_outcome_each_in_order():
    water, bad, methanol = run_group(molecules("O", "xx", "CO"), task()).outcomes
    assert water.value == pytest.approx(18.293, abs=0.01)
    assert bad.kind == "invalid_smiles"
    assert methanol.value == pytest.approx(15.459, abs=0.01)
    assert 0 < water.seconds < 60


def test_a_value_is_the_same_bit_for_bit_whatever_the_environment_says():
    alone = run_one(molecule("CCO"), task()).value
    _, _, after = run_group(molecules("CF", "xx", "CCO"), task()).outcomes
    assert after.value == alone
    code = (
        "from molloop.molecule import Molecule\n"
        "from molloop.sandbox.worker import run_one\n"
        "from molloop.simulate.protocol import SimulationProtocol\n"
        "from molloop.simulate.task import SimulationTask\n"
        "print(run_one(Molecule(0, 'CCO'), SimulationTask(SimulationProtocol())).value)"
    )
    for n_threads in ("1", "2"):
        environment = os.environ | {"OMP_NUM_THREADS": n_threads}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        assert float(done.stdout) == alone


@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        ("crash", "crash", "SIGSEGV"),
        ("exit", "crash", "exited with 3"),
        ("sleep", "timeout", "longer than 2 s"),
        ("memory", "memory", "more memory than 0.4 GiB"),
        ("garbage", "crash", "no answer that can be read"),
        ("half", "crash", "no answer that can be read"),
        ("raise", "unexpected", "ZeroDivisionError: by zero"),
        ("none", "invalid_result", "outcome: got None, expected a Success"),
        ("nan", "invalid_result", "value: got nan, expected a real number"),
        ("huge", "invalid_result", "value: got -1e+200"),
        ("text", "invalid_result", "value: got 'large'"),
        ("shape", "invalid_result", "of shape (2, 3)"),
        ("refuse", "too_odd", "no"),
    ],
)
def test_what_a_molecule_does_is_its_own_failure(guard, what, kind, words):
    # the others end by what they do, however busy the machine is
    slow = task("evil:simulate", timeout_s=60.0, memory_limit_gib=0.4)
    chosen = EVIL if kind == "timeout" else slow
    before, failure, after = (guard.run(one, chosen) for one in molecules("C", what, "N"))
    assert isinstance(before, Success)
    assert isinstance(failure, Failure)
    assert failure.kind == kind
    assert words in failure.message
    assert isinstance(after, Success)
    is_replaced = before.values["pid"] != after.values["pid"]
    assert is_replaced == (kind in ("crash", "timeout", "memory"))


def test_a_hang_in_compiled_code_is_killed_with_all_descendants(guard, tmp_path):
    pids = tmp_path / "pids"
    assert guard.run(molecule(f"hang{pids}"), EVIL).kind == "timeout"
    found = [int(line) for line in pids.read_text().split()]
    assert len(found) == 3
    assert not [pid for pid in found if is_running(pid)]


def test_temporary_files_go_with_what_has_written_them(guard, tmp_path, monkeypatch):
    folder, told = tmp_path / "scratch", tmp_path / "told"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    assert guard.run(molecule(f"litter{told}"), EVIL).kind == "timeout"
    assert Path(told.read_text()).is_relative_to(folder)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("end", ["", "exit"])
def test_what_a_molecule_leaves_behind_is_killed(guard, tmp_path, end):
    pids = tmp_path / f"pids{end}"
    guard.run(molecule(f"daemon{pids}"), EVIL)
    assert not is_running(int(pids.read_text()))
    assert isinstance(guard.run(molecule("C"), EVIL), Success)


def test_an_answer_is_never_taken_for_another_molecule_s(guard):
    class InterruptionError(Exception):
        pass

    def interrupt(_number, _frame):
        raise InterruptionError

    before = guard.run(molecule("C"), EVIL).values["pid"]
    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(InterruptionError):
            guard.run(molecule("interrupted"), EVIL)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert guard.run(molecule("C"), EVIL).values["pid"] != before


def test_a_memory_limit_below_what_python_takes_is_a_failure(guard):
    small = task("evil:simulate", memory_limit_gib=0.001)
    assert guard.run(molecule("sleep"), small).kind == "memory"


def test_imports_are_charged_to_no_molecule_also_after_another_task(guard, tmp_path, monkeypatch):
    (tmp_path / "slow_import.py").write_text(
        "import time\ntime.sleep(3)\n\n\ndef simulate(smiles):\n    return 1.0\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    assert isinstance(guard.run(molecule("C"), EVIL), Success)
    second = task("slow_import:simulate", timeout_s=2.0)
    assert guard.run(molecule("C"), second).value == 1.0
    assert isinstance(guard.run(molecule("C"), EVIL), Success)


def test_a_guard_ends_its_child_with_its_thread():
    pids = []

    def work():
        pids.append(run_one(molecule("C"), EVIL).values["pid"])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    wait_until_gone(pids[0])


def test_the_child_lives_on_has_one_thread_and_a_session_of_its_own(guard, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    outcomes = [guard.run(molecule("C"), EVIL) for _ in range(3)]
    (pid,) = {outcome.values["pid"] for outcome in outcomes}
    assert {outcome.values["n_threads"] for outcome in outcomes} == {1}
    assert os.getsid(pid) != os.getsid(0)


def test_a_child_that_was_killed_in_between_costs_no_molecule(guard):
    pid = guard.run(molecule("C"), EVIL).values["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    assert isinstance(guard.run(molecule("C"), EVIL), Success)


def test_what_a_simulator_prints_disturbs_nothing(guard, capfd):
    assert isinstance(guard.run(molecule("print"), EVIL), Success)
    assert capfd.readouterr() == ("", "")


def test_the_child_ends_with_its_parent(tmp_path):
    code = (
        "import os, sys\n"
        "from molloop.molecule import Molecule\n"
        "from molloop.sandbox.worker import run_one\n"
        "from molloop.simulate.protocol import SimulationProtocol\n"
        "from molloop.simulate.task import SimulationTask\n"
        "task = SimulationTask(SimulationProtocol(simulator='evil:simulate'))\n"
        "print(run_one(Molecule(0, 'C'), task).values['pid'], flush=True)\n"
        "run_one(Molecule(0, 'sleep'), task)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with parent:
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
    wait_until_gone(pid)


@pytest.mark.parametrize(
    ("simulator", "words"),
    [
        ("evil:none", "no attribute 'none'"),
        ("nowhere:none", "No module named 'nowhere'"),
        ("evil", "not of the form package.module:function"),
        ("evil:simulate", ""),
        ("ionization", ""),
    ],
)
def test_a_simulator_is_checked_before_a_run(guard, simulator, words):
    reason = guard.check(task(simulator))
    assert words in reason
    assert bool(reason) == bool(words)


def test_a_result_is_made_of_what_the_store_can_keep(guard):
    values = guard.run(molecule("numpy"), EVIL).values
    kept = [(float, 1.5), (int, 3), (float, 2.0)]
    assert [(type(value), value) for value in values.values()] == kept
    assert guard.run(molecule("long"), EVIL).values == {"ie": 1.0, "n": 1e300}
    assert guard.run(molecule("endless"), EVIL).kind == "invalid_result"


def test_a_halted_group_sends_what_has_ended_within_its_grace(tmp_path):
    halt = Halt(tmp_path / "halt")
    slow = task("evil:simulate", timeout_s=60.0)
    run_one(molecule("C"), slow)  # a child takes its time to start
    threading.Timer(1.0, halt.call, [6.0]).start()
    began_s = time.monotonic()
    found = run_group(molecules("C", "N", "sleep", "O"), slow, halt)
    assert 3.0 < time.monotonic() - began_s < 7.0
    assert [type(one) for one in found.outcomes] == [Success, Success]
    assert len(found.times_s) == 2


def test_a_molecule_alone_has_the_whole_grace(tmp_path):
    halt = Halt(tmp_path / "halt")
    run_one(molecule("C"), EVIL)
    threading.Timer(0.2, halt.call, [0.0]).start()
    found = run_group(molecules("sleep", "O"), EVIL, halt)
    assert [one.kind for one in found.outcomes] == ["timeout"]


@pytest.mark.parametrize("is_prepared", [True, False])
def test_nothing_is_begun_after_a_halt(tmp_path, is_prepared):
    halt = Halt(tmp_path / "halt")
    if is_prepared:
        halt.prepare()
    assert not halt.is_called()
    halt.call(30.0)
    assert run_group(molecules("C"), EVIL, Halt(tmp_path / "halt")).outcomes == ()
    time.sleep(0.2)
    assert halt.is_called()
    assert not halt.is_over()


class Full:
    """A host that can start no process for the first calls."""

    def __init__(self, n_fails, guard):
        self.n_fails, self.guard = n_fails, guard

    def get(self):
        return self

    def run(self, item, task, is_over):
        if item.smiles == "full" and self.n_fails:
            self.n_fails -= 1
            raise OSError("no space")
        return self.guard.run(item, task, is_over)


@pytest.mark.parametrize(("n_fails", "n_outcomes"), [(2, 3), (99, 1)])
def test_a_host_in_trouble_waits_and_then_sends_what_it_has(
    guard, monkeypatch, n_fails, n_outcomes
):
    monkeypatch.setattr(worker, "_GUARDS", Full(n_fails, guard))
    monkeypatch.setattr(worker, "TROUBLE_S", 0.3)
    monkeypatch.setattr(worker, "TROUBLE_PERIOD_S", 0.01)
    found = run_group(molecules("C", "full", "N"), EVIL)
    assert len(found.outcomes) == n_outcomes
    assert found.trouble == ("" if n_outcomes == 3 else "OSError: no space")
    monkeypatch.setattr(worker, "_GUARDS", Full(99, guard))
    with pytest.raises(OSError, match="no space"):
        run_group(molecules("full"), EVIL)


def test_a_host_in_trouble_sends_what_it_has_within_the_grace(guard, monkeypatch, tmp_path):
    monkeypatch.setattr(worker, "_GUARDS", Full(99, guard))
    monkeypatch.setattr(worker, "TROUBLE_PERIOD_S", 0.05)
    halt = Halt(tmp_path / "halt")
    threading.Timer(0.2, halt.call, [1.0]).start()
    began_s = time.monotonic()
    assert len(run_group(molecules("C", "full", "N"), EVIL, halt).outcomes) == 1
    assert time.monotonic() - began_s < 10.0


def test_a_host_without_another_thread_is_in_trouble(guard, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(BlockingIOError, match="can't start new thread"):
            guard.run(molecule("C"), EVIL)
    assert isinstance(guard.run(molecule("C"), EVIL), Success)


def test_several_go_abreast_and_each_loses_nothing_by_the_others(tmp_path, monkeypatch):
    monkeypatch.setenv("MEETING", str(tmp_path))
    given = molecules("first", "crash", "second", "alone")
    # the first and the second one wait for each other: one after the other they would not end
    found = run_group(given, task("meeting:simulate", timeout_s=60.0), n_abreast=3)
    assert found.places == (0, 1, 2, 3)
    first, crash, second, alone = found.outcomes
    assert [one.value for one in (first, second, alone)] == [1.0, 1.0, 2.0]
    assert crash.kind == "crash"
    assert set(found.lanes) <= {0, 1, 2}
    assert found.lanes[0] != found.lanes[2]
    assert len(found.times_s) == 4


def test_what_ends_abreast_is_sent_where_a_host_is_in_trouble(guard, monkeypatch):
    monkeypatch.setattr(worker, "_GUARDS", Full(99, guard))
    monkeypatch.setattr(worker, "TROUBLE_S", 0.3)
    monkeypatch.setattr(worker, "TROUBLE_PERIOD_S", 0.01)
    monkeypatch.setattr(worker, "_LANES", InTurn())
    found = run_group(molecules("C", "full", "N"), EVIL, n_abreast=2)
    # who has met the trouble begins nothing more, nor do the others
    assert (found.places, found.lanes, found.trouble) == ((0,), (0,), "OSError: no space")


class InTurn:
    """Lanes of which each ends before the next one begins."""

    def work(self, lane, n):
        for number in range(n):
            lane(number)
