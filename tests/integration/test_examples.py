"""The tutorial's scripts, as a reader runs them."""

import csv
import json
import subprocess
import sys

import pytest

EXPECTED = {
    "1_run_simulation.py": ["18.29"],
    "2_training_and_inference.py": [
        " 16  ",
        "The best predicted of 130,744 molecules, by 16 values",
    ],
    "3_ml_in_the_loop.py": ["iteration 4: 24 values", "runs/examples/parsl_ml_in_the_loop.png"],
}


def test_there_are_no_others(examples):
    assert {path.name for path in examples.glob("[0-9]*.py")} == set(EXPECTED)


@pytest.mark.parametrize("direction", ["minimise", "maximise"])
def test_a_property_of_one_s_own_goes_through_the_whole_loop(
    molloop, examples, small_smi, tmp_path, direction
):
    done = molloop(
        *("run", examples / "homo_lumo_gap.toml", "--library", small_smi, "--run-dir", "run"),
        # greedy: what it proposes first is what it predicts to be best
        *("--set", f"property.direction={direction}", "--policy", "ridge"),
        *("--initial-training-count", 4, "--max-training-count", 16),
        extra={"PYTHONPATH": str(examples)},
    )
    assert done.returncode == 0, done.stderr
    assert "homo_lumo_gap:homo_lumo_gap" in done.stdout
    assert "HOMO-LUMO gap (eV)" in done.stdout
    with (tmp_path / "run" / "training_data.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    gaps = {row["smiles"]: float(row["homo_lumo_gap_ev"]) for row in rows}
    shown = [line.split("│")[3].strip() for line in done.stdout.splitlines() if "│    1 │" in line]
    best = (min if direction == "minimise" else max)(gaps, key=gaps.__getitem__)
    assert shown == [best]
    with (tmp_path / "run" / "best_molecules.csv").open(newline="") as file:
        first = [float(row["predicted_homo_lumo_gap_ev"]) for row in csv.DictReader(file)][:5]
    assert first == sorted(first, reverse=direction == "maximise")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        # energies of water and its ion at charge 0 and 1: -2 and -1.5 Hartree
        ("print('E = 7'); print('E =', -2 + $charge / 2, open('input').read())", None),
        ("raise SystemExit('no licence')", "with 1, 0 energies and ['no licence'] at charge 0"),
        ("print('E is lost')", "with 0, 0 energies and ['E is lost'] at charge 0"),
    ],
)
def test_a_level_of_one_s_own_runs_a_program(molloop, examples, code, told):
    done = molloop(
        *("simulate", "O", "--config", examples / "own_level.toml", "--json"),
        *("--set", f'simulation.options.command=$python -c "{code}"'),
        *("--set", r"simulation.options.energy=E = *(\S+)"),
        *("--set", "simulation.options.content=spin $multiplicity"),
        extra={"PYTHONPATH": str(examples)},
    )
    found = json.loads(done.stdout)
    if told is None:
        # half a Hartree
        assert found["ie_ev"] == pytest.approx(13.6057, abs=1e-4)
    else:
        assert found["failure"]["kind"] == "program"
        assert told in found["failure"]["message"]


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
