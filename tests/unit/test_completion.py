"""Shell completion, by the protocol that the installed shell script speaks."""

import os
import subprocess
import sys

import pytest


def completed(*words, cwd=None, shell="bash"):
    """Return what a shell gets where the last word is being typed."""
    told = {
        "_MOLLOOP_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "\n".join(["molloop", *words]),
        "COMP_CWORD": str(len(words)),
        "_TYPER_COMPLETE_ARGS": " ".join(["molloop", *words]),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "molloop"],
        env=os.environ | told,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split() if shell == "bash" else done.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("li",), ["library"]),
        (
            ("run", "--level", ""),
            [
                *("gfn2", "gfn1", "ipea1", "b3lyp/def2-svp", "b3lyp/def2-tzvp"),
                *("wb97x-d3bj/def2-svp", "wb97x-d3bj/def2-tzvp"),
                *("r2scan/def2-svp", "r2scan/def2-tzvp"),
            ],
        ),
        (("simulate", "O", "--fidelity", "m"), ["mmff-geometry"]),
        (("run", "--schedule", ""), ["interleaved", "batch"]),
        (("submit", "--site", "p"), ["pbs", "polaris", "perlmutter"]),
        (("run", "--policy", "gp"), ["gp", "gp-greedy", "gp-ucb", "gp-ei"]),
        (("compare", "t.csv", "--policy", "ran"), ["random"]),
        (("suggest", "qm9", "--features", ""), ["descriptors", "fingerprints"]),
        (("replay", "q"), ["qm9-ie-20k"]),
        (("replay", "t.csv", "--direction", "mi"), ["minimise"]),
        (("tune", "t.csv", "--objective", ""), ["best", "recall", "hypervolume"]),
        (("run", "--library", "q"), ["qm9"]),
        (("run", "--library", ""), []),
        (("export", "r", "--format", "e"), ["extxyz"]),
        (("suggest", "q"), ["qm9"]),
        (("suggest", "qm9", "--direction", "mi"), ["minimise"]),
    ],
    ids=" ".join,
)
def test_values_are_completed(words, expected):
    assert completed(*words) == expected


@pytest.mark.parametrize("command", ["resume", "report", "export"])
def test_run_directories_are_completed(tmp_path, command):
    for name in ("runs/a", "runs/b[1]", "runs/none", "mine", "runs/deep/er/run"):
        (tmp_path / name).mkdir(parents=True)
        if "none" not in name:
            (tmp_path / name / "campaign.sqlite").touch()
    assert completed(command, "", cwd=tmp_path) == ["mine", "runs/a", "runs/b[1]"]
    assert completed(command, "runs/b[", cwd=tmp_path) == ["runs/b[1]"]
    assert completed(command, "runs/", cwd=tmp_path)[:2] == ["runs/a", "runs/b[1]"]


def test_zsh_is_told_what_a_value_means():
    [line] = [one for one in completed("run", "--level", "ip", shell="zsh") if "ipea1" in one]
    assert "ionization, IPEA1-xTB" in line


def test_the_script_of_a_shell_calls_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "molloop", "--show-completion", "bash"],
        env=os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_MOLLOOP_COMPLETE=complete_bash" in done.stdout
