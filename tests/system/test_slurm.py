"""Both ways to run on two nodes of a real Slurm, and what may happen to them meanwhile."""

import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
from helpers import (
    ended,
    ended_by,
    finish,
    has_begun,
    has_values,
    read,
    slow,
    values,
    wait_for,
    words_of,
)
from parsl.jobs.states import JobState, JobStatus
from private_slurm import expand

from molloop.campaign.events import End, Lost, Resumed, Stopped
from molloop.execution.answers import Unsaid, not_taken_back
from molloop.execution.schedulers import SCHEDULERS, ask_slurm

SITE = ("site.name=slurm", "site.workers=1", "site.nodes=2")


@pytest.fixture
def on_slurm(cluster, start):
    return lambda *words: start(*words, extra=cluster.environment)


def test_the_same_values_on_this_machine_from_outside_and_within_a_job(
    cluster, start, on_slurm, small_smi, tmp_path
):
    plain = ("--library", small_smi, "--schedule", "batch", "--max-training-count", 20)
    finish(start("run", *plain, "--run-dir", "local", "--workers", 2))
    expected = [(one.molecule_id, one.batch) for one in read(tmp_path / "local")[1]]
    finish(on_slurm("run", *plain, "--run-dir", "outside", *words_of(*SITE)))
    assert [(one.molecule_id, one.batch) for one in read(tmp_path / "outside")[1]] == expected
    config = tmp_path / "mine.toml"
    config.write_text(
        f'[library]\nsource = "{small_smi}"\n'
        '[campaign]\nschedule = "batch"\nmax_training_count = 20\n'
    )
    site = ("--site", "slurm", "--nodes", 2, "--set", "site.workers=1", "--walltime", "0:05:00")
    process = on_slurm("submit", config, *site, "--run-dir", "within", "--chain", 4)
    jobs = re.search(r"Submitted: ([\d, ]+)\.", process.communicate(timeout=60)[0])[1]
    wait_for(lambda: ended(tmp_path / "within"), 120, "the job")
    question = ("squeue", "-h", "-t", "all", "-o", "%T", "--job", jobs.replace(" ", ""))
    wait_for(lambda: "PENDING" not in cluster.call(*question), 60, "the jobs that are not needed")
    wait_for(lambda: "COMPLETED" in cluster.call(*question), 60, "the first job's end")
    assert sorted(cluster.call(*question).split()) == [*3 * ["CANCELLED"], "COMPLETED"]
    assert [(one.molecule_id, one.batch) for one in read(tmp_path / "within")[1]] == expected
    for name in ("outside", "within"):
        assert values(tmp_path / name) == pytest.approx(values(tmp_path / "local"), abs=1e-6)
        # one worker a node: both nodes are this host, so only their processes differ
        assert len({one.worker for one in read(tmp_path / name)[1]}) == 2


@pytest.mark.parametrize("is_first", [False, True])
def test_a_node_that_dies_costs_nothing_that_was_stored(
    cluster, on_slurm, small_smi, tmp_path, is_first
):
    own = slow(tmp_path, 2)
    process = on_slurm("run", "--library", small_smi, "--max-training-count", 22,
                       "--run-dir", "run", *own, *words_of(*SITE))  # fmt: skip
    wait_for(has_values(tmp_path / "run", 6), 60, "six values")
    before = values(tmp_path / "run")
    number, nodes = cluster.call("squeue", "-h", "-t", "R", "-o", "%A %N").split()
    first, second = sorted(expand(nodes))
    node = first if is_first else second
    cluster.kill_node(node)
    try:
        finish(process)
    finally:
        cluster.start_node(node)
        cluster.wait_for_nodes((node,))
    after = values(tmp_path / "run")
    assert len(after) == 22
    assert before.items() <= after.items()
    # a job ends with its first node, but goes on without another one
    last = max(map(int, cluster.call("squeue", "-h", "-t", "all", "-o", "%A").split()))
    assert (last == int(number)) == (not is_first)
    assert any(isinstance(one, Lost) for one in read(tmp_path / "run")[0])


def test_a_block_that_is_cancelled_is_replaced(cluster, on_slurm, small_smi, tmp_path):
    own = slow(tmp_path, 2)
    process = on_slurm("run", "--library", small_smi, "--max-training-count", 20,
                       "--run-dir", "run", *own, *words_of(*SITE))  # fmt: skip
    wait_for(has_values(tmp_path / "run", 4), 60, "four values")
    [job] = cluster.call("squeue", "-h", "-o", "%A").split()
    cluster.call("scancel", job)
    finish(process)
    # by one other, not by many
    last = max(map(int, cluster.call("squeue", "-h", "-t", "all", "-o", "%A").split()))
    assert last == int(job) + 1
    assert len(values(tmp_path / "run")) == 20
    assert any(isinstance(one, Lost) for one in read(tmp_path / "run")[0])


def test_a_job_whose_time_is_over_stops_in_time_and_the_next_goes_on(
    cluster, on_slurm, small_smi, tmp_path
):
    slow(tmp_path, 3)
    config = tmp_path / "mine.toml"
    config.write_text(
        f'[library]\nsource = "{small_smi}"\n'
        '[property]\nsimulator = "mine:simulate"\nname = "length"\nunit = "letters"\n'
        "[campaign]\nmax_training_count = 22\ngrace_s = 5.0\n"
    )
    # 150 s, of which the run has 25
    site = ("--site", "slurm", "--nodes", 2, "--set", "site.workers=1", "--walltime", "0:02:30")
    finish(on_slurm("submit", config, *site, "--run-dir", "run", "--chain", 3))
    wait_for(lambda: ended(tmp_path / "run"), 240, "the chain")
    events, _ = read(tmp_path / "run")
    assert len(values(tmp_path / "run")) == 22
    assert next(one.end for one in events if isinstance(one, Stopped)) is End.INTERRUPTED
    assert 1 <= sum(isinstance(one, Resumed) for one in events) <= 2
    # a job that is not needed any more goes
    wait_for(lambda: not cluster.call("squeue", "-h"), 60, "the last job")


def test_a_job_that_is_cancelled_ends_its_run_in_order(cluster, on_slurm, small_smi, tmp_path):
    slow(tmp_path, 1)
    config = tmp_path / "mine.toml"
    config.write_text(
        f'[library]\nsource = "{small_smi}"\n'
        '[property]\nsimulator = "mine:simulate"\nname = "length"\nunit = "letters"\n'
        "[campaign]\nmax_training_count = 24\n"
    )
    site = ("--site", "slurm", "--nodes", 2, "--set", "site.workers=1", "--walltime", "0:10:00")
    finish(on_slurm("submit", config, *site, "--run-dir", "run"))
    wait_for(has_values(tmp_path / "run", 4), 60, "four values")
    [job] = cluster.call("squeue", "-h", "-o", "%A").split()
    cluster.call("scancel", job)
    wait_for(lambda: not cluster.call("squeue", "-h"), 60, "the job's end")
    assert ended_by(tmp_path / "run") == "SIGTERM"
    assert (tmp_path / "run" / "training_data.csv").exists()


def test_a_job_beside_another_of_its_run_leaves_it_alone(cluster, on_slurm, small_smi, tmp_path):
    slow(tmp_path, 2)
    config = tmp_path / "mine.toml"
    config.write_text(
        f'[library]\nsource = "{small_smi}"\n'
        '[property]\nsimulator = "mine:simulate"\nname = "length"\nunit = "letters"\n'
        "[campaign]\nmax_training_count = 20\n"
    )
    site = ("--set", "site.workers=1", "--walltime", "0:10:00", "--run-dir", "run")
    finish(on_slurm("submit", config, "--site", "slurm", *site))
    wait_for(has_values(tmp_path / "run", 2), 60, "two values")
    # as a dependency on a job that Slurm has forgotten: it begins at once
    finish(on_slurm("submit", *site))
    log = tmp_path / "run" / "job.log"
    wait_for(lambda: "Another job has this run" in log.read_text(), 60, "the second job's word")
    wait_for(lambda: ended(tmp_path / "run"), 120, "the first job")
    assert not (tmp_path / "run" / "job.failed").exists()
    events, _ = read(tmp_path / "run")
    assert not any(isinstance(one, Resumed) for one in events)
    assert len(values(tmp_path / "run")) == 20


def test_what_slurm_says_without_accounting(cluster, tmp_path):
    def ask(command):
        done = subprocess.run(
            command, shell=True, env=os.environ | cluster.environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def state(job):
        answer = ask_slurm([job], ask)[job]
        return answer.state if isinstance(answer, JobStatus) else answer

    def submit(*words):
        return cluster.call("sbatch", "--parsable", "--output", tmp_path / "log", *words)

    failed = submit("--wrap", "exit 3")
    wait_for(lambda: state(failed) is JobState.FAILED, 30, "the failed job")
    lasting = submit("--wrap", "sleep 300")
    wait_for(lambda: state(lasting) is JobState.RUNNING, 30, "the job that runs")
    cluster.call("scontrol", "suspend", lasting)
    wait_for(lambda: "SUSPENDED" in cluster.call("squeue", "-h", "-o", "%T"), 30, "a suspension")
    assert state(lasting) is JobState.PENDING  # it is waited for
    cluster.call("scontrol", "resume", lasting)
    assert state("999999") is Unsaid.GONE
    # a dependency on a job that is not known is taken for fulfilled
    words = SCHEDULERS["slurm"].submission(Path("none"), ["999999"])[2:-1]
    beside = submit(*words, "--wrap", "sleep 300")
    wait_for(lambda: state(beside) is JobState.RUNNING, 30, "the job that waits for nothing")
    scheduler = SCHEDULERS["slurm"]
    for jobs in ([failed], ["999999"], [failed, lasting, beside, "999999"]):
        code, output, errors = ask(shlex.join(scheduler.cancellation(jobs)))
        assert not not_taken_back(jobs, code, errors, scheduler.over), output + errors
    for job in (lasting, beside):
        wait_for(lambda job=job: state(job) is JobState.CANCELLED, 60, "a job that is taken back")


def test_a_partition_that_is_none_ends_the_run_with_the_words_of_slurm(
    on_slurm, small_smi, tmp_path
):
    process = on_slurm("run", "--library", small_smi, "--run-dir", "run",
                       *words_of(*SITE, "site.queue=moon"))  # fmt: skip
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "invalid partition" in stderr
    assert "Traceback" not in stderr


def test_a_block_that_never_starts_ends_the_run_with_the_words_of_slurm(
    cluster, on_slurm, small_smi, tmp_path
):
    site = ("site.name=slurm", "site.workers=1", "site.nodes=3", "site.queue_timeout_s=10.0")
    cluster.call("scontrol", "update", "nodename=n3", "state=drain", "reason=test")
    try:
        process = on_slurm("run", "--library", small_smi, "--run-dir", "run", *words_of(*site))
        _, stderr = process.communicate(timeout=60)
    finally:
        cluster.call("scontrol", "update", "nodename=n3", "state=resume")
    assert process.returncode == 1
    assert "PENDING" in stderr
    assert "queue_timeout_s" in stderr


def test_a_signal_ends_at_once_what_waits_in_the_queue(cluster, on_slurm, small_smi, tmp_path):
    site = ("site.name=slurm", "site.workers=1", "site.nodes=3", "campaign.grace_s=300")
    cluster.call("scontrol", "update", "nodename=n3", "state=drain", "reason=test")
    try:
        process = on_slurm("run", "--library", small_smi, "--run-dir", "run", *words_of(*site))
        wait_for(lambda: cluster.call("squeue", "-h", "-t", "PD"), 60, "a job in the queue")
        wait_for(has_begun(tmp_path / "run"), 60, "the run's first event")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=120)
        wait_for(lambda: not cluster.call("squeue", "-h"), 30, "an empty queue")
    finally:
        cluster.call("scontrol", "update", "nodename=n3", "state=resume")
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert ended_by(tmp_path / "run") == "SIGINT"


def test_a_second_signal_gives_the_allocation_back_at_once(cluster, on_slurm, small_smi, tmp_path):
    began = tmp_path / "began"
    own = slow(tmp_path, f"open({str(began)!r}, 'w').close() or 100")
    process = on_slurm("run", "--library", small_smi, "--run-dir", "run",
                       *own, *words_of(*SITE))  # fmt: skip
    wait_for(began.exists, 60, "a simulation")
    process.send_signal(signal.SIGINT)
    assert "nothing more is begun" in process.stderr.readline()
    time.sleep(1.2)  # twice within a second is one wish
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=10)
    wait_for(lambda: not cluster.call("squeue", "-h"), 30, "an empty queue")
    assert process.returncode == 130
    assert "given back by `scancel" in stderr


def test_workers_that_never_come_end_the_run_with_their_words(
    cluster, on_slurm, small_smi, tmp_path
):
    known = cluster.call("squeue", "-h", "-t", "all", "-o", "%A").split()
    before = max(map(int, known), default=0)
    broken = ("site.worker_init=echo no such module; exit 1",)
    process = on_slurm("run", "--library", small_smi, "--run-dir", "run", *words_of(*SITE, *broken))
    _, stderr = process.communicate(timeout=240)
    assert process.returncode == 1
    assert "no such module" in stderr
    last = max(map(int, cluster.call("squeue", "-h", "-t", "all", "-o", "%A").split()))
    assert last - before <= 3  # it was not asked for more and more


def test_doctor_within_and_outside(cluster, on_slurm, tmp_path):
    process = on_slurm("doctor", "--site", "slurm", "--set", "site.workers=1")
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stdout + stderr
    assert "--ask-scheduler" in stdout
    process = on_slurm("doctor", "--ask-scheduler", *words_of(*SITE))
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stdout + stderr
    assert "answered after" in stdout
    assert not (tmp_path / "runs").exists()
