"""What the doctor says of what is wrong; that a worker answers is tested with sites."""

import shutil
import subprocess
import sys
from collections import namedtuple

import pytest

from molloop.assembly import doctor
from molloop.config.load import load
from molloop.sandbox.worker import GroupResult
from molloop.simulate.outcome import Failure

Usage = namedtuple("Usage", "total used free")


def site(**given):
    return load(None, (), {f"site.{key}": one for key, one in given.items()})


@pytest.fixture(autouse=True)
def outside(monkeypatch):
    for name in ("PBS_NODEFILE", "SLURM_JOB_NODELIST"):
        monkeypatch.delenv(name, raising=False)


def test_all_is_well_here(tmp_path):
    words = [sys.executable, "-m", "molloop", "doctor", "--run-dir", str(tmp_path / "a" / "runs")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "ok    packages", "ok    simulation", "ok    disk", "ok    run directory", "ok    site",
        "ok    worker",
    ]  # fmt: skip
    assert "answered after" in lines[-1]
    assert not (tmp_path / "a").exists()


def test_what_is_wrong_is_said_with_the_remedy_and_an_exit_code(tmp_path):
    words = [sys.executable, "-m", "molloop", "doctor", "--site", "slurm", "--run-dir", "runs"]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, cwd=tmp_path, env={"PATH": "/nowhere"}
    )
    assert done.returncode == 1
    assert "wrong site: slurm: no command sbatch, squeue, scancel" in done.stdout
    assert "Log in to the site" in done.stdout


def test_a_package_that_cannot_be_imported(monkeypatch):
    monkeypatch.setattr(doctor, "PACKAGES", ("numpy", "no_such_package"))
    found = doctor.versions()
    assert not found.is_ok
    assert "no_such_package" in found.told


@pytest.mark.parametrize(
    ("name", "value"),
    [("REFERENCE_IE_EV", 18.0), ("run_group", None)],
)
def test_a_simulation_that_is_not_as_it_was(monkeypatch, name, value):
    failed = GroupResult((Failure("scf", "no convergence"),), "", ())
    monkeypatch.setattr(doctor, name, value or (lambda *_: failed))
    found = doctor.simulation()
    assert not found.is_ok
    assert "18.29" in found.told or "no convergence" in found.told


def test_a_host_that_can_start_no_process(monkeypatch):
    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(doctor, "run_group", fail)
    found = doctor.simulation()
    assert not found.is_ok
    assert "no space left" in found.told


def test_a_disk_that_is_full(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 10, 1000))
    found = doctor.free_disk(tmp_path / "not" / "there")
    assert not found.is_ok
    assert str(tmp_path) in found.told


@pytest.mark.parametrize("kind", ["flock", "lockf"])
def test_locks_that_others_do_not_see(monkeypatch, tmp_path, kind):
    assert doctor.locks(tmp_path).is_ok
    monkeypatch.setattr(doctor.fcntl, kind, lambda *_: None)
    found = doctor.locks(tmp_path)
    assert not found.is_ok
    assert "locks do not work" in found.told


def test_a_run_directory_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    found = doctor.locks(tmp_path / "file" / "runs")
    assert not found.is_ok
    assert "file" in found.told


def test_a_machine_without_the_scheduler(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = doctor.scheduler(site(name="pbs", workers=4))
    assert not found.is_ok
    assert "qsub, qstat, qdel" in found.told


def test_a_setting_that_is_missing(monkeypatch, tmp_path):
    for name in ("sbatch", "squeue", "scancel"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = doctor.scheduler(site(name="slurm"))
    assert not found.is_ok
    assert "site.workers: is missing" in found.told


def test_no_job_is_asked_for_unless_it_may_be(tmp_path):
    found = doctor.worker(site(name="slurm", workers=2), tmp_path / "runs", False)
    assert found.is_ok
    assert "--ask-scheduler" in found.told
    assert not (tmp_path / "runs").exists()


SERVER = '{"timestamp": 1, "Server": {"server": {"server_state": "Active"%s}}}'


@pytest.mark.parametrize(
    ("answer", "is_ok", "words"),
    [
        (f"echo '{SERVER % ''}'", True, "job_history_enable is off"),
        (f"""echo '{SERVER % ', "job_history_enable": "True"'}'""", True, "is on"),
        (f"""echo '{SERVER % ', "job_history_enable": "False"'}'""", True, "is off"),
        ("echo 'qstat: cannot connect to server s (errno=111)' >&2; exit 255", False, "errno=111"),
        ("echo '[]'", False, "says nothing of itself"),
    ],
)
def test_a_pbs_server_says_whether_it_keeps_a_history(monkeypatch, tmp_path, answer, is_ok, words):
    (tmp_path / "qstat").write_text(f"#!/bin/sh\n{answer}\n")
    (tmp_path / "qstat").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    [found] = doctor.server(site(name="pbs", workers=4))
    assert found.is_ok == is_ok
    assert words in found.told


@pytest.mark.parametrize("name", ["local", "slurm", "pbs"])
def test_no_server_is_asked_where_there_is_none(monkeypatch, tmp_path, name):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(doctor.server(site(name=name))) == []


def test_what_a_level_of_dft_needs_is_looked_for(monkeypatch, tmp_path):
    assert list(doctor.level(load())) == []
    dft = load(simulation={"level": "b3lyp/def2-svp"})
    [found] = doctor.level(dft)
    assert found.is_ok
    assert "pyscf 2." in found.told
    (tmp_path / "pyscf.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    [found] = doctor.level(dft)
    assert not found.is_ok
    assert "pip install 'molloop[dft]'" in found.told
