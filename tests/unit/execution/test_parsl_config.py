"""Sites, by what Parsl is told; that it works is tested with schedulers."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from math import inf
from types import SimpleNamespace

import pytest
from parsl.jobs.states import JobState, JobStatus
from parsl.launchers import MpiExecLauncher, SrunLauncher
from parsl.providers import LocalProvider, PBSProProvider, SlurmProvider
from parsl.providers.errors import SubmitException

from molloop.assembly.site import site_of
from molloop.config.load import load, revise
from molloop.config.site import seconds_of
from molloop.config.site_file import SITES
from molloop.errors import InputError
from molloop.execution import allocation, providers, schedulers
from molloop.execution import parsl_config as configuration
from molloop.execution.allocation import current_allocation
from molloop.execution.parsl_config import (
    address_of,
    count_workers,
    drain_period_s,
    parsl_config,
)
from molloop.execution.parsl_inside import jobs, kernels, paced
from molloop.execution.schedulers import PASSED_ON
from molloop.execution.site import Site


def config_of(tmp_path, **site):
    settings = load(None, (), {f"site.{key}": one for key, one in site.items()})
    return parsl_config(site_of(settings.site), tmp_path)


@pytest.fixture(autouse=True)
def outside(monkeypatch):
    of_jobs = ("PBS_NODEFILE", "PBS_JOBID", "NCPUS", "SLURM_JOB_NODELIST", "SLURM_JOB_NUM_NODES")
    for name in (*of_jobs, *PASSED_ON):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def in_slurm(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_NODELIST", "n[1-3]")
    monkeypatch.setenv("SLURM_JOB_NUM_NODES", "3")
    monkeypatch.setenv("SLURM_JOB_ID", "17")


@pytest.fixture
def in_pbs(monkeypatch, tmp_path):
    nodes = tmp_path / "nodes"
    nodes.write_text("x1\nx1\nx2\n")
    monkeypatch.setenv("PBS_NODEFILE", str(nodes))


def test_no_job():
    assert current_allocation() is None


@pytest.mark.usefixtures("in_slurm")
def test_a_job_of_slurm():
    found = current_allocation()
    assert (found.scheduler, found.job, found.nodes) == ("slurm", "17", 3)


@pytest.mark.usefixtures("in_pbs")
def test_a_job_of_pbs_names_a_node_for_each_of_its_slots():
    found = current_allocation()
    assert (found.scheduler, found.nodes) == ("pbs", 2)


@pytest.mark.parametrize(
    ("lines", "nodes"),
    [
        ("x1\nx2\n", 2),  # select=2:ncpus=4: a line a chunk
        (4 * "x1\n" + 4 * "x2\n", 2),  # with mpiprocs=4: one a process
        ("x1\nx1\n", 1),  # both chunks on one host
        ("x1.domain\nx2.domain\nx1.domain\n", 2),
    ],
)
def test_nodes_are_counted_and_not_lines(tmp_path, lines, nodes):
    (tmp_path / "nodes").write_text(lines)
    assert current_allocation({"PBS_NODEFILE": str(tmp_path / "nodes")}).nodes == nodes


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, inf),
        ({"PBS_NODEFILE": "nodes"}, 3.0),  # of 10 until SIGKILL
        ({"SLURM_JOB_NODELIST": "n1"}, 4.0),  # of 30
    ],
)
def test_the_grace_that_a_scheduler_leaves(environment, expected):
    assert allocation.last_grace_s(environment) == expected


def test_a_job_whose_nodes_cannot_be_read_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PBS_NODEFILE", str(tmp_path / "none"))
    with pytest.raises(InputError, match="PBS_NODEFILE"):
        current_allocation()


def test_this_machine_listens_to_itself_alone(tmp_path):
    config = config_of(tmp_path, workers=3)
    [executor] = config.executors
    assert isinstance(executor.provider, LocalProvider)
    assert executor.address == "127.0.0.1"
    assert executor.encrypted
    assert count_workers(config) == 3


@pytest.mark.usefixtures("in_slurm")
@pytest.mark.parametrize(("nodes", "expected"), [(None, 3), (2, 2)])
def test_within_a_job_its_nodes_are_used(tmp_path, nodes, expected):
    config = config_of(tmp_path, name="slurm", workers=4, nodes=nodes)
    provider = config.executors[0].provider
    assert isinstance(provider, LocalProvider)
    assert isinstance(provider.launcher, SrunLauncher)
    assert f"--nodes={expected} --ntasks-per-node=1" in provider.launcher.overrides
    assert count_workers(config) == 4 * expected


@pytest.mark.usefixtures("in_slurm")
def test_more_nodes_than_the_job_has_are_told(tmp_path):
    with pytest.raises(InputError, match="3, of this job"):
        config_of(tmp_path, name="slurm", nodes=4)


@pytest.mark.usefixtures("in_pbs")
def test_a_site_of_another_scheduler_is_told(tmp_path):
    with pytest.raises(InputError, match="a site with pbs"):
        config_of(tmp_path, name="slurm")


@pytest.mark.usefixtures("in_pbs")
def test_mpiexec_starts_a_pool_on_each_node(tmp_path):
    config = config_of(tmp_path, name="pbs", workers=2)
    launcher = config.executors[0].provider.launcher
    assert isinstance(launcher, MpiExecLauncher)
    assert "mpiexec --bind-to none -ppn 1 -n $WORKERCOUNT" in launcher("pool", 1, 2)
    assert count_workers(config) == 4


def test_slurm_is_asked_for_nodes(tmp_path):
    config = config_of(
        tmp_path, name="slurm", workers=8, nodes=2, blocks=3, queue="long", account="me",
        walltime="2:00:00",
    )  # fmt: skip
    [executor] = config.executors
    provider = executor.provider
    assert isinstance(provider, SlurmProvider)
    assert (provider.nodes_per_block, provider.init_blocks, provider.max_blocks) == (2, 3, 3)
    for line in ("--partition=long", "--account=me", "--no-kill", "--no-requeue", "--mem=0"):
        assert f"#SBATCH {line}" in provider.scheduler_options
    assert provider.walltime == "2:00:00"
    assert provider.status_polling_interval >= 30
    assert executor.drain_period == 7200 - 120
    assert count_workers(config) == 48


def test_the_cores_of_a_cluster_s_nodes_are_asked_for(tmp_path):
    with pytest.raises(InputError, match=r"site\.workers"):
        config_of(tmp_path, name="slurm")


@pytest.mark.parametrize("missing", ["account", "queue"])
def test_what_a_named_site_needs_is_told(tmp_path, monkeypatch, missing):
    monkeypatch.setattr("molloop.execution.parsl_config.address_of", lambda _: "10.0.0.1")
    given = {"account": "me", "queue": "debug"}
    with pytest.raises(InputError, match=f"site.{missing}"):
        config_of(tmp_path, name="polaris", **(given | {missing: None}))


def test_polaris_as_its_guide_has_it(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "molloop.execution.parsl_config.address_of", lambda name: asked.append(name) or "::1"
    )
    config = config_of(tmp_path, name="polaris", account="me", queue="debug", nodes=2)
    provider = config.executors[0].provider
    assert isinstance(provider, PBSProProvider)
    assert asked == ["bond0"]
    lines = ["#PBS -l place=scatter:excl", "#PBS -l filesystems=home:eagle"]
    assert provider.scheduler_options.splitlines() == lines
    assert (provider.cpus_per_node, provider.select_options) == (64, "ngpus=4")
    assert (
        "mpiexec --cpu-bind none --ppn 1 --depth=64 --no-abort-on-failure -n"
        in provider.launcher("pool", 1, 2)
    )
    assert provider.worker_init.splitlines()[1:] == ["export TMPDIR=/tmp"]
    assert count_workers(config) == 64


def test_perlmutter_as_its_guide_has_it(tmp_path, monkeypatch):
    monkeypatch.setattr("molloop.execution.parsl_config.address_of", lambda _: "::1")
    config = config_of(tmp_path, name="perlmutter", account="me", queue="debug")
    provider = config.executors[0].provider
    assert "#SBATCH --qos=debug" in provider.scheduler_options
    assert "#SBATCH --constraint=cpu" in provider.scheduler_options
    assert "partition" not in provider.scheduler_options
    assert count_workers(config) == 128


def test_every_named_site_says_where_its_facts_are_from():
    for name, facts in SITES.items():
        assert facts.summary
        assert bool(facts.source) == (name not in ("local", "slurm", "pbs"))


def test_a_network_by_its_name():
    assert address_of("lo") == "127.0.0.1"
    assert address_of(None).count(".") == 3
    with pytest.raises(InputError, match=r"one of .*lo"):
        address_of("none0")


OWN = """
import parsl
from parsl.executors import HighThroughputExecutor, MPIExecutor, ThreadPoolExecutor
from parsl.launchers import SimpleLauncher
from parsl.providers import LocalProvider

def mine():
    two = LocalProvider(max_blocks=2)
    return parsl.Config([HighThroughputExecutor("a", two, address="::1", max_workers_per_node=3)])
def threads():
    return parsl.Config([ThreadPoolExecutor()])
def unbounded():
    return parsl.Config([HighThroughputExecutor("a", address="127.0.0.1")])
def broken():
    raise OSError("no such node")
def of_mpi():
    provider = LocalProvider(launcher=SimpleLauncher())
    own = {"address": "::1", "max_workers_per_block": 1, "encrypted": True}
    return parsl.Config([MPIExecutor(label="a", provider=provider, **own)])
def open_to_all():
    executor = HighThroughputExecutor("a", address="::1", max_workers_per_node=1, encrypted=False)
    return parsl.Config([executor])
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_site.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("own_site", None)


@pytest.mark.usefixtures("own")
def test_a_configuration_of_one_s_own(tmp_path):
    config = config_of(tmp_path, name="own_site:mine")
    assert config.run_dir == str(tmp_path)
    assert count_workers(config) == 6


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("own_site:threads", "one HighThroughputExecutor"),
        ("own_site:unbounded", "max_workers_per_node"),
        ("own_site:broken", "no such node"),
        ("own_site:none", "PYTHONPATH"),
        ("own_site:open_to_all", "encrypted"),
        ("own_site:of_mpi", "not an MPIExecutor"),
        ("no_module:mine", "PYTHONPATH"),
    ],
)
def test_one_that_cannot_be_used_is_told(tmp_path, name, words):
    with pytest.raises(InputError, match=words):
        config_of(tmp_path, name=name)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("name", "moon"), ("name", "a:b c"), ("walltime", "30"), ("walltime", "1:60:00"),
     ("walltime", "0:00:30"), ("cpu_affinity", "some"), ("blocks", 0)],
)  # fmt: skip
def test_what_is_no_setting_is_told(tmp_path, setting, value):
    with pytest.raises(InputError, match=f"site.{setting}"):
        config_of(tmp_path, **{setting: value})


def test_another_site_leaves_nothing_of_the_one_before():
    settings = load(None, ["site.name=polaris", "site.interface=bond0", "site.workers=8"])
    assert revise(settings, ["site.name=slurm"]).site.interface is None
    kept = revise(settings, ["site.name=polaris", "site.workers=4"]).site
    assert (kept.interface, kept.workers) == ("bond0", 4)


def test_a_walltime_in_seconds():
    assert seconds_of("1:02:03") == 3723


def test_cores_of_a_job_s_nodes(monkeypatch, tmp_path):
    monkeypatch.setenv("SLURM_JOB_NODELIST", "n[1-3]")
    monkeypatch.setenv("SLURM_JOB_CPUS_PER_NODE", "64(x2),32")
    assert current_allocation().cpus == 32
    # two hardware threads a core
    monkeypatch.setattr(allocation.psutil, "cpu_count", lambda logical=True: 8 if logical else 4)
    config = config_of(tmp_path, name="slurm")
    assert config.executors[0].max_workers_per_node == 16
    # in a shell that salloc has started, Slurm's variable for it is not there
    assert "--cpus-per-task=32 " in config.executors[0].provider.launcher.overrides


@pytest.mark.parametrize(("cpus", "workers"), [("128", 64), ("64", 64), ("48(x2),128", 48)])
@pytest.mark.usefixtures("in_slurm")
def test_a_cluster_counts_hardware_threads_or_cores(tmp_path, monkeypatch, cpus, workers):
    monkeypatch.setenv("SLURM_JOB_CPUS_PER_NODE", cpus)
    monkeypatch.setattr(allocation.psutil, "cpu_count", lambda logical=True: 128 if logical else 64)
    config = config_of(tmp_path, name="slurm")
    assert config.executors[0].max_workers_per_node == workers


@pytest.mark.parametrize(("worker_cores", "n"), [(1, 8), (3, 2), (9, 1)])
@pytest.mark.parametrize("name", ["slurm", "local"])
@pytest.mark.usefixtures("in_slurm")
def test_workers_of_several_cores_are_fewer(tmp_path, monkeypatch, name, worker_cores, n):
    monkeypatch.setenv("SLURM_JOB_CPUS_PER_NODE", "8")
    monkeypatch.setattr(allocation.psutil, "cpu_count", lambda **_: 8)
    monkeypatch.setattr(allocation, "available_cores", lambda: 8)
    site = site_of(load(site={"name": name}).site, worker_cores)
    assert parsl_config(site, tmp_path).executors[0].max_workers_per_node == n


def test_workers_that_are_asked_for_stay_whatever_their_cores(tmp_path):
    given = load(site={"name": "pbs", "workers": 3, "account": "a", "queue": "q"}).site
    [executor] = parsl_config(site_of(given, 4), tmp_path).executors
    assert executor.max_workers_per_node == 3
    assert executor.provider.cpus_per_node == 12


@pytest.mark.parametrize("cpus", ["32(x2),16", "16", "64,16(x3)", "16(x4)"])
def test_a_block_s_pools_take_what_each_node_has(cpus):
    words = ["bash", "-c", f"echo {providers.LEAST_CPUS}"]
    told = subprocess.run(
        words, env={"SLURM_JOB_CPUS_PER_NODE": cpus, "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout == "16\n"


def test_the_address_is_no_bridge_s(monkeypatch):
    one = SimpleNamespace(family=socket.AF_INET, address="172.17.0.1")
    other = SimpleNamespace(family=socket.AF_INET, address="10.1.2.3")
    found = {"docker0": [one], "eth0": [other]}
    monkeypatch.setattr(configuration.psutil, "net_if_addrs", lambda: found)
    monkeypatch.setattr(configuration.socket, "gethostbyname", lambda _: "127.0.1.1")
    monkeypatch.setattr(configuration, "_routed", lambda: "10.1.2.3")
    assert address_of(None) == "10.1.2.3"
    monkeypatch.setattr(configuration, "_routed", lambda: "")
    assert address_of(None) == "172.17.0.1"


def test_an_allocation_too_short_to_use_is_told(tmp_path):
    with pytest.raises(InputError, match=r"site\.walltime.*5 minutes"):
        config_of(tmp_path, name="slurm", workers=2, walltime="0:04:59")


def test_what_the_user_asks_for_replaces_what_the_site_fixes(tmp_path, monkeypatch):
    monkeypatch.setattr("molloop.execution.parsl_config.address_of", lambda _: "::1")
    mine = ["#PBS -l filesystems=home:flare", "#PBS -m n"]
    config = config_of(tmp_path, name="polaris", account="me", queue="debug", directives=mine)
    options = config.executors[0].provider.scheduler_options
    assert "home:eagle" not in options
    assert options.endswith("\n".join(mine))


def test_a_job_gets_what_pbs_does_not_pass_on(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/my own")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    config = config_of(tmp_path, name="slurm", workers=2)
    lines = config.executors[0].provider.worker_init.splitlines()
    # since when the scheduler counts, and the user's
    assert list(filter(None, lines)) == [
        "export MOLLOOP_JOB_BEGAN_S=$(date +%s)",
        "export PYTHONPATH='/my own'",
    ]


class Answers:
    """A scheduler's command line: what its commands print, one after the other."""

    def __init__(self, monkeypatch, provider, *answers):
        self.asked = []
        self.answers = iter(answers)
        monkeypatch.setattr(provider, "execute_wait", self)

    def __call__(self, command, *_):
        self.asked.append(command)
        return next(self.answers)


def known(folder, job, state):
    paths = {f"job_{name}_path": f"{folder}/{job}.{name}" for name in ("stdout", "stderr")}
    return {"status": JobStatus(state), **paths}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Slurm with accounting, and three jobs: one waits, one runs, one has failed."""
    monkeypatch.setattr(
        "molloop.execution.parsl_inside.paced.SlurmProvider.execute_wait", lambda *_: (0, "", "")
    )
    provider = config_of(tmp_path, name="slurm", workers=2).executors[0].provider
    for job, state in (("1", "PENDING"), ("2", "RUNNING"), ("3", "FAILED")):
        provider.resources[job] = known(tmp_path, job, JobState[state])
    return provider


def states(provider):
    return [one["status"].state.name for one in provider.resources.values()]


def test_a_job_that_accounting_does_not_list_yet_still_waits(slurm, monkeypatch):
    asked = Answers(monkeypatch, slurm, (0, "2 RUNNING\n", ""), (0, "2 COMPLETED\n", ""))
    slurm._status()
    assert states(slurm) == ["PENDING", "RUNNING", "FAILED"]
    monkeypatch.setattr(paced, "LISTED_S", 0.0)
    slurm._status()  # it was asked just now
    assert states(slurm) == ["PENDING", "RUNNING", "FAILED"]
    monkeypatch.setattr(paced, "SCHEDULER_POLL_S", 0)
    slurm._status()
    assert states(slurm) == ["FAILED", "COMPLETED", "FAILED"]
    assert "3" not in asked.asked[0].partition("--job")[2]


def test_a_job_that_squeue_does_not_list_has_ended(slurm, monkeypatch):
    slurm._cmd = slurm._cmd.replace("sacct", "squeue")
    Answers(monkeypatch, slurm, (0, "2 RUNNING\n", ""))
    slurm._status()
    assert states(slurm) == ["FAILED", "RUNNING", "FAILED"]


def command(monkeypatch, folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.fixture
def pbs(tmp_path):
    provider = config_of(tmp_path, name="pbs", workers=2).executors[0].provider
    for job in ("1.server", "2.server"):
        provider.resources[job] = known(tmp_path, job, JobState.RUNNING)
    return provider


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("[ $4 = 1.server ] && { echo 'qstat: Unknown Job Id 1.server' >&2; exit 153; }; "
         "echo '{\"Jobs\": {\"2.server\": {\"job_state\": \"R\"}}}'", ["COMPLETED", "RUNNING"]),
        ("echo 'qstat: Unknown Job Id' >&2; exit 153", ["COMPLETED", "FAILED"]),
        ("echo 'qstat: cannot connect to server' >&2; exit 15", ["RUNNING", "RUNNING"]),
        ("echo '{\"Jobs\": {\"comment\": \"\\e\"}}'", ["RUNNING", "RUNNING"]),  # no JSON
    ],
)  # fmt: skip
def test_a_job_that_pbs_has_forgotten_has_ended(pbs, monkeypatch, tmp_path, answer, expected):
    (tmp_path / "1.server.exit").write_text("0\n")  # of its script; the second has left none
    command(monkeypatch, tmp_path, "qstat", answer)
    pbs._status()
    assert states(pbs) == expected


def test_a_job_of_pbs_has_time_to_appear_unless_its_script_has_ended(pbs, monkeypatch, tmp_path):
    for one in pbs.resources.values():
        one["status"] = JobStatus(JobState.PENDING)
    (tmp_path / "1.server.exit").write_text("9\n")
    command(monkeypatch, tmp_path, "qstat", "echo 'qstat: Unknown Job Id' >&2; exit 153")
    pbs._status()
    assert states(pbs) == ["FAILED", "PENDING"]
    assert pbs.resources["1.server"]["status"].message == "its script ended with 9"
    monkeypatch.setattr(paced, "LISTED_S", 0.0)
    monkeypatch.setattr(paced, "SCHEDULER_POLL_S", 0)
    pbs._status()
    assert states(pbs) == ["FAILED", "FAILED"]


@pytest.mark.parametrize(
    ("line", "is_ended", "code"),
    [("exit 3", False, "3"), ("true", False, "0"), ("sleep 30", True, "143")],
)
def test_a_script_notes_its_exit_code(pbs, tmp_path, line, is_ended, code):
    script, begun = tmp_path / "block", tmp_path / "begun"
    configs = {"worker_init": f"touch {begun}\n{line}"}
    pbs._write_submit_script("$worker_init\n", str(script), "block", configs)
    job = subprocess.Popen(["bash", script], start_new_session=True)
    while not begun.exists():
        time.sleep(0.01)
    if is_ended:
        os.killpg(job.pid, signal.SIGTERM)
    job.wait(10)
    assert (tmp_path / "block.exit").read_text() == f"{code}\n"


def test_jobs_that_had_ended_already_are_taken_back(pbs, monkeypatch, tmp_path):
    command(monkeypatch, tmp_path, "qdel", "echo 'qdel: Job has finished 2.server' >&2; exit 35")
    assert pbs.cancel(["1.server", "2.server"]) == [True, True]
    assert states(pbs) == ["CANCELLED", "CANCELLED"]
    assert jobs.cancellation(pbs) == ""


def test_only_jobs_that_are_left_are_named(pbs, monkeypatch, tmp_path):
    answer = "echo 'qdel: Unauthorized Request 2.server' >&2; exit 159"
    command(monkeypatch, tmp_path, "qdel", answer)
    assert pbs.cancel(["1.server", "2.server"]) == [True, False]
    assert jobs.cancellation(pbs) == "qdel 2.server"


def test_jobs_are_given_back_by_a_process_of_its_own(slurm, monkeypatch, tmp_path):
    command(monkeypatch, tmp_path, "scancel", f'echo "$@" > {tmp_path}/unfinished\n'
            f"mv {tmp_path}/unfinished {tmp_path}/called")  # fmt: skip
    # the third has ended
    assert jobs.cancel_without_waiting(slurm) == "scancel 1 2"
    until_s = time.monotonic() + 10
    while not (tmp_path / "called").exists() and time.monotonic() < until_s:
        time.sleep(0.01)
    assert (tmp_path / "called").read_text() == "1 2\n"
    slurm.resources.clear()
    assert jobs.cancel_without_waiting(slurm) == ""


def test_what_jobs_are_given_means_the_same_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "mine:/opt/theirs")
    assert schedulers.exports() == [f"export PYTHONPATH={tmp_path}/mine:/opt/theirs"]


def test_a_state_that_nobody_knows_says_nothing(slurm, monkeypatch):
    Answers(monkeypatch, slurm, (0, "1 PENDING\n2 REVOKING\n", ""))
    slurm._status()
    assert states(slurm) == ["PENDING", "RUNNING", "FAILED"]


def test_a_job_that_squeue_has_forgotten_has_ended(slurm, monkeypatch, tmp_path):
    slurm._cmd = slurm._cmd.replace("sacct", "squeue")
    command(monkeypatch, tmp_path, "squeue",
            "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1")  # fmt: skip
    slurm._status()
    assert states(slurm) == ["FAILED", "FAILED", "FAILED"]
    assert "neither the scheduler nor" in slurm.resources["2"]["status"].message


def test_a_job_that_is_held_is_waited_for(slurm, monkeypatch):
    Answers(monkeypatch, slurm, (0, "1 PENDING\n2 SUSPENDED\n", ""))
    slurm._status()
    assert states(slurm) == ["PENDING", "PENDING", "FAILED"]


def test_nothing_is_submitted_once_the_run_ends(slurm, monkeypatch):
    monkeypatch.setattr(SlurmProvider, "submit", lambda *_: "7")
    assert slurm.submit("pool", 1) == "7"
    paced.stop_asking(slurm)
    assert slurm.max_blocks == 0  # so Parsl asks for none, of any provider
    with pytest.raises(SubmitException, match="the run ends"):
        slurm.submit("pool", 1)  # and does not wait for half a minute


def test_nothing_is_submitted_after_a_run_that_has_asked_for_nothing(slurm):
    paced.stop_asking(slurm)
    with pytest.raises(SubmitException, match="the run ends"):
        slurm.submit("pool", 1)


class Clock:
    """Time that goes on only while somebody waits."""

    def __init__(self, monkeypatch, provider):
        self.now_s = 1000.0
        monkeypatch.setattr(paced.time, "monotonic", lambda: self.now_s)
        monkeypatch.setattr(provider.run_ends, "wait", self.wait)

    def wait(self, seconds):
        self.now_s += seconds


def test_blocks_that_end_at_once_are_not_replaced_at_once(slurm, monkeypatch):
    clock, asked_s = Clock(monkeypatch, slurm), []
    monkeypatch.setattr(SlurmProvider, "submit", lambda *_: asked_s.append(clock.now_s) or "7")
    for _ in range(3):
        slurm.submit("pool", 1)
    assert asked_s == [1000, 1030, 1060]


def test_a_scheduler_that_refuses_is_asked_ever_less_often(tmp_path, monkeypatch):
    slurm = config_of(tmp_path, name="slurm", workers=1, blocks=40).executors[0].provider
    clock, asked_s, refused = Clock(monkeypatch, slurm), [], {2, 3, 4, 5, 6, 7}

    def submit(*_):
        asked_s.append(clock.now_s - 1000)
        if len(asked_s) in refused:
            raise SubmitException("block", "QOSMaxSubmitJobPerUserLimit", 1)
        return "7"

    monkeypatch.setattr(SlurmProvider, "submit", submit)
    for _ in range(10):
        with suppress(SubmitException):
            slurm.submit("pool", 1)
    # one is taken, six are refused, then the scheduler has room again
    assert asked_s == [0, 0, 30, 90, 210, 450, 750, 1050, 1050, 1050]


def test_jobs_that_do_not_last_are_asked_for_ever_less_often(tmp_path, monkeypatch):
    slurm = config_of(tmp_path, name="slurm", workers=1, blocks=40).executors[0].provider
    clock, asked_s = Clock(monkeypatch, slurm), []

    def submit(*_):
        asked_s.append(clock.now_s - 1000)
        job = str(len(asked_s))
        slurm.resources[job] = {"status": JobStatus(JobState.PENDING)}
        return job

    def pass_job(job, seconds):
        for state in (JobState.RUNNING, JobState.COMPLETED):
            slurm.resources[job]["status"] = JobStatus(state)
            slurm._note_life(slurm.resources[job])
            clock.now_s += seconds if state is JobState.RUNNING else 0

    monkeypatch.setattr(SlurmProvider, "submit", submit)
    for seconds in (1, 1, 1, 70, 1):  # another block goes on all the while
        pass_job(slurm.submit("pool", 1), seconds)
    # a second after the others; the fourth lasts, so the fifth is asked for when it ends
    assert asked_s == [0, 30, 90, 210, 280]


def test_a_scheduler_that_does_not_answer_in_time_has_refused(slurm, monkeypatch):
    clock, asked_s = Clock(monkeypatch, slurm), []

    def submit(*_):
        asked_s.append(clock.now_s - 1000)
        raise subprocess.TimeoutExpired("sbatch", 120)

    monkeypatch.setattr(SlurmProvider, "submit", submit)
    for _ in range(3):
        with suppress(subprocess.TimeoutExpired):
            slurm.submit("pool", 1)
    assert asked_s == [0, 30, 90]


def test_a_scheduler_that_names_no_job_has_refused(pbs, monkeypatch):
    monkeypatch.setattr(PBSProProvider, "submit", lambda *_: None)
    with pytest.raises(SubmitException, match="named no job"):
        pbs.submit("pool", 1)


def test_a_user_s_directive_takes_the_place_of_molloop_s_own(tmp_path):
    given = ("#PBS -l place=scatter",)
    site = {"name": "pbs", "workers": 1, "directives": given}
    options = config_of(tmp_path, **site).executors[0].provider.scheduler_options
    assert options.splitlines() == list(given)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("account", "a; touch here #"),
        ("queue", "x y\n#PBS -l select=9"),
        ("directives", ["#SBATCH --mem=1\nrm -r x"]),
        ("directives", ["module load x"]),
        ("launcher_options", "-n 1\nreboot"),
    ],
)
def test_what_a_shell_would_read_otherwise_is_refused(tmp_path, key, value):
    with pytest.raises(InputError, match=f"site.{key}"):
        config_of(tmp_path, name="slurm", workers=1, **{key: value})


@pytest.mark.usefixtures("in_pbs")
def test_a_job_of_pbs_with_a_part_of_its_nodes_has_as_many_workers(tmp_path, monkeypatch):
    monkeypatch.setenv("NCPUS", "1")
    assert count_workers(config_of(tmp_path, name="pbs")) == 2  # one on each of two nodes


def test_allocations_that_are_not_taken_back_are_named(slurm, monkeypatch, caplog):
    Answers(monkeypatch, slurm, (1, "", "scancel: error: Unable to contact slurm controller"))
    executor = SimpleNamespace(provider=slurm)
    monkeypatch.setattr(kernels, "_executors", lambda _: [executor])
    kernels.stop(SimpleNamespace(cleanup_called=False, cleanup=lambda: None))
    assert "`scancel 1 2` does" in caplog.text


@pytest.mark.parametrize(
    ("walltime_s", "job_s", "drain_s"),
    [(3600, 0.1, 3480), (3600, 100.0, 3400), (180, 0.1, 90), (3600, 2500.0, 1800)],
)
def test_workers_begin_nothing_that_the_walltime_would_cut(walltime_s, job_s, drain_s):
    site = Site(scheduler="slurm", walltime_s=walltime_s, job_s=job_s)
    assert drain_period_s(site) == drain_s
