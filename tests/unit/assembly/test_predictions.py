"""Predictions of a run's library, against the ranking that they go by."""

import csv
import shutil
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from typer.testing import CliRunner

import molloop
from molloop.campaign.events import Began, Finished, Ranked, RankingBegan, Source, Submitted
from molloop.campaign.jobs import Known, Simulated
from molloop.campaign.warm_start import features_of
from molloop.cli import app
from molloop.errors import InputError, RunError
from molloop.library.ingest import open_or_build
from molloop.search.policy import fitted
from molloop.search.rank import RankTask, rank
from molloop.search.training import Training
from molloop.simulate.outcome import Failure, Success
from molloop.store.records import Session, stage_of
from molloop.store.run_dir import STORE
from molloop.store.writer import Store

NAMED = "C methane\nN =NH3\nO\nCC\nCO m,e\nCN\nC#N\nC=O\nCF\n"
VALUES = {0: 14.0, 3: 13.0, 5: 11.5, 7: 12.0}


@pytest.fixture
def library(tmp_path):
    source = tmp_path / "named.smi"
    source.write_text(NAMED)
    return open_or_build(str(source), cache_dir=tmp_path / "libraries")


def a_run(folder, library, known=(), **sections):
    """Store a run whose last ranking was the second."""
    sections = {"library": {"source": str(folder.parent / "named.smi")}} | sections
    settings = molloop.load(**sections)
    session = Session("now", settings.to_toml(), {"library": library.describe()})
    folder.mkdir()
    (folder / "config.toml").write_text(session.config)
    stages = [stage_of(settings.protocol())]
    outcomes = [Success({"ie": value}) for value in VALUES.values()] + [Failure("scf", "no")]
    ids = (*VALUES, 8)
    with closing(Store.create(folder / STORE, session, known, stages)) as store:
        began = [Began(library.n_molecules, len(known)), Submitted(ids, Source.INITIAL, 0)]
        store.append(0.0, began, [], [])
        simulated = [
            Simulated(number, key, "gfn2", library.smiles(key), 0, 1.0, "w", 0.0, 1.0, outcome)
            for number, (key, outcome) in enumerate(zip(ids, outcomes, strict=True))
        ]
        ended = [Finished(key, "scf" if key == 8 else "") for key in ids]
        ranked = [RankingBegan(1, 5), Ranked(1, (), (), ()), RankingBegan(2, 5)]
        store.append(1.0, [*ended, *ranked, Ranked(2, (), (), ())], simulated, [])
    return settings


def ranked(library, settings, folder, n):
    """Return what the third ranking says of molecules that have no value: id, mean, deviation."""
    folder.mkdir()
    policy = settings.policy()
    sign = settings.objective().sign
    signed = {key: sign * value for key, value in VALUES.items()}
    task = RankTask(folder, policy, n, (settings.campaign.seed, 3))
    Training.of(library, policy.features, signed).write(task.training)
    found = rank(task, library.shards)
    return zip(found.ids.tolist(), (sign * found.means).tolist(), found.stds.tolist(), strict=True)


@pytest.mark.parametrize("direction", ["maximise", "minimise"])
@pytest.mark.parametrize("policy", ["gp", "forest"])
def test_it_says_what_the_next_ranking_would(tmp_path, library, policy, direction):
    settings = a_run(
        tmp_path / "run", library, search={"policy": policy}, property={"direction": direction}
    )
    frame = molloop.predict(tmp_path / "run").frame()
    assert frame.index.tolist() == list(range(9))
    for key, mean, std in ranked(library, settings, tmp_path / "ranking", 5):
        row = frame.loc[key]
        assert (row.predicted_ie_ev, row.predicted_ie_ev_std) == pytest.approx((mean, std), 1e-12)
    assert frame["ie_ev"].dropna().to_dict() == VALUES
    assert frame["name"].tolist() == ["methane", "=NH3", "", "", "m,e", "", "", "", ""]
    assert set(zip(frame["level"], frame["fidelity"], strict=True)) == {("gfn2", "relaxed")}
    best = molloop.predict(tmp_path / "run", 3).frame()
    ascending = direction == "minimise"
    expected = frame.sort_values("predicted_ie_ev", ascending=ascending, kind="stable")[:3]
    assert best.equals(expected)


def test_csv_and_parquet_hold_the_same(tmp_path, library):
    a_run(tmp_path / "run", library)
    found = molloop.predict(tmp_path / "run")
    assert (found.n_molecules, found.n_values) == (9, 4)
    for name in ("a.csv", "a.parquet"):
        found.write(tmp_path / name)
    frame = pd.read_parquet(tmp_path / "a.parquet").set_index("molecule_id")
    assert frame.equals(found.frame())
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows][:5] == ["methane", "'=NH3", "", "", "m,e"]
    assert [float(row["predicted_ie_ev"]) for row in rows] == frame["predicted_ie_ev"].tolist()
    assert [row["ie_ev"] for row in rows][:4] == ["14.0", "", "", "13.0"]
    assert "\n".join(line for some in found.csv_lines() for line in some) + "\n" == (
        (tmp_path / "a.csv").read_text()
    )


def test_kept_columns_stand_behind_the_others(tmp_path, library, monkeypatch):
    a_run(tmp_path / "run", library)
    kept = {"mw": "1.0", "ie_ev": "mine", "=x": "-2"}
    monkeypatch.setattr(type(library), "kept_names", tuple(kept))
    monkeypatch.setattr(type(library), "kept", lambda _self, key: kept if key != 4 else {})
    frame = molloop.predict(tmp_path / "run").frame()
    assert list(frame.columns[-3:]) == ["mw", "library_ie_ev", "=x"]
    assert frame.iloc[3][["mw", "library_ie_ev", "=x"]].tolist() == ["1.0", "mine", "-2"]
    assert frame.iloc[4][["mw", "library_ie_ev", "=x"]].tolist() == ["", "", ""]
    molloop.predict(tmp_path / "run").write(tmp_path / "a.csv")
    header, first, *_ = (tmp_path / "a.csv").read_text().splitlines()
    assert header.endswith(",mw,library_ie_ev,'=x")
    assert first.endswith(",1.0,mine,-2")  # a number


@pytest.mark.parametrize("cells", [("a\nb", "c\r\nd", 'q "x", y'), ("=1\n=2", "x\n-y", "\nz")])
def test_cells_of_several_lines_are_read_back(tmp_path, library, monkeypatch, cells):
    a_run(tmp_path / "run", library)
    kept = dict(zip(("a", "b", "c"), cells, strict=True))
    monkeypatch.setattr(type(library), "kept_names", tuple(kept))
    monkeypatch.setattr(type(library), "kept", lambda _self, _key: kept)
    molloop.predict(tmp_path / "run").write(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9
    expected = [one.replace("=1", "'=1") for one in cells]
    assert [[row[name] for name in kept] for row in rows] == [expected] * 9


def test_what_a_model_expects_has_the_levels_that_it_has_learnt(tmp_path, library):
    """The molecules that the run has computed are of its level, those of the file of theirs."""
    known = [Known("O", 12.5, 2, "experiment"), Known("CC", 10.0, 4)]
    a_run(tmp_path / "run", library, known)
    frame = molloop.predict(tmp_path / "run").frame()
    made_by = list(zip(frame["level"], frame["fidelity"], strict=True))
    assert {made_by[key] for key in (*VALUES, 4)} == {("gfn2", "relaxed")}
    assert made_by[2] == ("experiment", "")
    others = {made_by[key] for key in range(9) if key not in (*VALUES, 2, 4)}
    assert others == {("gfn2 experiment", "relaxed")}


def test_without_a_value_of_the_run_predictions_are_of_the_known_level(tmp_path, library):
    settings = molloop.load(library={"source": str(tmp_path / "named.smi")})
    session = Session("now", settings.to_toml(), {"library": library.describe()})
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.toml").write_text(session.config)
    known = [Known("O", 12.5, 2, "experiment"), Known("CC", 10.0, 4, "experiment")]
    stages = [stage_of(settings.protocol())]
    with closing(Store.create(tmp_path / "run" / STORE, session, known, stages)) as store:
        store.append(0.0, [Began(library.n_molecules, 2)], [], [])
    frame = molloop.predict(tmp_path / "run").frame()
    assert set(zip(frame["level"], frame["fidelity"], strict=True)) == {("experiment", "")}


def test_known_values_train_the_model_and_are_shown(tmp_path, library):
    known = [Known("O", 12.5, 2), Known("CCCCCC", 10.0, None)]
    a_run(tmp_path / "run", library, known)
    found = molloop.predict(tmp_path / "run")
    assert found.n_values == 6
    assert found.frame()["ie_ev"].dropna().to_dict() == VALUES | {2: 12.5}


def test_known_values_of_a_goal_are_shown_with_their_level(tmp_path, library):
    """Of water, the third molecule; its mass is the library's, or what was stored with it."""
    known = [Known("O", 12.5, 2, "experiment", further={"molar_mass": 18.015})]
    constraints = [{"quantity": "molar_mass", "high": 500.0}]
    a_run(tmp_path / "run", library, known, constraints=constraints)
    found = molloop.predict(tmp_path / "run")
    assert found.n_values == 5
    frame = found.frame()
    assert frame["ie_ev"].dropna().to_dict() == VALUES | {2: 12.5}
    assert frame.loc[2, "level"] == "experiment"
    assert {frame.loc[key, "level"] for key in VALUES} == {"gfn2"}
    assert {frame.loc[key, "level"] for key in range(9) if key not in (2, *VALUES)} == {
        "gfn2 experiment"
    }


def test_a_library_that_is_gone_is_built_again(tmp_path, library, monkeypatch):
    a_run(tmp_path / "run", library)
    expected = molloop.predict(tmp_path / "run").frame()
    shutil.rmtree(library.folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert molloop.predict(tmp_path / "run").frame().equals(expected)
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "named.smi").write_text("C\nN\n")
    with pytest.raises(InputError, match="the library that this run has used"):
        molloop.predict(tmp_path / "run")


def test_what_the_conditions_leave_out_is_not_predicted(tmp_path, library):
    # heavy atoms: 1 of C, N and O; an alcohol is methanol alone
    a_run(tmp_path / "run", library, conditions={"min_heavy_atoms": 2, "excluded_smarts": "CO"})
    found = molloop.predict(tmp_path / "run")
    assert found.frame()["smiles"].tolist() == ["CC", "CN", "C#N", "C=O", "CF"]
    assert found.n_values == 4  # methane's counts for the model
    assert set(molloop.predict(tmp_path / "run", 9).frame().index) == {3, 5, 6, 7, 8}


def test_a_library_that_has_changed_is_told(tmp_path, library, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    a_run(tmp_path / "run", library)
    molloop.predict(tmp_path / "run")
    [shard] = (tmp_path / "cache").glob("**/shard-*.arrow")
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(RunError, match="its checksum is not the manifest's"):
        molloop.predict(tmp_path / "run")


@pytest.mark.parametrize(
    ("top", "sections", "words"),
    [
        (0, {}, "top: got 0, expected 1 at least"),
        (None, {"search": {"policy": "random"}}, "search.policy: got 'random'"),
    ],
)
def test_what_cannot_be_predicted_is_told(tmp_path, library, top, sections, words):
    a_run(tmp_path / "run", library, **sections)
    with pytest.raises(InputError, match=words):
        molloop.predict(tmp_path / "run", top)


def test_a_run_without_a_value_and_another_format_are_told(tmp_path, library):
    a_run(tmp_path / "run", library)
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        molloop.predict(tmp_path / "run").write(tmp_path / "a.sdf")
    settings = molloop.load(library={"source": str(tmp_path / "named.smi")})
    session = Session("now", settings.to_toml(), {"library": library.describe()})
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.toml").write_text(session.config)
    Store.create(tmp_path / "empty" / STORE, session, (), [stage_of(settings.protocol())]).close()
    with pytest.raises(InputError, match="a run without a value"):
        molloop.predict(tmp_path / "empty")


def test_the_command_prints_a_table_or_writes_one(tmp_path, library):
    a_run(tmp_path / "run", library)
    words = ["predict", str(tmp_path / "run"), "--top", "2", "-q"]
    printed = CliRunner().invoke(app, words)
    header, *rows = printed.stdout.splitlines()
    assert (printed.exit_code, len(rows)) == (0, 2)
    assert header == ",".join(molloop.predict(tmp_path / "run").header)
    written = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "a.csv")])
    assert written.stdout == f"2 molecules by a model of 4 values: {tmp_path / 'a.csv'}\n"
    assert (tmp_path / "a.csv").read_text() == printed.stdout
    wrong = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "a.sdf")])
    assert isinstance(wrong.exception, InputError)


def a_ladder_run(tmp_path, library):
    """Store a run of two stages, and return its folder, settings, and values in each stage."""
    stages = ("gfn2", "ipea1")
    sections = {"library": {"source": str(tmp_path / "named.smi")}, "search": {"policy": "ridge"}}
    settings = molloop.load(stages=[{"level": one} for one in stages], **sections)
    session = Session("now", settings.to_toml(), {"library": library.describe()})
    (folder := tmp_path / "run").mkdir()
    (folder / "config.toml").write_text(session.config)
    below, above = VALUES, {0: 11.0, 3: 10.0}
    rows = [(stages[0], *one) for one in below.items()] + [
        (stages[1], *one) for one in above.items()
    ]
    known = [Known("CCC", 12.5, None)]
    with closing(
        Store.create(folder / STORE, session, known, map(stage_of, settings.protocols()))
    ) as store:
        store.append(
            1.0,
            [
                Began(library.n_molecules, 1),
                *(Submitted((key,), Source.INITIAL, 0, 1, stage) for stage, key, _ in rows),
                *(Finished(key, "", 1.0, value, stage) for stage, key, value in rows),
                Ranked(1, (), (), (), 0.0, stages[0]),
                Ranked(1, (), (), (), 0.0, stages[1]),
            ],
            [
                Simulated(
                    *(number, key, stage, library.smiles(key), 0, 1.0, "w", 0.0, 1.0),
                    Success({"ie": value}),
                )
                for number, (stage, key, value) in enumerate(rows)
            ],
            [],
        )
    return folder, settings, below, above


def test_of_a_ladder_it_says_what_is_expected_of_the_last_value(tmp_path, library):
    folder, settings, below, above = a_ladder_run(tmp_path, library)
    found = molloop.predict(folder)
    assert found.n_values == 5  # of the first stage, the known one among them
    frame = found.frame()
    assert frame["ie_ev"].dropna().to_dict() == above
    assert set(frame["level"]) == {"ipea1"}
    # both molecules change by -3 eV: so do those that have a value below
    for key in (0, 3, 5, 7):  # of the first two the last value is known: it stands beside
        assert frame.loc[key].predicted_ie_ev == pytest.approx(below[key] - 3.0)
    # the pairs' scatter is 0: beside it counts the width of the values, and the mean is in doubt
    spread = np.std(list(below.values()))
    assert frame.loc[5].predicted_ie_ev_std == pytest.approx(spread * np.sqrt(1 / 2 * 3 / 2))
    # others by the model of the first stage, of all its values, and the same difference
    outside = features_of([Chem.MolFromSmiles("CCC")], [None], library)["descriptors"]
    features = np.concatenate([outside, library.features("descriptors", list(below))])
    values = np.array([12.5, *below.values()])
    seed = (settings.campaign.seed, 2)
    model = fitted(settings.policy(), features, values, np.random.default_rng(seed))
    [mean], _ = model.predict(library.features("descriptors", [1]))
    assert frame.loc[1].predicted_ie_ev == pytest.approx(mean - 3.0)
    best = molloop.predict(folder, top=1).frame()
    assert best.predicted_ie_ev.iloc[0] == frame.predicted_ie_ev.max()


def test_an_export_of_a_ladder_says_what_is_expected_where_the_library_is_there(tmp_path, library):
    folder, _, below, above = a_ladder_run(tmp_path, library)
    said = []
    molloop.export_run(folder, tmp_path / "a.csv", "csv", say=said.append)
    rows = pd.read_csv(tmp_path / "a.csv").drop_duplicates("molecule_id").set_index("molecule_id")
    assert said == []
    for key, value in below.items():
        assert rows.loc[key, "ie_ev_gfn2"] == value
        assert rows.loc[key, "expected_ie_ev"] == pytest.approx(above.get(key, value - 3.0))
    (tmp_path / "named.smi").write_text("CCCCCCC\n")
    molloop.export_run(folder, tmp_path / "b.csv", "csv", say=said.append)
    assert said[0].startswith("What is expected of ipea1 is left out. library.source: got")
    columns = pd.read_csv(tmp_path / "b.csv").columns
    assert "ie_ev_ipea1" in columns
    assert "expected_ie_ev" not in columns
