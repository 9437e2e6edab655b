"""Batch scripts, and schedulers that only note how they were called."""

import subprocess
from contextlib import closing

import pytest
from small_run import new_store

from molloop.assembly.site import batch_job
from molloop.campaign.events import Began, End, Stopped
from molloop.cli.site import submit as cli
from molloop.config.load import load
from molloop.errors import InputError, RunError
from molloop.execution.submit import submit
from molloop.store.records import Session
from molloop.store.run_dir import RunDir


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr("molloop.execution.submit.SETTLE_S", 0.0)


def job(folder, **site):
    settings = {f"site.{key}": one for key, one in site.items()}
    return batch_job(load(None, (), settings), folder)


def is_shell(script):
    return subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


def test_a_script_for_slurm(tmp_path):
    made = job(tmp_path / "run", name="slurm", nodes=3, walltime="0:30:00", queue="long",
               directives=["#SBATCH --mem=0"], worker_init="module load python")  # fmt: skip
    lines = made.script.splitlines()
    for line in ("nodes=3", "time=0:30:00", "partition=long", "no-kill", "no-requeue", "mem=0"):
        assert f"#SBATCH --{line}" in lines
    assert not any("--account" in line for line in lines)
    assert "module load python" in lines
    # 1800 s, less 120 and the 30 that running simulations have
    assert "left_s=$((1650 - SECONDS))" in lines
    # SIGTERM is the scheduler's, and cuts the grace
    assert "--signal=INT" in made.script
    assert "#SBATCH --mem=0" in lines
    assert is_shell(made.script)


def test_a_script_for_polaris(tmp_path):
    made = job(tmp_path / "run", name="polaris", nodes=2, account="me", queue="debug-scaling")
    lines = made.script.splitlines()
    for line in (
        "#PBS -l select=2:ncpus=64:ngpus=4",
        "#PBS -l walltime=1:00:00",
        "#PBS -A me",
        "#PBS -q debug-scaling",
        "#PBS -l filesystems=home:eagle",
        "export TMPDIR=/tmp",
    ):
        assert line in lines
    assert lines.index("#PBS -l filesystems=home:eagle") < lines.index("")
    assert is_shell(made.script)


# what the script would call: its own command is replaced by one that notes its words
def called(made, folder, code=0):
    note = f'printf "%s\\n" > {folder}/words "${{words[@]}}"; (exit {code})'
    start, end = made.script.index("timeout --foreground"), made.script.index("code=$?")
    script = f"{made.script[:start]}{note}\n{made.script[end:]}"
    done = subprocess.run(["bash", "-c", script], check=False, cwd=folder)
    words = folder / "words"
    found = words.read_text().splitlines() if words.exists() else []
    words.unlink(missing_ok=True)
    return done.returncode, found


def test_a_job_begins_a_run_or_goes_on_with_it(tmp_path):
    folder = tmp_path / "run"
    made = job(folder, name="slurm", nodes=2, worker_init="echo 'a b'")
    made.write()
    _, words = called(made, tmp_path)
    assert words[-4:] == ["run", str(folder / "job.toml"), "--run-dir", str(folder)]
    (folder / "campaign.sqlite").touch()
    _, words = called(made, tmp_path)
    assert words[words.index("resume") + 1] == str(folder)
    given = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    settings = load(None, given)
    assert (settings.site.nodes, settings.site.worker_init) == (2, "echo 'a b'")
    assert settings.site == load(folder / "job.toml").site
    assert settings.campaign.grace_s == load().campaign.grace_s


@pytest.mark.parametrize(("code", "goes_on"), [(143, True), (137, True), (1, False), (2, False)])
def test_a_job_s_own_failure_ends_the_chain(tmp_path, code, goes_on):
    made = job(tmp_path / "run", name="slurm")
    made.write()
    assert called(made, tmp_path, code)[0] == code
    again, words = called(made, tmp_path)
    assert again == 0
    assert bool(words) == goes_on
    assert ("An earlier job has failed" in (tmp_path / "run" / "job.log").read_text()) != goes_on


def test_a_job_beside_another_of_its_run_leaves_it_and_the_chain_goes_on(tmp_path):
    made = job(tmp_path / "run", name="slurm")
    made.write()
    with closing(RunDir(tmp_path / "run")):
        code, _ = called(made, tmp_path, 2)  # as `resume` ends where another process has the run
    assert code == 75  # afternotok lets the next one begin
    log = (tmp_path / "run" / "job.log").read_text()
    assert log == "Another job has this run: this one leaves it and ends; the next may go on.\n"
    assert called(made, tmp_path)[1]


@pytest.mark.parametrize(
    ("end", "code", "goes_on"),
    [
        (End.BROKEN, 1, True),
        (End.FAILED, 1, False),
        (End.INTERRUPTED, 143, True),
        (End.INTERRUPTED, 2, False),  # a setting is wrong that it would go on with
    ],
)
def test_a_run_that_broke_goes_on_in_the_next_job(tmp_path, end, code, goes_on):
    made = job(tmp_path / "run", name="slurm")
    made.write()
    with closing(new_store(tmp_path / "run")) as store:
        store.append(1.0, [Began(10, 0), Stopped("it did", end)])
    assert called(made, tmp_path, code)[0] == code
    assert bool(called(made, tmp_path)[1]) == goes_on


def test_a_job_whose_time_is_over_before_the_run_begins_leaves_it_to_the_next(tmp_path):
    made = job(tmp_path / "run", name="slurm", worker_init="SECONDS=99999")
    made.write()
    assert called(made, tmp_path) == (143, [])


def test_a_run_directory_that_no_run_takes_is_told_before_it_is_queued(tmp_path):
    with pytest.raises(InputError, match="run directory"):
        job(tmp_path / "my 'run'", name="slurm")


@pytest.mark.parametrize("name", ["local", "mine:site"])
def test_a_site_without_a_scheduler_is_told(tmp_path, name):
    with pytest.raises(InputError, match="slurm"):
        job(tmp_path, name=name)


def test_a_job_that_is_too_short_is_told(tmp_path):
    with pytest.raises(InputError, match="more than 150 s"):
        job(tmp_path, name="slurm", walltime="0:01:30")


@pytest.fixture
def scheduler(tmp_path, monkeypatch):
    """Commands that note their words and answer with the next number."""

    def begin(name, text):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / name
        noted = f'echo "$@" >> {tmp_path}/called\n' if name in ("qsub", "sbatch") else ""
        path.write_text(f"#!/bin/bash\n{noted}{text}\n")
        path.chmod(0o700)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    begin("squeue", "exit 1")
    return begin


def test_a_chain_of_jobs_in_slurm(tmp_path, scheduler):
    scheduler("sbatch", f"wc -l < {tmp_path}/called")
    assert submit(job(tmp_path / "run", name="slurm"), 3) == ["1", "2", "3"]
    lines = (tmp_path / "called").read_text().splitlines()
    script = tmp_path / "run" / "job.sh"
    after = "--dependency=afternotok:{} --kill-on-invalid-dep=yes"
    assert lines == [
        f"--parsable {script}",
        f"--parsable {after.format(1)} {script}",
        f"--parsable {after.format('1:2')} {script}",
    ]


def test_a_chain_of_jobs_in_pbs(tmp_path, scheduler):
    scheduler("qsub", f'echo "$(wc -l < {tmp_path}/called).polaris-pbs-01"')
    found = submit(job(tmp_path / "run", name="polaris", account="me", queue="debug"), 2)
    assert found == ["1.polaris-pbs-01", "2.polaris-pbs-01"]
    assert "-W depend=afternotok:1.polaris-pbs-01" in (tmp_path / "called").read_text()


GONE = "echo 'qstat: Unknown Job Id 2.s' >&2; exit 153"
ABORTED = (
    'case $* in *-x*) echo \'{"Jobs": {"2.s": {"job_state": "F"}}}\' ;;'
    " *) echo 'qstat: 2.s Job has finished, use -x' >&2; exit 35 ;; esac"
)


@pytest.mark.parametrize("answer", [GONE, ABORTED])
def test_a_job_of_a_chain_that_pbs_drops_at_once_is_told(tmp_path, scheduler, answer):
    scheduler("qsub", f'echo "$(wc -l < {tmp_path}/called).s"')
    scheduler("qstat", answer)
    with pytest.raises(
        RunError, match=r"took 2\.s of the 2 jobs 1\.s, 2\.s and has dropped.*--run-dir"
    ):
        submit(job(tmp_path / "run", name="polaris", account="me", queue="debug"), 2)


@pytest.mark.parametrize(
    "answer",
    [
        'echo \'{"Jobs": {"2.s": {"job_state": "H"}}}\'',
        "echo 'qstat: cannot connect to server s (errno=111)' >&2; exit 255",
        # it has begun, and failed: its log says more
        'echo \'{"Jobs": {"2.s": {"job_state": "F", "Exit_status": 1}}}\'',
    ],
)
def test_a_job_of_a_chain_that_was_not_dropped(tmp_path, scheduler, answer):
    scheduler("qsub", f'echo "$(wc -l < {tmp_path}/called).s"')
    scheduler("qstat", answer)
    polaris = job(tmp_path / "run", name="polaris", account="me", queue="debug")
    assert submit(polaris, 2) == ["1.s", "2.s"]


def test_a_job_of_a_chain_that_slurm_cancels_is_told(tmp_path, scheduler):
    scheduler("sbatch", f"wc -l < {tmp_path}/called")
    scheduler("squeue", "echo 2 CANCELLED; echo 3 PENDING")
    with pytest.raises(RunError, match="took 2 of the 3 jobs 1, 2, 3"):
        submit(job(tmp_path / "run", name="slurm"), 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [("echo 'no such partition' >&2; exit 1", "no such partition"), ("true", "names no job")],
)
def test_what_the_scheduler_says_is_told(tmp_path, scheduler, text, words):
    scheduler("sbatch", text)
    with pytest.raises(RunError, match=words):
        submit(job(tmp_path / "run", name="slurm"), 1)


def test_a_chain_that_is_cut_says_what_is_there(tmp_path, scheduler):
    scheduler("sbatch", f"n=$(wc -l < {tmp_path}/called); [ $n -lt 3 ] && echo $n || exit 1")
    with pytest.raises(RunError, match=r"Of 4 jobs, these are there: 1, 2.*scancel 1 2"):
        submit(job(tmp_path / "run", name="slurm"), 4)


def test_a_machine_without_the_scheduler_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError, match="login node"):
        submit(job(tmp_path / "run", name="slurm"), 1)


def test_a_configuration_and_a_run_that_has_its_own_are_too_much(tmp_path):
    (tmp_path / "run").mkdir()
    new_store(tmp_path / "run").close()
    config = tmp_path / "other.toml"
    config.write_text('[site]\nname = "slurm"\n')
    with pytest.raises(InputError, match="goes on with that run"):
        cli(config, site="slurm", run_dir=tmp_path / "run", dry_run=True)


def test_a_run_that_may_be_somebody_elses_is_submitted_when_it_is_trusted(tmp_path):
    hidden = load(site={"name": "slurm", "worker_init": "echo hidden"})
    with closing(new_store(tmp_path)) as store:
        store.add_session(Session("later", hidden.to_toml(), {}))
    (tmp_path / "config.toml").write_text(load(site={"name": "slurm"}).to_toml())
    with pytest.raises(InputError, match=r"worker_init = 'echo hidden'.*--trust"):
        cli(None, run_dir=tmp_path, dry_run=True)
    cli(None, run_dir=tmp_path, dry_run=True, is_trusted=True)
    given = batch_job(hidden, tmp_path, is_trusted=True)
    assert f"words=(resume {tmp_path} --trust " in given.script
    assert "--trust" not in batch_job(hidden, tmp_path).script


def test_a_job_is_not_written_through_links(tmp_path):
    (tmp_path / "job.sh").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"job\.sh is a link"):
        job(tmp_path, name="slurm").write()
    assert not (tmp_path / "elsewhere").exists()
