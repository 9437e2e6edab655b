"""The benchmarks that the documentation shows can be started as it shows them."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOWN = re.compile(r"python (benchmarks/\w+\.py)((?: -{1,2}\w[\w-]*| \d+| \w[\w-]*)*)")
WANTS_XTB_PYTHON = "benchmarks/simulate.py"  # of the extra `bench`
COMMANDS = sorted(
    {
        (script, words)
        for page in (ROOT / "docs" / "benchmarks").glob("*.md")
        for script, words in SHOWN.findall(page.read_text("utf-8"))
        if script != WANTS_XTB_PYTHON
    }
)


def test_every_benchmark_is_shown():
    shown = {script for script, _ in COMMANDS} | {WANTS_XTB_PYTHON}
    own = {f"benchmarks/{path.name}" for path in (ROOT / "benchmarks").glob("*.py")}
    assert own - shown == {"benchmarks/noop.py"}  # a simulator that another one uses


@pytest.mark.parametrize(("script", "words"), COMMANDS)
def test_what_is_shown_is_understood(script, words, environment):
    own_words = shlex.split(words)
    known = subprocess.run(
        [sys.executable, script, "--help"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert known.returncode == 0, known.stderr
    for option in (word for word in own_words if word.startswith("--")):
        assert option in known.stdout
