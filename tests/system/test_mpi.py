"""The Polaris way: mpiexec of MPICH starts the workers, a stand-in for PBS runs the script.

PBS itself and Polaris's mpiexec are not run: the stand-ins take their options.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from helpers import ended, ended_by, finish, has_values, read, slow, values, wait_for, words_of
from private_pbs import install
from private_slurm import SYSTEM_PATH

from molloop.campaign.events import Lost

HERE = Path(__file__).parent
# Polaris's spelling of what MPICH spells otherwise, or has no word for
PALS = """#!/bin/bash
words=()
lets_others_go_on=
while [ $# -gt 0 ]; do
    case $1 in
        --cpu-bind) shift 2 ;;
        --depth=*) shift ;;
        --no-abort-on-failure) lets_others_go_on=yes; shift ;;
        --ppn) words+=(-ppn "$2"); shift 2 ;;
        *) words+=("$1"); shift ;;
    esac
done
echo "${words[@]}" >> "$PBS_STAND_IN/mpiexec-words"
[ "$lets_others_go_on" ] || { echo "one rank that fails would end all" >&2; exit 1; }
exec /usr/bin/mpiexec "${words[@]}"
"""
SITE = (
    "site.name=polaris", "site.account=me", "site.queue=debug", "site.interface=lo",
    "site.nodes=2", "site.workers=1",
)  # fmt: skip


@pytest.fixture
def polaris(tmp_path, lacking, start):
    """Start the command on what looks like Polaris."""
    if shutil.which("mpiexec", path="/usr/bin") is None:
        lacking("no mpiexec: install mpich")
    folder = tmp_path / "polaris"
    extra = install(folder)
    (folder / "mpiexec").write_text(PALS)
    (folder / "mpiexec").chmod(0o755)

    def begin(*words, **more):
        return start(*words, extra=extra | more)

    begin.folder, begin.environment = folder, extra
    return begin


def test_the_same_values_from_outside_and_within_a_job(start, polaris, small_smi, tmp_path):
    plain = ("--library", small_smi, "--schedule", "batch", "--max-training-count", 20)
    finish(start("run", *plain, "--run-dir", "local", "--workers", 2))
    expected = [(one.molecule_id, one.batch) for one in read(tmp_path / "local")[1]]
    finish(polaris("run", *plain, "--run-dir", "outside", *words_of(*SITE)))
    config = tmp_path / "mine.toml"
    config.write_text(
        f'[library]\nsource = "{small_smi}"\n'
        '[campaign]\nschedule = "batch"\nmax_training_count = 20\n'
    )
    finish(polaris("submit", config, "--run-dir", "within", "--chain", 3, *words_of(*SITE)))
    wait_for(lambda: ended(tmp_path / "within"), 120, "the job")
    assert not list(tmp_path.glob("*.nodes"))  # nothing beside the user's own files
    for name in ("outside", "within"):
        assert [(one.molecule_id, one.batch) for one in read(tmp_path / name)[1]] == expected
        assert values(tmp_path / name) == pytest.approx(values(tmp_path / "local"), abs=1e-6)
        assert len({one.worker for one in read(tmp_path / name)[1]}) == 2
    words = (tmp_path / "polaris" / "mpiexec-words").read_text()
    assert "-ppn 1 -n 2" in words
    # the others of the chain were not needed
    for name in ("job-3", "job-4"):
        other = tmp_path / "polaris" / name
        wait_for(lambda other=other: (other / "state").read_text() == "F", 30, name)
        assert not (other / "session").exists()


@pytest.fixture
def with_bond0(lacking):
    """A network namespace in which the network of Polaris's name is."""
    name, ip = f"mlp{os.getpid()}", shutil.which("ip", path=SYSTEM_PATH) or "ip"
    try:
        for words in (
            ("netns", "add", name),
            ("-n", name, "link", "set", "lo", "up"),
            ("-n", name, "link", "add", "bond0", "type", "veth"),
            ("-n", name, "address", "add", "10.78.0.1/24", "dev", "bond0"),
            ("-n", name, "link", "set", "bond0", "up"),
        ):
            subprocess.run([ip, *words], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        lacking(f"no network namespaces ({error})")
    yield [ip, "netns", "exec", name]
    subprocess.run([ip, "netns", "del", name], check=False)


def test_a_pool_that_is_killed_leaves_the_other_of_its_job(polaris, small_smi, tmp_path):
    process = polaris("run", "--library", small_smi, "--max-training-count", 22, "--run-dir", "run",
                      *slow(tmp_path, 1), *words_of(*SITE))  # fmt: skip
    wait_for(has_values(tmp_path / "run", 6), 60, "six values")
    pools = [
        one for one in psutil.process_iter(["cmdline"])
        if "molloop.execution.parsl_inside.pool" in (words := one.info["cmdline"] or ())
        and any(str(tmp_path) in word for word in words)
    ]  # fmt: skip
    assert len(pools) == 2
    pools[0].kill()
    finish(process)
    events, simulated = read(tmp_path / "run")
    assert len(values(tmp_path / "run")) == 22
    assert any(isinstance(one, Lost) for one in events)
    # the job is the first one still, and so is a worker of it
    assert len(list(polaris.folder.glob("job-*"))) == 1
    [last] = {one.worker for one in simulated[-3:]}
    assert last in {one.worker for one in simulated[:6]}


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGHUP])
@pytest.mark.usefixtures("terminal")
def test_an_allocation_that_waits_is_given_back(polaris, small_smi, tmp_path, ending):
    full = {"PBS_STAND_IN_FULL": "1", "PBS_STAND_IN_LIMIT": "1"}
    # of two allocations the queue refuses the second: that is no reason to end
    site = words_of(*SITE, "site.blocks=2", "campaign.grace_s=0.0")
    process = polaris("run", "--library", small_smi, "--run-dir", "run", *site, **full)
    job = polaris.folder / "job-1"
    wait_for((job / "state").exists, 60, "a job")
    time.sleep(5.0)
    assert process.poll() is None
    process.send_signal(ending)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + ending, stderr
    wait_for(lambda: (job / "state").read_text() == "F", 10, "the job's end")
    assert ended_by(tmp_path / "run") == signal.Signals(ending).name
    assert len(list(polaris.folder.glob("job-*"))) == 1


def test_the_tutorial_s_scripts_as_readme_types_them(polaris, with_bond0, tmp_path, environment):
    shutil.copytree(HERE.parents[1] / "examples", tmp_path / "examples")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for name in ("module", "conda"):
        (polaris.folder / name).write_text("#!/bin/bash\n")
        (polaris.folder / name).chmod(0o755)
    nodes = tmp_path / "nodes"
    nodes.write_text("x1\nx2\n")

    def call(text, **extra):
        done = subprocess.run(
            [*with_bond0, "bash", "-c", text],
            env=environment | polaris.environment | extra,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    interactive = "source examples/0_activate_env.sh\npython examples/1_run_simulation.py polaris"
    assert "18.29" in call(interactive, PBS_NODEFILE=str(nodes), PBS_JOBID="1")
    assert call("qsub -A PROJECT examples/4_submit_multinode.sh") == "1.stand-in\n"
    job = polaris.folder / "job-1"
    wait_for(lambda: (job / "state").read_text() == "F", 300, "the job")
    assert (job / "code").read_text() == "0", (job / "output").read_text()
    assert (tmp_path / "runs" / "examples" / "parsl_ml_in_the_loop.png").stat().st_size > 10_000
    assert "-n 2" in (polaris.folder / "mpiexec-words").read_text()
