"""The Polaris way: mpiexec of MPICH starts the workers, a stand-in for PBS runs the script.

PBS itself and Polaris's mpiexec are not run: the stand-ins take their options.
"""

import shutil
import sys
from pathlib import Path

import pytest
from helpers import ended, finish, read, values, wait_for, words_of

HERE = Path(__file__).parent
# Polaris's spelling of what MPICH spells otherwise, or has no word for
PALS = """#!/bin/bash
words=()
while [ $# -gt 0 ]; do
    case $1 in
        --cpu-bind) shift 2 ;;
        --depth=*) shift ;;
        --ppn) words+=(-ppn "$2"); shift 2 ;;
        *) words+=("$1"); shift ;;
    esac
done
echo "${words[@]}" >> "$PBS_STAND_IN/mpiexec-words"
exec /usr/bin/mpiexec "${words[@]}"
"""
SITE = (
    "site.name=polaris", "site.account=me", "site.queue=debug", "site.interface=lo",
    "site.nodes=2", "site.workers=1",
)  # fmt: skip


@pytest.fixture
def polaris(tmp_path, lacking, start):
    """Start the command on what looks like Polaris."""
    if shutil.which("mpiexec", path="/usr/bin") is None:
        lacking("no mpiexec: install mpich")
    folder = tmp_path / "polaris"
    folder.mkdir()
    for name in ("qsub", "qstat", "qdel"):
        path = folder / name
        path.write_text(
            f'#!/bin/bash\nexec {sys.executable} {HERE / "pbs_stand_in.py"} {name} "$@"\n'
        )
        path.chmod(0o755)
    (folder / "mpiexec").write_text(PALS)
    (folder / "mpiexec").chmod(0o755)
    extra = {
        "PATH": f"{folder}:/usr/bin:/bin",
        "PBS_STAND_IN": str(folder),
        "HYDRA_LAUNCHER": "fork",
    }
    return lambda *words: start(*words, extra=extra)


def test_the_same_values_from_outside_and_within_a_job(start, polaris, small_smi, tmp_path):
    plain = ("--library", small_smi, "--schedule", "batch", "--max-training-count", 20)
    finish(start("run", *plain, "--run-dir", "local", "--workers", 2))
    expected = [(one.molecule_id, one.batch) for one in read(tmp_path / "local")[1]]
    finish(polaris("run", *plain, "--run-dir", "outside", *words_of(*SITE)))
    config = tmp_path / "mine.toml"
    config.write_text(
        f'[library]\nsource = "{small_smi}"\n'
        '[campaign]\nschedule = "batch"\nmax_training_count = 20\n'
    )
    finish(polaris("submit", config, "--run-dir", "within", "--chain", 2, *words_of(*SITE)))
    wait_for(lambda: ended(tmp_path / "within"), 120, "the job")
    for name in ("outside", "within"):
        assert [(one.molecule_id, one.batch) for one in read(tmp_path / name)[1]] == expected
        assert values(tmp_path / name) == pytest.approx(values(tmp_path / "local"), abs=1e-6)
        assert len({one.worker for one in read(tmp_path / name)[1]}) == 2
    words = (tmp_path / "polaris" / "mpiexec-words").read_text()
    assert "-ppn 1 -n 2" in words
    # the second job of the chain was not needed
    second = tmp_path / "polaris" / "job-3"
    wait_for(lambda: (second / "state").read_text() == "F", 30, "the second job")
    assert not (second / "session").exists()
