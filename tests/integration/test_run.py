import csv
import subprocess
import tomllib
from contextlib import closing
from dataclasses import replace

import pytest

from molloop import open_library
from molloop.campaign.events import End, Finished, Ranked, RankingBegan, Stopped
from molloop.library.manifest import Counts
from molloop.store.reader import Reader

SMALL_RUN = (
    *("--schedule", "batch", "--initial-training-count", 4, "--max-training-count", 12),
    *("--batch-size", 3),
)


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def stored(run_dir):
    store = Reader.read(run_dir / "campaign.sqlite")
    try:
        return store.events(), store.simulated()
    finally:
        store.close()


def sessions(run_dir):
    with closing(Reader.read(run_dir / "campaign.sqlite")) as store:
        return store.sessions()


def test_a_run_with_all_that_it_writes(molloop, small_smi, tmp_path):
    done = molloop("run", "--library", small_smi, "--run-dir", "run", *SMALL_RUN)
    assert done.returncode == 0, done.stderr
    # a library whose building takes more than a second says how far it is
    assert all(line.startswith("library: ") for line in done.stderr.splitlines())
    run_dir = tmp_path / "run"

    how, *lines = done.stdout.splitlines()
    assert how.startswith(f"{small_smi.name}: SMILES in column 1, by what it holds; ")
    assert "24 molecules · GFN2-xTB ΔSCF, uncorrected · seed 42" in lines[0]
    assert [line.split()[0] for line in lines[1:6]] == ["iter", "0", "1", "2", "3"]
    assert "Ended: 12 values are there, as asked." in done.stdout
    assert "The best of 12 simulated molecules" in done.stdout

    training = table(run_dir / "training_data.csv")
    assert list(training[0]) == [
        *("smiles", "name", "charge", "n_unpaired", "ie_ev"),
        *("batch", "time_s", "level", "fidelity", "flags"),
    ]
    assert [int(row["batch"]) for row in training] == [0] * 4 + [1] * 3 + [2] * 3 + [3] * 2
    assert all(10 < float(row["ie_ev"]) < 21 for row in training)
    assert {(row["charge"], row["n_unpaired"]) for row in training} == {("0", "0")}
    best = table(run_dir / "best_molecules.csv")
    assert [int(row["batch"]) for row in best] == [1] * 5 + [2] * 5 + [3] * 5
    values = {row["smiles"]: row["ie_ev"] for row in training}
    for row in best:
        assert row["ie_ev"] == values.get(row["smiles"], "")
        assert float(row["predicted_ie_ev_std"]) > 0
    assert (run_dir / "parsl_ml_in_the_loop.png").read_bytes().startswith(b"\x89PNG")

    resolved = tomllib.loads((run_dir / "config.toml").read_text())
    assert resolved["campaign"]["max_training_count"] == 12
    assert sessions(run_dir)[0].environment["library"]["n_molecules"] == 24
    assert not (run_dir / "scratch").exists()
    assert (run_dir / "workers.png").read_bytes().startswith(b"\x89PNG")

    events, simulated = stored(run_dir)
    kinds = [type(event) for _, event in events]
    assert (kinds.count(RankingBegan), kinds.count(Ranked)) == (3, 3)
    assert kinds.count(Finished) == len(simulated) == 12
    assert events[-1][1] == Stopped("12 values are there, as asked", End.DONE)
    assert all(item.outcome.geometry is not None for item in simulated)
    assert all(0 < item.began_s < item.ended_s <= item.time_s + 0.1 for item in simulated)


def test_of_qm9_equals_are_kept_once(cache_home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_home))
    library = open_library("qm9")
    assert library.n_molecules == 130_744
    assert library.manifest.counts == Counts(read=130_831, invalid=0, filtered=0, duplicates=87)


def test_qm9_gives_the_same_with_one_and_two_workers(molloop, tmp_path):
    runs = []
    for workers in (1, 2):
        done = molloop(
            "run", "--schedule", "batch", "--workers", workers, "--run-dir", f"run-{workers}"
        )
        assert done.returncode == 0, done.stderr
        simulated = stored(tmp_path / f"run-{workers}")[1]
        outcomes = [(item.smiles, item.batch, item.outcome) for item in simulated]
        runs.append(
            [
                (*at, getattr(out, "value", None), getattr(out, "kind", None))
                for *at, out in outcomes
            ]
        )
        assert len({item.worker for item in simulated}) == workers
    assert sum(value is not None for _, _, value, _ in runs[0]) == 24
    assert runs[0] == runs[1]


@pytest.mark.parametrize("policy", ["gp", "ridge", "forest"])
def test_every_policy_gives_the_same_with_one_and_two_workers(molloop, small_smi, tmp_path, policy):
    runs = []
    for workers in (1, 2):
        done = molloop(
            *("run", "--library", small_smi, "--policy", policy, "--workers", workers),
            *("--run-dir", f"run-{workers}", *SMALL_RUN),
        )
        assert done.returncode == 0, done.stderr
        events, simulated = stored(tmp_path / f"run-{workers}")
        rankings = [replace(one, seconds=0) for _, one in events if isinstance(one, Ranked)]
        assert len(rankings) == 3
        assert all(std > 0 for std in rankings[0].stds)
        runs.append(([(item.smiles, item.outcome.value) for item in simulated], rankings))
    assert runs[0] == runs[1]


OWN_MODEL = """\
import numpy as np
from molloop.surrogate.model import Surrogate


class Longest(Surrogate):
    learns_from = "fingerprints"

    def __init__(self, bits):
        self.bits = bits

    @classmethod
    def fit(cls, features, values, rng):
        return cls(features[np.argmax(values)])

    def predict(self, features):
        shared = np.bitwise_count(features & self.bits).sum(axis=1)
        return shared.astype(float), np.ones(len(features))
"""


def test_a_model_of_ones_own_chooses_on_the_workers(molloop, small_smi, tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "longest.py").write_text(OWN_MODEL)
    words = ("run", "--library", small_smi, "--policy", "longest:Longest-ucb", "--workers", 1)
    lost = molloop(*words, "--run-dir", "lost", *SMALL_RUN)
    assert lost.returncode == 2
    assert "No module named 'longest'. Is its folder on PYTHONPATH?" in lost.stderr
    assert not (tmp_path / "lost").exists()
    path = {"PYTHONPATH": str(folder)}
    done = molloop(*words, "--run-dir", "own", *SMALL_RUN, extra=path)
    assert done.returncode == 0, done.stderr
    events, _ = stored(tmp_path / "own")
    [first, *_] = [one for _, one in events if isinstance(one, Ranked)]
    # it counts the bits that a molecule shares with the best one
    assert list(first.means) == sorted(first.means, reverse=True)
    assert all(mean == int(mean) for mean in first.means)
    assert set(first.stds) == {1.0}
    again = molloop("resume", "own", "--set", "campaign.max_training_count=13", extra=path)
    assert again.returncode == 0, again.stderr
    assert "executes search.policy = 'longest:Longest-ucb'" in again.stderr


def test_known_values_are_not_simulated_again(molloop, small_smi, tmp_path):
    one = molloop("run", "--quiet", "--library", small_smi, "--run-dir", "one", *SMALL_RUN)
    assert (one.returncode, one.stderr) == (0, "")
    assert one.stdout.startswith("Ended: 12 values are there, as asked.")
    assert "The best of 12 simulated molecules" in one.stdout
    known = tmp_path / "one" / "training_data.csv"
    done = molloop(
        "run", "--library", small_smi, "--run-dir", "two", "--training-data", known, *SMALL_RUN
    )
    assert done.returncode == 0, done.stderr
    assert "12 values known beforehand" in done.stdout
    first, second = table(known), table(tmp_path / "two" / "training_data.csv")
    assert [row["smiles"] for row in second[:12]] == [row["smiles"] for row in first]
    assert {row["batch"] for row in second[:12]} == {""}
    new = {row["smiles"] for row in second[12:]}
    assert len(new) == 12
    assert not new & {row["smiles"] for row in first}


def test_a_molecule_that_crashes_its_process_is_a_failure_like_others(molloop, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import ctypes\n"
        "from molloop.simulate.outcome import Success\n"
        "def length(smiles):\n"
        "    if 'F' in smiles: ctypes.string_at(0)\n"
        "    return Success(float(len(smiles)))\n"
    )
    (tmp_path / "some.smi").write_text("C\nCF\nN\nO\nCCF\nCC\nCCC\nCCCF\n")
    done = molloop(
        *(
            "run",
            "--library",
            "some.smi",
            "--run-dir",
            "run",
            "--set",
            "property.simulator=mine:length",
        ),
        *("--set", "property.name=length", "--set", "property.unit=letters"),
        *("--initial-training-count", 3, "--batch-size", 2),
        extra={"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    kinds = [getattr(item.outcome, "kind", "") for item in stored(tmp_path / "run")[1]]
    assert (kinds.count("crash"), kinds.count("")) == (3, 5)


def test_a_simulator_that_cannot_be_imported_is_bad_input(molloop, small_smi, tmp_path):
    simulator = "property.simulator=nowhere:none"
    done = molloop("run", "--quiet", "--library", small_smi, "--set", simulator)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    for words in ("property.simulator", "nowhere:none", "PYTHONPATH"):
        assert words in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_simulator_that_always_fails_ends_the_run(molloop, tmp_path):
    (tmp_path / "bad.smi").write_text("\n".join("C" * n for n in range(1, 31)))
    too_large = ("--set", "simulation.max_atoms=1")
    words = ("--library", "bad.smi", "--run-dir", "run", "--schedule", "batch", *too_large)
    done = molloop("run", *words)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "the last 24 simulations all failed" in done.stderr
    assert "24 x " in done.stderr
    assert len(stored(tmp_path / "run")[1]) == 24
    assert table(tmp_path / "run" / "training_data.csv") == []


def test_workers_that_cannot_import_the_simulation_end_the_run(molloop, small_smi, tmp_path):
    broken = tmp_path / "site" / "broken" / "tblite"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('no tblite here')")
    (tmp_path / "site" / "sitecustomize.py").write_text(
        f"import os, sys\n"
        f"if 'PARSL_WORKER_RANK' in os.environ: sys.path.insert(0, {str(broken.parent)!r})\n"
    )
    extra = {"PYTHONPATH": str(tmp_path / "site")}
    done = molloop("run", "--library", small_smi, "--run-dir", "run", *SMALL_RUN, extra=extra)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "no tblite here" in done.stderr
    assert len(stored(tmp_path / "run")[1]) == 24


BREAK_WORKERS = """
import sys
if any("worker_pool" in word for word in sys.orig_argv):
    {how}
"""


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("sys.exit('the module system is down')", ["cannot be started", "system is down"]),
        ("import time; print('waiting', file=sys.stderr, flush=True); time.sleep(60)",
         ["No worker has started within 3 s", "waiting"]),
    ],
    ids=["dies", "hangs"],
)  # fmt: skip
def test_workers_that_do_not_start_are_an_error_with_their_log(
    molloop, small_smi, tmp_path, how, words
):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BREAK_WORKERS.format(how=how))
    timeout_s = 3 if "hang" in how or "sleep" in how else 60
    done = molloop(
        *("run", "--library", small_smi, "--run-dir", "run"),
        *("--set", f"site.worker_start_timeout_s={timeout_s}"),
        extra={"PYTHONPATH": str(tmp_path / "site")},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("molloop: ")  # what follows may quote a traceback of the worker
    for word in words:
        assert word in done.stderr


def test_a_reader_that_leaves_ends_no_run(command, environment, small_smi, tmp_path):
    words = ["run", "--library", str(small_smi), "--run-dir", "run", *map(str, SMALL_RUN)]
    with subprocess.Popen(
        [*command, *words],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert "SMILES in column 1" in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0
    assert len(stored(tmp_path / "run")[1]) == 12
