"""Runs that are interrupted, killed, or lose what they run on, and go on."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from molloop.campaign.events import End, Lost, Resumed, Stopped
from molloop.sandbox.processes import command_line
from molloop.simulate.outcome import Success
from molloop.store.reader import Reader

START_TIMEOUT_S = 120  # of workers, on a busy machine
SLOW = """
import time
from pathlib import Path
from molloop.simulate.outcome import Success
def simulate(smiles):
    with Path(__file__).with_name("calls").open("a") as file:
        file.write(".")
        n_calls = file.tell()
    time.sleep({seconds})
    return Success(float(len(smiles)))
"""
SCALED = """
def simulate(smiles, scale=1.0, tags=()):
    assert tags == ["a", "b"]
    return scale * len(smiles)
"""
KILLER = """
import os, signal, psutil
from molloop.simulate.outcome import Success
def simulate(smiles):
    if smiles == "CCO":
        worker = psutil.Process().parent().parent()  # above its supervisor
        worker.send_signal(signal.SIGKILL)
        signal.pause()
    return Success(float(len(smiles)))
"""


def own_simulator(tmp_path, text):
    (tmp_path / "mine.py").write_text(text)
    settings = ("property.simulator=mine:simulate", "property.name=length", "property.unit=letters")
    return [word for setting in settings for word in ("--set", setting)]


@pytest.fixture
def start(command, environment, tmp_path):
    """Start a run that a test ends; its processes carry a mark."""
    started = []

    def begin(*words):
        process = subprocess.Popen(
            [*command, "run", "--run-dir", "run", *map(str, words)],
            env=environment | {"MOLLOOP_TEST_MARK": str(tmp_path), "PYTHONPATH": str(tmp_path)},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def mark(tmp_path):
    return f"MOLLOOP_TEST_MARK={tmp_path}"


def members(mark):
    """Processes that have the mark in their environment: sessions of their own do not hide them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
    return found


def end_within(mark, seconds):
    until_s = time.monotonic() + seconds
    while members(mark) and time.monotonic() < until_s:
        time.sleep(0.1)
    return members(mark) == []


def wait_for_outcomes(run_dir, n):
    uri = f"file:{run_dir / 'campaign.sqlite'}?mode=ro"
    for _ in range(600):
        time.sleep(0.05)
        with (
            suppress(sqlite3.OperationalError),
            closing(sqlite3.connect(uri, uri=True)) as database,
        ):
            (count,) = database.execute("SELECT count(*) FROM jobs").fetchone()
            if count >= n:
                return count
    raise AssertionError("no outcome within 30 s")


def read(run_dir):
    with closing(Reader.read(run_dir / "campaign.sqlite")) as store:
        return [event for _, event in store.events()], store.simulated()


def values(run_dir):
    return {
        one.molecule_id: (one.proposal, one.batch, one.outcome.value)
        for one in read(run_dir)[1]
        if isinstance(one.outcome, Success)
    }


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_a_signal_ends_a_run_in_order_and_resume_goes_on(
    start, mark, molloop, small_smi, tmp_path, number, code
):
    counts = ("--schedule", "batch", "--max-training-count", 22, "--batch-size", 1)
    own = own_simulator(tmp_path, SLOW.format(seconds=0.3))
    extra = {"PYTHONPATH": str(tmp_path)}
    whole = molloop("run", "--library", small_smi, "--run-dir", "whole", *counts, *own, extra=extra)
    assert whole.returncode == 0
    process = start("--library", small_smi, *counts, *own)
    run_dir = tmp_path / "run"
    n_before = wait_for_outcomes(run_dir, 2)
    running = json.loads(molloop("status", "--json", run_dir).stdout)
    assert running["state"] == "running"
    assert running["pid"] == process.pid
    assert running["n_values"] >= n_before
    assert len(members(mark)) >= 6  # driver, interchange, manager, worker, supervisor, child
    os.killpg(process.pid, number)  # as a terminal does
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == code
    assert f"{number.name}: nothing more is begun" in stderr
    assert "Traceback" not in stderr
    assert "`molloop resume run` goes on." in stdout
    assert "Model, " not in stdout  # nor are models fitted that say how wrong it is
    assert end_within(mark, 10)

    events, simulated = read(run_dir)
    assert events[-1] == Stopped(number.name, End.INTERRUPTED)
    assert len(simulated) >= n_before
    # nothing was under way when it ended: what ran was waited for
    stopped = json.loads(molloop("status", "--json", run_dir).stdout)
    assert stopped["state"] == "interrupted"
    assert stopped["n_under_way"] == 0
    assert stopped["n_not_finished"] <= 1
    assert stopped["n_values"] + sum(stopped["failures"].values()) == len(simulated)
    assert (run_dir / "training_data.csv").exists()

    done = molloop("resume", run_dir, "--set", "site.workers=1", extra=extra)
    assert done.returncode == 0, done.stderr
    assert "random molecules, each left out: off by" in done.stdout
    assert f"going on with {stopped['n_values']} values · site.workers: not set -> 1" in done.stdout
    assert values(run_dir) == values(tmp_path / "whole")
    assert Resumed(("site.workers: not set -> 1",)) in read(run_dir)[0]
    ended = json.loads(molloop("status", "--json", run_dir).stdout)
    assert (ended["state"], ended["n_sessions"]) == ("done", 2)


def test_a_second_signal_ends_at_once(start, mark, molloop, small_smi, tmp_path):
    own = own_simulator(tmp_path, SLOW.format(seconds="0.2 if n_calls < 4 else 100"))
    process = start("--library", small_smi, "--workers", 2, *own)
    n_before = wait_for_outcomes(tmp_path / "run", 3)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    lines = iter(process.stderr.readline, "")  # on a slow machine those of a build come first
    assert any("nothing more is begun" in line for line in lines)
    time.sleep(1.2)  # twice within a second is one wish
    assert process.poll() is None  # it waits for what runs
    process.send_signal(signal.SIGINT)
    began_s = time.monotonic()
    _, stderr = process.communicate(timeout=10)
    assert time.monotonic() - began_s < 2
    assert process.returncode == 130
    assert "ended at once" in stderr
    assert end_within(mark, 30)
    assert len(read(tmp_path / "run")[1]) >= n_before
    assert json.loads(molloop("status", "--json", "run").stdout)["state"] == "ended without a word"


def test_what_runs_too_long_after_a_signal_is_run_again(start, mark, molloop, small_smi, tmp_path):
    own = own_simulator(tmp_path, SLOW.format(seconds="0.2 if n_calls < 4 else 100"))
    grace = ("--set", "campaign.grace_s=2")
    process = start("--library", small_smi, "--workers", 2, *own, *grace)
    wait_for_outcomes(tmp_path / "run", 3)
    time.sleep(0.5)
    process.terminate()
    began_s = time.monotonic()
    _, stderr = process.communicate(timeout=30)
    assert time.monotonic() - began_s < 15
    assert "has 2 s" in stderr
    assert process.returncode == 143
    assert end_within(mark, 30)
    with closing(Reader.read(tmp_path / "run" / "campaign.sqlite")) as store:
        times_s = [time_s for time_s, _ in store.events()]
    assert 2 <= times_s[-1] - times_s[-2] < 25  # without this setting it would be 30
    assert len(values(tmp_path / "run")) == 3
    ended = json.loads(molloop("status", "--json", "run").stdout)
    assert (ended["n_under_way"], ended["n_not_finished"] >= 2) == (0, True)


def test_what_may_change_is_said_and_what_would_mix_is_refused(molloop, small_smi, tmp_path):
    own = own_simulator(tmp_path, SLOW.format(seconds=0))
    extra = {"PYTHONPATH": str(tmp_path)}
    counts = ("--initial-training-count", 4, "--max-training-count", 6)
    done = molloop("run", "--library", small_smi, "--run-dir", "run", *own, *counts, extra=extra)
    assert done.returncode == 0, done.stderr

    refused = molloop("resume", "run", "--set", "campaign.seed=7", extra=extra)
    assert refused.returncode == 2
    assert "campaign.seed" in refused.stderr
    assert "cannot be compared" in refused.stderr
    refused = molloop("resume", "run", "--set", "simulation.level=gfn1", extra=extra)
    assert refused.returncode == 2
    assert "an option of the simulator ionization" in refused.stderr
    (tmp_path / "other.smi").write_text("C\nN\n")
    refused = molloop("resume", "run", "--set", "library.source=other.smi", extra=extra)
    assert refused.returncode == 2
    assert "the library of this run" in refused.stderr

    more = ("--set", "campaign.max_training_count=9", "--set", "campaign.retrain_after=2")
    done = molloop("resume", "run", *more, extra=extra)
    assert done.returncode == 0, done.stderr
    assert "campaign.max_training_count: 6 -> 9" in done.stdout
    assert len(values(tmp_path / "run")) == 9

    (tmp_path / "mine.py").write_text(SLOW.format(seconds="0.0"))
    refused = molloop("resume", "run", extra=extra)
    assert refused.returncode == 2
    assert "It was changed since" in refused.stderr
    assert molloop("resume", "nowhere").returncode == 2
    assert molloop("status", "nowhere").returncode == 2


def test_options_of_ones_own_reach_workers_and_are_kept(molloop, small_smi, tmp_path):
    own = own_simulator(tmp_path, SCALED)
    extra = {"PYTHONPATH": str(tmp_path)}
    counts = ("--initial-training-count", 4, "--max-training-count", 6)
    (tmp_path / "config.toml").write_text("[simulation.options]\nscale = 0.5\ntags = ['a', 'b']\n")
    done = molloop(
        *("run", "config.toml", "--library", small_smi, "--run-dir", "run", *own, *counts),
        extra=extra,
    )
    assert done.returncode == 0, done.stderr
    made_by = "mine:simulate(scale=0.5, tags=['a', 'b'])"
    simulated = read(tmp_path / "run")[1]
    assert [one.outcome.value for one in simulated] == [len(one.smiles) / 2 for one in simulated]
    assert {one.stage for one in simulated} == {made_by}

    more = ("--set", "campaign.max_training_count=8")
    refused = molloop("resume", "run", *more, "--set", "simulation.options.scale=2.0", extra=extra)
    assert refused.returncode == 2
    written = """simulation.options: got '{scale = 2.0, tags = ["a", "b"]}'"""
    assert written in refused.stderr
    assert "cannot be compared" in refused.stderr
    done = molloop("resume", "run", *more, extra=extra)
    assert done.returncode == 0, done.stderr
    assert {one.stage for one in read(tmp_path / "run")[1]} == {made_by}

    known = ("--training-data", "run/training_data.csv")
    unlike = molloop("run", "--library", small_smi, *own, *known, extra=extra)
    assert unlike.returncode == 2
    assert made_by in unlike.stderr
    mistyped = ("--set", "simulation.options.scael=2.0")
    unknown = molloop("run", "--library", small_smi, *own, *mistyped, extra=extra)
    assert unknown.returncode == 2
    assert "got an unexpected keyword argument 'scael'" in unknown.stderr


def test_a_molecule_that_kills_its_worker_twice_is_a_failure(molloop, small_smi, tmp_path):
    own = own_simulator(tmp_path, KILLER)
    done = molloop(
        *("run", "--library", small_smi, "--run-dir", "run", "--workers", 2, *own),
        *("--max-training-count", 24, "--initial-training-count", 23),
        extra={"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    simulated = read(tmp_path / "run")[1]
    [failure] = [one.outcome for one in simulated if not isinstance(one.outcome, Success)]
    assert failure.kind == "worker"
    assert "was lost 2 times" in failure.message
    assert len(simulated) == 24


def test_a_lost_interchange_ends_the_run_and_resume_goes_on(
    start, mark, molloop, small_smi, tmp_path
):
    own = own_simulator(tmp_path, SLOW.format(seconds=0.3))
    process = start("--library", small_smi, "--max-training-count", 20, *own)
    wait_for_outcomes(tmp_path / "run", 3)
    [interchange] = [
        one
        for one in psutil.Process(process.pid).children(recursive=True)
        if "interchange" in " ".join(one.cmdline())
    ]
    interchange.kill()
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "interchange" in stderr
    assert "molloop resume" in stderr
    assert "Traceback" not in stderr
    assert end_within(mark, 30)
    done = molloop("resume", "run", extra={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert len(values(tmp_path / "run")) == 20


@pytest.mark.parametrize("which", ["helper", "worker"])
def test_what_runs_beside_a_lost_process_runs_again_and_nothing_is_held_against_it(
    start, mark, small_smi, tmp_path, which
):
    own = own_simulator(tmp_path, SLOW.format(seconds=20))
    process = start("--library", small_smi, "--workers", 2, "--max-training-count", 2, *own,
                    "--initial-training-count", 1)  # fmt: skip
    wait_for(lambda: (tmp_path / "calls").is_file() and (tmp_path / "calls").stat().st_size == 2,
             START_TIMEOUT_S)  # fmt: skip
    spawned = [pid for pid in members(mark) if is_spawned(pid)]
    by_age = sorted(spawned, key=lambda pid: psutil.Process(pid).create_time())
    os.kill(by_age[0 if which == "helper" else -1], signal.SIGKILL)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    events, _ = read(tmp_path / "run")
    losses = [one.what for one in events if isinstance(one, Lost)]
    assert losses.count("worker") == (1 if which == "worker" else 0)
    assert set(losses) - {"worker"} == {"pool"}
    assert len(values(tmp_path / "run")) == 2


def test_what_watches_a_pool_may_be_killed_too(start, mark, small_smi, tmp_path):
    own = own_simulator(tmp_path, SLOW.format(seconds=600))
    start("--library", small_smi, "--workers", 2, *own)
    wait_for(lambda: (tmp_path / "calls").is_file() and (tmp_path / "calls").stat().st_size == 2,
             START_TIMEOUT_S)  # fmt: skip
    [watch] = [pid for pid in members(mark) if is_watch(pid)]
    pool = [pid for pid in members(mark) if is_spawned(pid)]
    os.kill(watch, signal.SIGKILL)
    wait_for(lambda: not set(pool) & set(members(mark)))


def is_watch(pid):
    words = command_line(pid).split()
    return words[:1] == [sys.executable] and "molloop.execution.parsl_inside.pool" in words


def wait_for(is_so, seconds=30):
    until_s = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until_s, f"not within {seconds} s"
        time.sleep(0.05)


@pytest.mark.parametrize("which", [0, -1], ids=["helper", "worker"])
def test_a_run_outlives_any_process_of_its_pool(start, mark, small_smi, tmp_path, which):
    own = own_simulator(tmp_path, SLOW.format(seconds=0.3))
    counts = ("--workers", 2, "--max-training-count", 22)
    process = start("--library", small_smi, *counts, *own)
    wait_for_outcomes(tmp_path / "run", 3)
    # the first serves dictionaries to the others: without it the pool hangs
    spawned = [pid for pid in sorted(members(mark)) if is_spawned(pid)]
    os.kill(spawned[which], signal.SIGKILL)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    assert len(values(tmp_path / "run")) == 22
    assert end_within(mark, 10)


def is_spawned(pid):
    return "multiprocessing.spawn" in command_line(pid)


def test_one_process_a_run(start, molloop, small_smi, tmp_path):
    own = own_simulator(tmp_path, SLOW.format(seconds=1))
    process = start("--library", small_smi, "--max-training-count", 20, *own)
    wait_for_outcomes(tmp_path / "run", 1)
    refused = molloop("resume", "run", extra={"PYTHONPATH": str(tmp_path)})
    assert refused.returncode == 2
    assert "no other process uses" in refused.stderr
    assert process.poll() is None


def test_workers_that_are_all_gone_are_not_waited_for(start, mark, small_smi, tmp_path):
    own = own_simulator(tmp_path, SLOW.format(seconds="0.2 if n_calls < 4 else 100"))
    grace = ("--set", "campaign.grace_s=100")
    process = start("--library", small_smi, "--workers", 2, *own, *grace)
    wait_for_outcomes(tmp_path / "run", 3)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    # from then on no other workers are started
    while not any(one.read_text() for one in (tmp_path / "run").glob("scratch/*/halt")):
        time.sleep(0.05)
    for pid in members(mark):
        if "interchange" not in command_line(pid) and pid != process.pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "what is being simulated has 100 s" in stderr
    with closing(Reader.read(tmp_path / "run" / "campaign.sqlite")) as store:
        *_, (before_s, _), (ended_s, last) = store.events()
    assert last == Stopped("SIGINT", End.INTERRUPTED)
    assert ended_s - before_s < 18  # Parsl misses them after 20 s
    assert end_within(mark, 10)


def test_what_no_longer_meets_the_conditions_is_none_of_the_best(molloop, tmp_path):
    (tmp_path / "chains.smi").write_text("".join(f"{'C' * n}\n" for n in range(1, 21)))
    (tmp_path / "mine.py").write_text("def simulate(smiles):\n    return float(len(smiles))\n")
    own = ("property.simulator=mine:simulate", "property.name=length", "property.unit=letters")
    extra = {"PYTHONPATH": str(tmp_path)}
    counts = ("--schedule", "batch", "--initial-training-count", 6, "--max-training-count", 10)

    def given(*settings):
        return [word for one in settings for word in ("--set", one)]

    def table(name):
        return [row.split(",") for row in (tmp_path / "run" / name).read_text().splitlines()]

    def best(n=1):
        shown = json.loads(molloop("status", "--json", "run").stdout)
        (tmp_path / "top.csv").unlink(missing_ok=True)
        done = molloop("export", "run", "--top", n, "--format", "csv", "--out", "top.csv")
        assert done.returncode == 0, done.stderr
        rows = (tmp_path / "top.csv").read_text().splitlines()[1:]
        return shown["best"], shown["n_left_out"], [row.split(",")[1] for row in rows]

    library = ("--library", "chains.smi", "--run-dir", "run")
    done = molloop("run", *library, *counts, *given(*own), extra=extra)
    assert done.returncode == 0, done.stderr
    found = sorted(len(one.smiles) for one in read(tmp_path / "run")[1])
    longest = found[-1]
    assert best() == ([longest, "C" * longest], 0, ["C" * longest])
    limit = longest - 1
    tight = f"conditions.max_heavy_atoms={limit}"
    more = "campaign.max_training_count=12"
    done = molloop("resume", "run", *given(tight, more), extra=extra)
    assert done.returncode == 0, done.stderr
    told = "1 of 10 values is outside the conditions, and never among the best."
    assert told in done.stdout.splitlines()
    since = sorted(len(one.smiles) for one in read(tmp_path / "run")[1] if len(one.smiles) <= limit)
    assert best(2) == ([since[-1], "C" * since[-1]], 1, ["C" * one for one in since[:-3:-1]])
    rows = table("training_data.csv")
    met = {row[0]: row[rows[0].index("conditions")] for row in rows[1:]}
    assert met == {"C" * one: "met" for one in since} | {"C" * longest: "not met"}
    assert "C" * longest not in {row[0] for row in table("best_molecules.csv")}
    assert molloop("report", "run", "--out", "page.html").returncode == 0
    told = "1 of 12 values is outside the conditions, and never among the best."
    assert told in (tmp_path / "page.html").read_text()
    done = molloop("resume", "run", *given("conditions.max_heavy_atoms=20"), extra=extra)
    assert done.returncode == 0, done.stderr
    assert "outside the conditions" not in done.stdout
    assert best() == ([longest, "C" * longest], 0, ["C" * longest])
