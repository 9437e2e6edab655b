"""Damaged and odd run directories through every command that opens one."""

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "hostile_runs.py"


def test_fifty_run_directories_that_were_changed():
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), "--cases", "50"],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "50 of 50 cases as they should be" in done.stdout
