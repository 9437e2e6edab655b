"""The benchmarks that the documentation shows can be started as it shows them."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOWN = re.compile(r"python (benchmarks/\w+\.py)((?: -{1,2}\w[\w-]*| \d+| \w[\w-]*)*)")
WANTS_XTB_PYTHON = "benchmarks/simulate.py"  # of the extra `bench`
OPTIONS = defaultdict(set)  # of each script, those that are shown
for page in (ROOT / "docs" / "benchmarks").glob("*.md"):
    for script, words in SHOWN.findall(page.read_text("utf-8")):
        OPTIONS[script] |= {word for word in words.split() if word.startswith("--")}


def test_every_benchmark_is_shown():
    own = {f"benchmarks/{path.name}" for path in (ROOT / "benchmarks").glob("*.py")}
    # a simulator that another one uses, and what another one starts where botorch is
    assert own - set(OPTIONS) == {"benchmarks/noop.py", "benchmarks/goals_botorch.py"}


@pytest.mark.parametrize("script", sorted(set(OPTIONS) - {WANTS_XTB_PYTHON}))
def test_what_is_shown_is_understood(script, environment):
    known = subprocess.run(
        [sys.executable, script, "--help"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert known.returncode == 0, known.stderr
    for option in OPTIONS[script]:
        assert option in known.stdout
