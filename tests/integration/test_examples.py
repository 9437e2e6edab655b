"""The tutorial's scripts, as a reader runs them."""

import subprocess
import sys

import pytest

EXPECTED = {
    "1_run_simulation.py": ["18.293 eV"],
    "2_training_and_inference.py": [
        " 16  ",
        "The best predicted of 130,744 molecules, by 16 values",
    ],
    "3_ml_in_the_loop.py": ["iteration 4: 24 values", "runs/examples/parsl_ml_in_the_loop.png"],
}


def test_there_are_no_others(examples):
    assert {path.name for path in examples.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example(name, examples, tmp_path, environment):
    done = subprocess.run(
        [sys.executable, examples / name],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for words in EXPECTED[name]:
        assert words in done.stdout
    if name.startswith("3"):
        picture = tmp_path / "runs" / "examples" / "parsl_ml_in_the_loop.png"
        assert picture.stat().st_size > 30_000
