"""The Python interface, as far as nothing is run; `tests/integration` runs it."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import ase.build
import numpy as np
import psutil
import pytest
from rdkit import Chem
from small_run import STEPS, new_store

import molloop
from molloop.api import run_settings
from molloop.molecule import Geometry
from molloop.simulate.given import molecule_of
from molloop.simulate.outcome import Failure, Success
from molloop.store.records import Session
from molloop.store.writer import Store


def test_settings_from_keywords():
    settings = molloop.load(
        library={"source": Path("a.smi")},
        campaign={"max_training_count": 50, "retrain_after": None},
        site={"directives": ["#PBS -q x"]},
    )
    assert settings.library.source == str(Path("a.smi").absolute())
    assert settings.campaign.max_training_count == 50
    assert settings.site.directives == ("#PBS -q x",)
    assert molloop.load() == molloop.Settings()


def test_keywords_and_assignments_come_after_the_file(tmp_path):
    (tmp_path / "a.toml").write_text(
        "[campaign]\nseed = 1\nbatch_size = 2\nmax_training_count = 30"
    )
    settings = molloop.load(
        str(tmp_path / "a.toml"), ["campaign.seed=3"], campaign={"batch_size": 5}
    )
    campaign = settings.campaign
    assert (campaign.seed, campaign.batch_size, campaign.max_training_count) == (3, 5, 30)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"campain": {}}, "campain.*Is campaign meant"),
        ({"campaign": {"batch": 3}}, "campaign.batch.*batch_size"),
        ({"campaign": {"batch_size": 0}}, "campaign.batch_size.*0"),
        ({"campaign": 3}, "campaign.*a dict of settings"),
    ],
)
def test_a_wrong_keyword_is_told_as_on_the_command_line(sections, words):
    with pytest.raises(molloop.InputError, match=words):
        molloop.load(**sections)


@pytest.mark.parametrize(
    ("name", "said", "words"),
    [
        ("a.sdf", {"column": "smi"}, "column: got 'smi', .*molfiles.*Leave --column smi out"),
        ("a.smi", {"column": "smi"}, "column: got 'smi', expected nothing of the kind for "),
        ("a.sdf", {"separator": "tab"}, "separator: got"),
        ("a.sdf", {"no_header": True}, "no_header: got True"),
    ],
)
def test_what_changes_the_reading_of_no_file_is_refused(tmp_path, name, said, words):
    (tmp_path / "a.smi").write_text("C\nCO\n")
    (tmp_path / "b.csv").write_text("smi,x\nN,1\n")
    (tmp_path / "a.sdf").write_text(Chem.MolToMolBlock(Chem.MolFromSmiles("O")) + "$$$$\n")
    with pytest.raises(molloop.InputError, match=words):
        molloop.build_library(tmp_path / name, tmp_path / "library", n_processes=1, **said)
    assert not (tmp_path / "library").exists()
    files = [tmp_path / name, tmp_path / "b.csv"]
    if "no_header" in said:
        (tmp_path / "b.csv").write_text("N,1\n")
    if "separator" in said:
        (tmp_path / "b.csv").write_text("smi\tx\nN\t1\n")
        said["column"] = "smi"
    built = molloop.build_library(files, tmp_path / "library", n_processes=1, **said)
    assert built.smiles(built.n_molecules - 1) == "N"


def test_one_file_or_several_build_a_library_that_says_what_it_is(tmp_path):
    (tmp_path / "<b>.smi").write_text("C\nCO\nbad\n")
    built = molloop.build_library(tmp_path / "<b>.smi", str(tmp_path / "library"), n_processes=1)
    again = molloop.build_library([str(tmp_path / "<b>.smi")], tmp_path / "library", n_processes=1)
    assert isinstance(again, molloop.Library)
    assert repr(again) == f"Library({str(built.folder)!r}): 2 molecules"
    opened = molloop.open_library(tmp_path / "library")
    assert opened.smiles(1) == "CO"
    text = opened._repr_html_()
    assert '<td style="text-align:left">2</td>' in text
    assert "&lt;b&gt;.smi" in text
    assert "<b>" not in text


def test_types_are_public():
    assert (molloop.Success, molloop.Failure) == (Success, Failure)
    assert molloop.Library.__name__ == "Library"
    assert molloop.Results.__name__ == "Results"


def test_results_of_no_run_are_told(tmp_path):
    with pytest.raises(molloop.InputError, match="a folder that holds a run"):
        molloop.read_results(str(tmp_path))


def test_a_run_that_would_execute_other_things_than_its_file_says_is_asked_about(tmp_path):
    hidden = molloop.load(site={"worker_init": "echo hidden"})
    Store.create(tmp_path / "campaign.sqlite", Session("now", hidden.to_toml(), {})).close()
    (tmp_path / "config.toml").write_text(molloop.load().to_toml())
    with pytest.raises(molloop.InputError, match=r"site\.worker_init = 'echo hidden'.*--trust"):
        molloop.resume(tmp_path)
    assert run_settings(tmp_path, trust=True).site.worker_init == "echo hidden"


def test_one_molecule_alone_is_one():
    water = ase.build.molecule("H2O")
    water.info["name"] = "water"
    titled = Chem.AddHs(Chem.MolFromSmiles("O"))
    titled.SetProp("_Name", "dihydrogen oxide")
    for given, name in (("O", ""), (water, "water"), (titled, "dihydrogen oxide")):
        [outcome] = molloop.simulate_molecules(given)
        assert outcome.value == pytest.approx(18.294, abs=0.01)
        assert (outcome.smiles, outcome.name) == ("O", name)


def test_several_processes_keep_the_order():
    texts = ["O", "C1CC", "N", "C", "CO", "CF", "C#N"]
    found = list(molloop.simulate_molecules(iter(texts), n_processes=2))
    assert [one.smiles for one in found] == texts
    assert [isinstance(one, Failure) for one in found] == [one == "C1CC" for one in texts]
    alone = list(molloop.simulate_molecules(texts))
    assert [one.value for one in found if isinstance(one, Success)] == [
        one.value for one in alone if isinstance(one, Success)
    ]


def test_what_is_not_wanted_is_not_simulated():
    asked = []

    def molecules():
        for text in ("O", "N", "C", "CO", "CF", "C#N", "CC", "CN"):
            asked.append(text)
            yield text

    found = molloop.simulate_molecules(molecules(), n_processes=2)
    assert asked == []
    assert next(found).smiles == "O"
    found.close()
    assert len(asked) == 4


@pytest.mark.parametrize("n", [1, 2])
def test_a_program_that_is_interrupted_ends_its_simulations(tmp_path, n):
    (tmp_path / "slow.py").write_text(
        "import os, time\n\n\ndef simulate(smiles):\n"
        "    open(f'{smiles}.pid', 'x').write(str(os.getpid()))\n    time.sleep(300)\n"
    )
    program = (
        "import molloop, signal\n"
        "from rdkit import Chem\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in the background
        "settings = molloop.load(property={'simulator': 'slow:simulate', 'name': 'x'})\n"
        "assert Chem.MolFromSmiles('CO').HasSubstructMatch(Chem.MolFromSmarts('C'))\n"
        "molecules = ['C', 'N', 'O', 'CC', 'CN']\n"
        f"list(molloop.simulate_molecules(molecules, settings, n_processes={n}))\n"
    )
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE) as running:
        until_s = time.monotonic() + 60
        while len(pids := [one.read_text() for one in tmp_path.glob("*.pid")]) < n or "" in pids:
            assert time.monotonic() < until_s
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, error = running.communicate(timeout=30)
    assert error.rstrip().endswith(b"KeyboardInterrupt")
    assert running.returncode == -signal.SIGINT
    assert not any(psutil.pid_exists(int(pid)) for pid in pids)


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        (5, {}, "molecules: got 5, expected a SMILES"),
        (["C"], {"n_processes": 0}, "n_processes: got 0, expected 1 at least"),
        (["C"], {"n_processes": "2"}, "n_processes: got '2'"),
        (["C"], {"n_processes": True}, "n_processes: got True"),
    ],
)
def test_what_cannot_be_simulated_is_told_at_the_call(given, options, words):
    with pytest.raises(molloop.InputError, match=words):
        molloop.simulate_molecules(given, **options)


def test_a_simulator_that_is_none_is_told_before_a_library_is_built(tmp_path, monkeypatch):
    monkeypatch.setattr("molloop.api.runs.open_library", None)
    for simulator in ("nowhere:simulate", "nowhere"):
        settings = molloop.load(property={"simulator": simulator})
        with pytest.raises(molloop.InputError, match=f"property.simulator: got '{simulator}'"):
            molloop.run(settings, tmp_path / "run")
        session = Session("now", settings.to_toml(), {})
        Store.create(tmp_path / "campaign.sqlite", session).close()
        with pytest.raises(molloop.InputError, match=f"property.simulator: got '{simulator}'"):
            molloop.resume(tmp_path, trust=True)
        (tmp_path / "campaign.sqlite").unlink()
    assert not (tmp_path / "run").exists()


def test_bonds_of_atoms_are_told_by_their_charge():
    positions = [[0, 0, 0], *([0.6 * x, 0.6 * y, 0.6 * x * y] for x in (-1, 1) for y in (-1, 1))]
    ammonium = ase.Atoms("NH4", positions, info={"charge": 1})
    assert molecule_of(ammonium).smiles == "[NH4+]"
    ammonium.info.clear()
    methyl = ase.build.molecule("CH3")
    for given in (ammonium, methyl):
        [outcome] = molloop.simulate_molecules([given])
        assert (outcome.kind, outcome.smiles) == ("unknown_bonds", "")
        assert given.get_chemical_formula() in outcome.message
        assert "atoms.info['charge']" in outcome.message
    assert molecule_of(ase.build.molecule("CH3NO2")).smiles == "C[N+](=O)[O-]"
    assert molecule_of(ase.build.molecule("C6H6")).smiles == "c1ccccc1"


def test_a_geometry_that_was_given_counts_where_the_settings_say_so():
    atoms = ase.build.molecule("H2O")
    embedded = Chem.AddHs(Chem.MolFromSmiles("O"))
    Chem.rdDistGeom.EmbedMolecule(embedded, randomSeed=1)
    whole = molecule_of(atoms)
    settings = molloop.load(simulation={"fidelity": "input-geometry"})
    given = [atoms, embedded, molloop.Molecule(5, "O", "w", whole.geometry), "O"]
    found = list(molloop.simulate_molecules(given, settings))
    positions = [one.geometry.positions_angstrom for one in found[:2]]
    assert np.array_equal(positions[0], atoms.positions)
    assert np.array_equal(positions[1], embedded.GetConformer().GetPositions())
    assert (found[2].name, found[2].value) == ("w", found[0].value)
    assert (found[3].kind, found[3].smiles) == ("no_geometry", "O")
    plain = list(molloop.simulate_molecules([atoms, "O"]))
    assert plain[0].value == plain[1].value


def test_what_is_no_molecule_is_told():
    broken = Chem.MolFromSmiles("CN(C)(C)C", sanitize=False)  # nitrogen of five bonds
    [outcome] = molloop.simulate_molecules(broken)
    assert outcome.kind == "invalid_molecule"
    with pytest.raises(molloop.InputError, match="molecules: got 7, expected a SMILES"):
        list(molloop.simulate_molecules(["O", 7]))


def test_a_geometry_becomes_atoms():
    atoms = Geometry(
        np.array([8, 1], dtype=np.uint8), np.array([[0.0, 0, 0], [0, 0, 0.9]])
    ).to_atoms()
    assert atoms.get_chemical_formula() == "HO"
    assert atoms.get_distance(0, 1) == pytest.approx(0.9)


def test_a_run_is_told_exported_and_frozen(tmp_path):
    with closing(new_store(tmp_path)) as store:
        for step in STEPS:
            store.append(*step)
    status = molloop.read_status(str(tmp_path))
    assert (status.state, status.n_values, status.best) == ("done", 4, (16.5, "CC"))
    assert molloop.export_run(tmp_path, str(tmp_path / "all.csv"), "csv") == 5
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 1 + 5
    shown = []
    out = tmp_path / "page.html"
    molloop.write_report(str(tmp_path), out, lambda what, _: shown.append(what.split()[0]))
    assert shown == ["reading", "drawing"]
    assert "16.5" in out.read_text()
    molloop.write_report([tmp_path, tmp_path], tmp_path / "two.html")
    own = tmp_path / "campaign.sqlite"
    for write in (
        lambda: molloop.write_report(tmp_path, own),
        lambda: molloop.export_run(tmp_path, own, "ase-db"),
    ):
        with pytest.raises(molloop.InputError, match="another file than those of the run"):
            write()
