"""Simulators that fork, close, change and leave behind whatever they can.

That molecule's outcome is right or a failure, the next one's is its own, and nothing is left.
"""

import contextlib
import os
import uuid
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from molloop.molecule import Molecule
from molloop.sandbox.guard import Guard
from molloop.simulate.outcome import Failure, Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.task import SimulationTask

PROTOCOL = SimulationProtocol(simulator="evil:behave", timeout_s=60.0, memory_limit_gib=1.0)
TASK = SimulationTask(PROTOCOL)
# what it does -> the kind of its failure; "" where it has its own value
FORKS = {
    "return": "", "returnlater": "", "waited": "", "raise": "", "sysexit": "", "tree": "",
    "thread": "", "daemon": "", "killed": "crash", "stays": "", "pool": "", "poolstays": "",
    "spawn": "", "writer": "crash", "reader": "", "compiled": "", "compiledwriter": "crash",
    "exit": "crash",
}  # fmt: skip
CHANGES = {
    "directory": "", "signals": "", "alarm": "", "umask": "", "environment": "", "stdout": "",
    "wrapped": "", "detached": "", "closedstreams": "", "standard": "", "standardreused": "",
    "connection": "crash", "connectionreused": "crash", "all": "crash", "others": "crash",
    "thread": "", "threadexits": "", "hooks": "", "group": "crash", "replaced": "crash",
}  # fmt: skip
RAISED = {
    "SystemExit": "unexpected",
    "KeyboardInterrupt": "unexpected",
    "GeneratorExit": "unexpected",
}
NO_IMPORT = "Importing it fails: {}. Is its folder on PYTHONPATH?"
MARK = uuid.uuid4().hex
UMASK = os.umask(0o022)
os.umask(UMASK)
BEHAVIOURS = (
    {f"fork {how}": kind for how, kind in FORKS.items()}
    | {f"change {what}": kind for what, kind in CHANGES.items()}
    | {f"raise {what}": kind for what, kind in RAISED.items()}
)


@pytest.fixture(scope="module", autouse=True)
def _on_the_path():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVIL_MARK", MARK)
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        yield


@pytest.fixture(scope="module")
def guard():
    with contextlib.closing(Guard()) as guard:
        yield guard


def own_value(text):
    """Return what `value_of` in evil.py gives a text."""
    return float(sum(place * ord(letter) for place, letter in enumerate(text, 1)))


def started():
    """Return all processes, whoever their parents are, that simulations of this module have."""
    found = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("EVIL_MARK") == MARK:
                found.add(process.pid)
    return found


def check_honest(guard, text):
    """Check that a text gets its own value, in surroundings as at first."""
    outcome = guard.run(Molecule(0, text), TASK)
    assert isinstance(outcome, Success), outcome
    assert outcome.value == own_value(text)
    assert (outcome.values["umask"], outcome.values["n_evil"]) == (UMASK, 0)
    assert outcome.flags == (str(Path.cwd()),)
    return outcome.values["pid"]


def check_behaviour(guard, what):
    """Check that a behaviour gets its own value, or the failure that it is."""
    outcome = guard.run(Molecule(0, what), TASK)
    if BEHAVIOURS[what]:
        assert isinstance(outcome, Failure), outcome
        assert outcome.kind == BEHAVIOURS[what]
    else:
        assert isinstance(outcome, Success), outcome
        assert outcome.value == own_value(what)


@pytest.mark.parametrize("what", BEHAVIOURS)
def test_whatever_a_simulator_does_the_next_molecule_has_its_own_value(guard, what):
    check_honest(guard, "C")
    check_behaviour(guard, what)
    pid = check_honest(guard, "N")
    assert check_honest(guard, "CCO") == pid
    assert started() == {pid, psutil.Process(pid).ppid()}


texts = st.text("CNO=()1", min_size=1, max_size=8)


@given(st.lists(st.sampled_from(list(BEHAVIOURS)) | texts, min_size=2, max_size=6), texts)
@settings(max_examples=10, deadline=None)
def test_each_of_any_sequence_has_its_own_value(guard, sequence, last):
    for what in [*sequence, last]:
        (check_behaviour if what in BEHAVIOURS else check_honest)(guard, what)


def test_what_is_printed_does_not_fill_the_disk(guard):
    most_bytes = guard.run(Molecule(0, "print 200"), TASK).value
    assert 1_000_000 <= most_bytes < 100_000_000
    check_honest(guard, "C")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("raise SystemExit(2)", NO_IMPORT.format("SystemExit: 2")),
        ("raise KeyboardInterrupt", NO_IMPORT.format("KeyboardInterrupt: ")),
        ("os._exit(2)", "The process that tries it exited with 2."),
        ("os.fork()", ""),
        ("os.environ['EVIL'] = '2'; os.chdir('/')", ""),
    ],
)
def test_a_module_may_misbehave_when_it_is_imported(tmp_path, monkeypatch, line, reason):
    module = tmp_path / "at_import.py"
    module.write_text(f"import os\n{line}\nfrom evil import behave\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    task = SimulationTask(replace(PROTOCOL, simulator="at_import:behave"))
    with contextlib.closing(Guard()) as guard:
        assert guard.check(task) == reason
        if not reason:
            outcome = guard.run(Molecule(0, "CCO"), task)
            assert outcome.value == own_value("CCO")
            # what an import sets is there for all molecules
            guard.run(Molecule(0, "change environment"), task)
            guard.run(Molecule(0, "change directory"), task)
            again = guard.run(Molecule(0, "CCO"), task)
            assert (again.values, again.flags) == (outcome.values, outcome.flags)
            assert again.values["n_evil"] == (2 if "EVIL" in line else 0)
            assert again.flags == ("/" if "EVIL" in line else str(Path.cwd()),)
