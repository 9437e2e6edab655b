"""Runs that are killed at random moments: few rounds of benchmarks/crash.py."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "crash.py"


def test_a_killed_run_goes_on_as_if_it_had_not_been(environment):
    """Beside nothing else: its last processes have 30 s."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--rounds", "4", "--values", "40"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 of 4 rounds" in done.stdout
