"""The README's Python, as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_s_python_runs(small_smi, environment, tmp_path):
    [program] = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "molecules.smi").write_text(small_smi.read_text())
    shown = 'print(len(library.manifest.shards), len(results.values), frame["ie_ev"].iloc[0])'
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{program}\n{shown}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert list(map(float, lines[:2])) == pytest.approx([18.294, 15.350], abs=0.01)
    assert lines[2].startswith("Began(")
    n_shards, n_values, best = lines[-1].split()
    assert (n_shards, n_values) == ("1", "16")
    assert 16 < float(best) < 21
    assert (tmp_path / "runs" / "mine" / "predicted_vs_simulated.svg").exists()
