"""Both ways to run on a stand-in for PBS, with and without a history of jobs that have ended.

What the stand-in does is tested first: docs/sites/pbs.md says where it is from.
"""

import json
import re
import shutil
import time
from contextlib import suppress

import psutil
import pytest
from helpers import (
    ended,
    ended_by,
    finish,
    has_values,
    read,
    slow,
    values,
    wait_for,
    words_of,
)
from private_pbs import Pbs

from molloop.campaign.events import Resumed

SITE = ("site.name=pbs", "site.interface=lo", "site.nodes=2", "site.workers=1")
HISTORY = {"off": {}, "on": {"HISTORY": "1"}}
# in the commands of a pool of workers and of what watches it
POOL = re.compile(r"parsl_inside\.(worker_)?pool")


@pytest.fixture(params=HISTORY)
def pbs(request, tmp_path):
    return Pbs(tmp_path / "pbs", **HISTORY[request.param])


@pytest.fixture
def keeps_history(pbs):
    return "PBS_STAND_IN_HISTORY" in pbs.environment


@pytest.fixture
def on_pbs(pbs, lacking, start):
    """Start the command where the stand-in's are found."""
    if shutil.which("mpiexec", path="/usr/bin") is None:
        lacking("no mpiexec: install mpich")
    return lambda *words: start(*words, extra=pbs.environment)


def submit(pbs, tmp_path, lines, select="1:ncpus=1", after=(), walltime="0:10:00"):
    script = tmp_path / "script"
    head = f"#PBS -N test\n#PBS -l select={select}\n#PBS -l walltime={walltime}\n"
    script.write_text(f"#!/bin/bash\n{head}{lines}\n")
    depend = ("-W", f"depend=afternotok:{':'.join(after)}") if after else ()
    code, output, _ = pbs.call("qsub", *depend, script)
    assert code == 0
    return output.strip()


def state_of(pbs, job, *options):
    code, output, errors = pbs.call("qstat", *options, "-f", "-F", "json", job)
    jobs = json.loads(output).get("Jobs", {})
    return code, jobs.get(job, {}).get("job_state"), errors.strip()


def wait_until(pbs, number, letter):
    wait_for(lambda: pbs.state(number) == letter, 30, f"job {number} is {letter}")


def test_what_the_stand_in_says_of_a_job_that_has_ended(pbs, keeps_history, tmp_path):
    job = submit(pbs, tmp_path, "exit 3")
    wait_until(pbs, 1, "F")
    if keeps_history:
        finished = (
            f"qstat: {job} Job has finished, use -x or -H to obtain historical job information"
        )
        assert state_of(pbs, job) == (35, None, finished)
        assert state_of(pbs, job, "-x") == (0, "F", "")
        assert pbs.call("qdel", job) == (35, "", f"qdel: Job has finished {job}\n")
    else:
        assert state_of(pbs, job) == (153, None, f"qstat: Unknown Job Id {job}")
        none = f"qstat: PBS is not configured to maintain job history {job}"
        assert state_of(pbs, job, "-x") == (0, None, none)
        assert pbs.call("qdel", job) == (153, "", f"qdel: Unknown Job Id {job}\n")
    (pbs.folder / "down").touch()
    assert pbs.call("qstat", job)[0] == 255


@pytest.mark.parametrize("code", [0, 3])
def test_a_dependency_on_a_job_that_has_ended(pbs, keeps_history, tmp_path, code):
    first = submit(pbs, tmp_path, f"exit {code}")
    wait_until(pbs, 1, "F")
    submit(pbs, tmp_path, "true", after=[first])
    if keeps_history and code:
        wait_for((pbs.job(2) / "session").exists, 30, "the second job's begin")
    else:
        assert pbs.state(2) == "F"
        assert not (pbs.job(2) / "session").exists()


@pytest.mark.parametrize(("code", "begins"), [(0, False), (3, True)])
def test_a_dependency_on_a_job_that_runs(pbs, tmp_path, code, begins):
    go = tmp_path / "go"
    first = submit(pbs, tmp_path, f"until [ -e {go} ]; do sleep 0.1; done; exit {code}")
    second = submit(pbs, tmp_path, "true", after=[first])
    submit(pbs, tmp_path, "true", after=[first, second])
    wait_until(pbs, 1, "R")
    assert pbs.state(2) == pbs.state(3) == "H"
    go.touch()
    for number in (2, 3):
        wait_until(pbs, number, "F")
    assert (pbs.job(2) / "session").exists() == begins
    assert not (pbs.job(3) / "session").exists()  # the second ended well, or never ran


def test_a_job_that_waits_takes_those_behind_it_with_it(pbs, tmp_path):
    first = submit(pbs, tmp_path, "sleep 60")
    second = submit(pbs, tmp_path, "true", after=[first])
    submit(pbs, tmp_path, "true", after=[second])
    wait_until(pbs, 1, "R")
    assert pbs.call("qdel", second)[0] == 0
    wait_until(pbs, 3, "F")
    assert pbs.state(1) == "R"
    pbs.call("qdel", first)
    wait_until(pbs, 1, "F")
    assert (pbs.job(1) / "code").read_text() == "271"


@pytest.mark.parametrize(
    ("select", "lines"),
    [
        ("2:ncpus=4", ["node1", "node2"]),
        ("2:ncpus=4:mpiprocs=4", 4 * ["node1"] + 4 * ["node2"]),
    ],
)
def test_the_node_file(pbs, tmp_path, select, lines):
    submit(pbs, tmp_path, f"cp $PBS_NODEFILE {tmp_path}/nodes; echo $NCPUS >> {tmp_path}/nodes",
           select=select)  # fmt: skip
    wait_until(pbs, 1, "F")
    assert (tmp_path / "nodes").read_text().split() == [*lines, "4"]


@pytest.mark.parametrize("pbs", ["off"], indirect=True)
@pytest.mark.parametrize(("ending", "code"), [("qdel", "271"), ("walltime", "-29")])
def test_a_job_is_told_to_end_before_it_is_killed(pbs, tmp_path, ending, code):
    heard = tmp_path / "heard"
    forever = "while :; do sleep 0.1; done"
    lines = (
        f"trap 'echo shell >> {heard}' TERM\n"
        # in a group of its own, and in another session
        f"(set -m; bash -c \"trap 'echo group >> {heard}' TERM; {forever}\" & wait) &\n"
        f"setsid bash -c \"trap 'echo session >> {heard}' TERM; sleep 20\" &\n"
        f"{forever}"
    )
    pbs.environment |= {"PBS_STAND_IN_KILL_DELAY": "3"}
    walltime = "0:00:03" if ending == "walltime" else "0:10:00"
    job = submit(pbs, tmp_path, lines, walltime=walltime)
    wait_until(pbs, 1, "R")
    time.sleep(1.0)
    if ending == "qdel":
        assert pbs.call("qdel", job)[0] == 0
        time.sleep(2.0)
        assert pbs.call("qdel", job)[0] == 0  # so the delay begins anew
    wait_for(heard.exists, 10, "SIGTERM")
    began_s = time.monotonic()
    wait_until(pbs, 1, "F")
    assert time.monotonic() - began_s > 2.5
    assert set(heard.read_text().split()) == {"shell", "group"}
    assert (pbs.job(1) / "code").read_text() == code


def test_a_job_that_is_held_and_one_that_finds_no_room(pbs, tmp_path):
    for name, letter in (("HELD", "H"), ("FULL", "Q")):
        pbs.environment |= {f"PBS_STAND_IN_{name}": "1"}
        job = submit(pbs, tmp_path, "true")
        wait_for(lambda job=job, letter=letter: state_of(pbs, job)[1] == letter, 10, letter)
        assert pbs.call("qdel", job)[0] == 0
        del pbs.environment[f"PBS_STAND_IN_{name}"]


def test_a_run_from_a_login_node_asks_for_one_allocation(lacking, start, small_smi, tmp_path):
    if shutil.which("mpiexec", path="/usr/bin") is None:
        lacking("no mpiexec: install mpich")
    # longer than the half minute after which the server is asked for the job
    words = ("--library", small_smi, "--max-training-count", 16, *slow(tmp_path, 5))
    servers = {name: Pbs(tmp_path / name, **settings) for name, settings in HISTORY.items()}
    processes = [
        start("run", *words, "--run-dir", f"run-{name}", *words_of(*SITE), extra=pbs.environment)
        for name, pbs in servers.items()
    ]
    for process in processes:
        finish(process)
    for name, pbs in servers.items():
        assert pbs.n_jobs() == 1
        wait_until(pbs, 1, "F")
        assert len(values(tmp_path / f"run-{name}")) == 16


def config(tmp_path, seconds):
    slow(tmp_path, seconds)
    path = tmp_path / "mine.toml"
    path.write_text(
        f'[library]\nsource = "{tmp_path}/small.smi"\n'
        '[property]\nsimulator = "mine:simulate"\nname = "length"\nunit = "letters"\n'
        "[campaign]\nmax_training_count = 22\n"
    )
    return path


def stop(processes):
    for one in processes:
        with suppress(psutil.Error):
            one.suspend()


@pytest.mark.parametrize(("pbs", "workers_hang"), [("off", True), ("on", False)], indirect=["pbs"])
def test_a_job_that_is_deleted_stores_its_end_and_the_chain_goes_on(
    pbs, on_pbs, small_smi, tmp_path, workers_hang
):
    shutil.copy(small_smi, tmp_path / "small.smi")
    process = on_pbs("submit", config(tmp_path, 1), "--run-dir", "run", "--chain", 3,
                     *words_of(*SITE))  # fmt: skip
    finish(process)
    wait_for(has_values(tmp_path / "run", 4), 90, "four values")
    if workers_hang:
        session = int((pbs.job(1) / "session").read_text())
        stop(one for one in psutil.Process(session).children(recursive=True)
             if POOL.search(" ".join(one.cmdline())))  # fmt: skip
    assert pbs.call("qdel", "1.stand-in")[0] == 0
    began_s = time.monotonic()
    wait_for(lambda: ended_by(tmp_path / "run") == "SIGTERM", 30, "the end that is stored")
    assert time.monotonic() - began_s < 5
    wait_until(pbs, 1, "F")
    log_of_first = (tmp_path / "run" / "job.log").read_text()
    wait_for(lambda: ended(tmp_path / "run"), 120, "the chain")
    for number in (1, 2, 3):
        wait_until(pbs, number, "F")
    # it was not killed before it had said all
    assert f"`molloop resume {tmp_path / 'run'}` goes on." in log_of_first
    assert (pbs.job(1) / "code").read_text() == "271"
    assert (pbs.job(2) / "code").read_text() == "0"
    assert not (pbs.job(3) / "session").exists()  # not needed any more
    assert len(values(tmp_path / "run")) == 22
    assert sum(isinstance(one, Resumed) for one in read(tmp_path / "run")[0]) == 1
    log = (tmp_path / "run" / "job.log").read_text()
    assert "what is being simulated has 3 s. The scheduler ends this job." in log
    assert "Traceback" not in log


def test_the_doctor_says_whether_there_is_a_history(pbs, keeps_history, on_pbs):
    process = on_pbs("doctor", *words_of(*SITE))
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stdout + stderr
    expected = "on" if keeps_history else "off"
    assert re.search(rf"ok    PBS server: job_history_enable is {expected}", stdout)
