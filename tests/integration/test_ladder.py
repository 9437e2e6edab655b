"""A ladder of stages as a user starts it: the command, real Parsl, real xTB."""

import csv
from contextlib import closing

import pytest

from molloop.store.reader import Reader

LADDER = (
    *("--ladder", "gfn2,ipea1", "--initial-training-count", 4, "--max-training-count", 12),
    *("--set", "stages.2.max_count=5", "--workers", 2),
)


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("schedule", ["batch", "interleaved"])
def test_a_ladder_and_its_resumption_with_a_larger_budget(molloop, small_smi, tmp_path, schedule):
    done = molloop(
        *("run", "--library", small_smi, "--run-dir", "run", *LADDER, "--schedule", schedule)
    )
    assert done.returncode == 0, done.stderr
    assert "Ended: 5 values of ipea1 are there, as asked." in done.stdout
    assert "Stage gfn2: 12 values, 0 failed" in done.stdout
    assert "Stage ipea1: 5 values, 0 failed" in done.stdout
    assert "The best of 5 simulated molecules of the stage ipea1" in done.stdout
    run_dir = tmp_path / "run"
    training = table(run_dir / "training_data.csv")
    levels = [row["level"] for row in training]
    assert (levels.count("gfn2"), levels.count("ipea1")) == (12, 5)
    expected = table(run_dir / "expected_molecules.csv")
    assert [row["known_in"] for row in expected].count("ipea1") == 5
    assert len(expected) == 12

    more = ("stages.2.max_count=7", "campaign.max_training_count=14")
    done = molloop("resume", "run", *(word for one in more for word in ("--set", one)))
    assert done.returncode == 0, done.stderr
    assert "stages.2.max_count: 5 -> 7" in done.stdout
    with closing(Reader.read(run_dir / "campaign.sqlite")) as store:
        jobs = [(item.stage, item.molecule_id) for item in store.simulated()]
    assert len(set(jobs)) == len(jobs) == 14 + 7
    status = molloop("status", "run")
    assert "values of gfn2" in status.stdout
    assert "7 of 7" in status.stdout
