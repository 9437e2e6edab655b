"""Runs that are killed at random moments: few rounds of benchmarks/crash.py."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "crash.py"


@pytest.mark.parametrize(
    ("rounds", "options"),
    [("4", ()), ("5", ("--ladder", "gfn2,ipea1", "--first", "2"))],
    ids=["one stage", "a ladder"],
)
def test_a_killed_run_goes_on_as_if_it_had_not_been(environment, rounds, options):
    """Beside nothing else: its last processes have 30 s."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--rounds", rounds, "--values", "40", *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{rounds} of {rounds} rounds" in done.stdout
