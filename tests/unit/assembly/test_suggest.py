"""What to try next, for values from elsewhere."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

import molloop
from molloop.assembly.measured import read_measured
from molloop.campaign.warm_start import features_of
from molloop.errors import InputError
from molloop.library.ingest import open_or_build
from molloop.replay.campaign import Scenario
from molloop.replay.table import Table
from molloop.search.policy import policy_named
from molloop.search.rank import RankTask, rank
from molloop.search.training import Training

# of alcohols, amines, ethers: made up, but for their order
VALUES = {"C": 4.0, "N": 1.0, "CO": 2.0, "CC": 3.5, "C=O": 1.5, "CF": 4.5, "CCCCCC": 3.0}


def written(path, text):
    path.write_text(text)
    return path


def table_of(folder, values=VALUES, column="logp"):
    rows = "".join(f"{smiles},{value}\n" for smiles, value in values.items())
    return written(folder / "values.csv", f"smiles,{column}\n{rows}")


def names(found):
    return [one.smiles for one in found.molecules]


def test_molecules_with_a_value_are_not_suggested(small_library, tmp_path):
    found = molloop.suggest(small_library, table_of(tmp_path), 100)
    # hexane is not in the library
    assert (found.column, found.n_values, found.n_outside) == ("logp", 7, 1)
    everything = {small_library.smiles(key) for key in range(small_library.n_molecules)}
    assert set(names(found)) == everything - set(VALUES)
    assert len(names(found)) == 24 - 6
    for one in found.molecules:
        assert small_library.smiles(one.molecule_id) == one.smiles
        assert one.std > 0


def test_it_is_the_first_ranking_of_a_run_that_begins_with_the_values(small_library, tmp_path):
    columns = "smiles,logp,level,fidelity"
    rows = "".join(f"{smiles},{value},exp,own\n" for smiles, value in VALUES.items())
    path = written(tmp_path / "values.csv", f"{columns}\n{rows}")
    lengths = [float(len(small_library.smiles(key))) for key in range(24)]
    table = Table("t", "logp", small_library, np.array(lengths), np.ones(24), "exp", "own")
    settings = molloop.load(
        campaign={
            "training_data": str(path),
            "schedule": "batch",
            "initial_training_count": 7,
            "max_training_count": 11,
            "batch_size": 4,
            "seed": 5,
        }
    )
    ranking = molloop.replay_table(table, settings, Scenario(), 5).results.rankings[0]
    found = molloop.suggest(small_library, path, 5, seed=5)  # the least that a run ranks
    assert tuple(one.molecule_id for one in found.molecules) == ranking.molecule_ids
    # a replay takes as many threads as there are, which may change the last bit
    assert [one.mean for one in found.molecules] == pytest.approx(ranking.means, rel=1e-12)
    assert [one.std for one in found.molecules] == pytest.approx(ranking.stds, rel=1e-12)


def test_they_may_be_asked_to_be_unlike_each_other_and_what_is_pending(small_library):
    # of alkanes no two share no bit: after ethane is pending, none of them comes
    found = molloop.suggest(small_library, VALUES, 100, diversity=1.0)
    alike = molloop.suggest(small_library, VALUES, 100)
    assert 0 < len(names(found)) < len(names(alike))
    pending = molloop.suggest(small_library, VALUES, 100, diversity=1.0, pending=["CCO"])
    assert not {"CCC", "COC", "CCF"} & set(names(pending))
    with pytest.raises(InputError, match=r"diversity: got 1\.5"):
        molloop.suggest(small_library, VALUES, 1, diversity=1.5)


def test_what_is_pending_is_believed_to_turn_out_as_expected(small_library, tmp_path):
    # as what was chosen before is: asked for one at a time, the same three come
    three = molloop.suggest(small_library, VALUES, 3)
    asked = []
    for _ in range(3):
        found = molloop.suggest(small_library, VALUES, 1, pending=asked)
        assert found.n_pending == len(asked)
        asked += names(found)
    assert asked == names(three)
    # what was suggested is a table of pending molecules
    path = written(tmp_path / "pending.csv", three.to_csv())
    others = molloop.suggest(small_library, VALUES, 15, pending=path)
    assert set(names(others)).isdisjoint(asked)
    assert len(names(others)) == 15


def test_pending_molecules_outside_of_the_library_and_with_a_value(small_library):
    found = molloop.suggest(small_library, VALUES, 100, pending=["CCCCCCCC", "OC", "C"])
    assert found.n_pending == 1  # octane; the other two have values by now
    assert len(found.molecules) == 18
    # the most unsure one comes first; its twin of another isotope says as much as it would itself
    assert names(molloop.suggest(small_library, VALUES, 2)) == ["C1CC1", "FC(F)F"]
    twin = molloop.suggest(small_library, VALUES, 1, pending=["[13CH2]1CC1"])
    assert names(twin) == ["FC(F)F"]


def test_values_of_molecules_outside_train_the_model(small_library):
    without = {smiles: value for smiles, value in VALUES.items() if smiles != "CCCCCC"}
    one, other = (molloop.suggest(small_library, values, 18) for values in (VALUES, without))
    means = [{m.smiles: m.mean for m in found.molecules} for found in (one, other)]
    assert means[0]["CCC"] != means[1]["CCC"]


def test_small_values_are_good_where_one_says_so(small_library):
    negated = {smiles: -value for smiles, value in VALUES.items()}
    least = molloop.suggest(small_library, VALUES, 5, direction="minimise")
    most = molloop.suggest(small_library, negated, 5)
    assert [(one.smiles, -one.mean, one.std) for one in least.molecules] == [
        (one.smiles, one.mean, one.std) for one in most.molecules
    ]


def test_what_gave_no_value_is_not_suggested(small_library, tmp_path):
    path = table_of(tmp_path, VALUES | {"CCO": "", "COC": "nan", "N#C": ""})
    found = molloop.suggest(small_library, path, 100)
    assert (found.n_values, found.n_without) == (7, 3)
    assert {"CCO", "COC", "C#N"}.isdisjoint(names(found))
    assert len(names(found)) == 15


def test_what_is_like_those_that_gave_no_value_comes_later(small_library, tmp_path):
    # of fluorides, none of them in the library
    without = dict.fromkeys(("CCCF", "CCCCF", "FCCF", "CC(C)F", "FCCCF", "CCC(C)F"), "")
    before = names(molloop.suggest(small_library, VALUES, 18))
    after = names(molloop.suggest(small_library, table_of(tmp_path, VALUES | without), 18))
    assert sorted(before) == sorted(after)
    assert after.index("FC(F)F") > before.index("FC(F)F")


@pytest.mark.parametrize("none", [None, float("nan"), np.nan, pd.NA, np.float32("nan")])
def test_of_values_in_a_program_none_and_nan_are_none(small_library, none):
    found = molloop.suggest(small_library, VALUES | {"CCO": none, "N#C": none}, 100)
    assert (found.n_values, found.n_without) == (7, 2)
    assert {"CCO", "C#N"}.isdisjoint(names(found))
    assert len(names(found)) == 16


def test_a_series_holds_values_by_smiles(small_library):
    series = pd.Series(VALUES)
    found = molloop.suggest(small_library, series, 3, pending=pd.Series(["CCC"]))
    assert found == molloop.suggest(small_library, VALUES, 3, pending=["CCC"])
    twice = pd.concat([series, pd.Series({"CO": 9.0})])
    with pytest.raises(InputError, match=r"value of 'CO'.*9\.0"):
        molloop.suggest(small_library, twice)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"training_data": 5}, "training data: got 5, expected a file, or values by SMILES"),
        ({"training_data": [("C", 1.0)]}, "training data: got"),
        ({"training_data": pd.Series([1.0, 2.0])}, "training data: got 0, expected a SMILES"),
        ({"training_data": {"C": "x", "N": 2.0}}, "value of 'C': got 'x'"),
        ({"training_data": {"C": [1.0], "N": 2.0}}, "value of 'C': got"),
        ({"n": 2.5}, "n: got 2.5"),
        ({"n": "3"}, "n: got '3'"),
        ({"pending": 5}, "pending: got 5"),
        ({"pending": [5]}, "pending: got 5, expected a SMILES"),
        ({"seed": 1.5}, "^seed: got 1.5"),
    ],
)
def test_what_a_program_gives_wrongly_is_told(small_library, options, words):
    given = {"training_data": VALUES} | options
    with pytest.raises(InputError, match=words):
        molloop.suggest(small_library, **given)


def test_the_one_column_of_numbers_is_found(tmp_path):
    text = "name,smiles,IP (eV),,level,batch,\nmethane,C,12.6, ,exp,1,\nwater,O x,,b,exp,2,\n"
    found = read_measured(written(tmp_path / "a.csv", text))
    where = f"{tmp_path / 'a.csv'}, line"
    assert found.column == "IP (eV)"
    assert found.values == ((f"{where} 2", "C", 12.6),)
    assert found.without == ((f"{where} 3", "O"),)
    # a number elsewhere is no matter, where the column is named
    text = "smiles,id,ip\nC,7,12.6\nO,8,12.6\n"
    assert read_measured(written(tmp_path / "b.csv", text), "ip").column == "ip"


def test_a_cell_that_is_no_number_is_named(tmp_path):
    text = "smiles,note,ip\nC,good,4\nN,bad,abc\nO,7,2.5\n"
    with pytest.raises(InputError, match=r"a\.csv, line 3, ip: got 'abc'"):
        read_measured(written(tmp_path / "a.csv", text))


def test_a_value_with_a_doubt_is_learnt_from_and_is_not_the_best(small_library, tmp_path):
    rows = "smiles,ie_ev,flags\nC,14.5,anion_not_bound\nN,19,not_converged\nCO,13,\n"
    path = written(tmp_path / "values.csv", rows)
    for column in (None, "ie_ev"):
        measured = read_measured(path, column)
        assert measured.doubtful == {"N"}  # no anion is part of the IE
        assert [value for *_, value in measured.values] == [14.5, 19.0, 13.0]
    found = molloop.suggest(small_library, path, 3)
    assert found.n_values == 3
    assert "N" not in names(found)


def test_names_that_are_numbers_are_no_values(tmp_path):
    text = "CID;SMILES;Molecule ID;IP\n7;C;1;12,6\n8;O;2;\n"
    found = read_measured(written(tmp_path / "a.csv", text))
    assert (found.column, [value for *_, value in found.values]) == ("IP", [12.6])


def test_values_and_what_is_pending_are_read_alike(small_library, tmp_path):
    values = written(tmp_path / "values.csv", "mol|logp\nC|4,0\nN|1,0\nCO|2,0\n")
    pending = written(tmp_path / "pending.csv", "id|mol\nx|CC\ny|C=O\n")
    options = {"smiles_column": "MOL", "separator": "|"}
    found = molloop.suggest(small_library, values, 2, pending=pending, **options)
    assert (found.n_values, found.n_pending) == (3, 2)
    # what was suggested is read as it is, whatever is said of the values
    suggested = written(tmp_path / "next.csv", found.to_csv())
    again = molloop.suggest(small_library, values, 2, pending=suggested, **options)
    assert (again.n_pending, set(names(found)) & set(names(again))) == (2, set())
    with pytest.raises(InputError, match="name it by `--smiles-column 1`"):
        molloop.suggest(small_library, values, pending=pending, separator="|")


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("smiles,a,b\nC,1,2\nN,2,3\n", {}, "column: is missing.* a and b .*Name one of a, b"),
        ("smiles,a\nC,x\nN,2\n", {}, "none of the columns .*Name one of a"),
        ("smiles\nC\n", {}, "column: is missing"),
        ("smiles,a\n", {}, "column: is missing"),
        ("structure,a\nC,1\n", {}, "'structure', 'a'.*--smiles-column 1`.*call it smiles"),
        ("smiles,a\nC,1\nN,x\n", {"column": "a"}, "line 3, a: got 'x', expected a finite number"),
        ("smiles,a\nC,1\nN,inf\n", {"column": "a"}, "line 3, a: got 'inf'"),
        ("smiles,a\nC,1\n", {"column": "b"}, "Add b"),
        ("smiles,a\nC,1\n", {"column": "smiles"}, "column: got 'smiles'"),
        ("smiles,a\nC,1\nCx,2\nN,3\n", {}, "line 3, smiles: got 'Cx'"),
        ("smiles,a\nCO,1\nN,2\nOC,3\n", {}, "line 4, a: got 3.0, expected 1.0"),
        ("smiles,a\nC,1\nN,\n", {}, "1 molecule with a value of a.*2 at least"),
        ("smiles,a,level\nC,1,x\nN,2,y\n", {}, "line 3, level: got 'y', expected 'x'"),
        ("smiles,a,fidelity\nC,1,x\nN,2,\n", {}, "line 3, fidelity: got '', expected 'x'"),
        ("smiles,a\nC,1\nN,2\n", {"policy": "best"}, "^policy: got 'best'"),
        ("smiles,a\nC,1\nN,2\n", {"policy": "random"}, "one with a model"),
        ("smiles,a\nC,1\nN,2\n", {"direction": "up"}, "^direction: got 'up'"),
        ("smiles,a\nC,1\nN,2\n", {"n": 0}, "n: got 0"),
        ("smiles,a\nC,1\nN,2\n", {"pending": ["x"]}, "pending 'x', smiles"),
    ],
)
def test_what_is_wrong_is_told(small_library, tmp_path, text, options, words):
    with pytest.raises(InputError, match=words):
        molloop.suggest(small_library, written(tmp_path / "values.csv", text), **options)


def test_a_value_that_has_no_level_does_not_ask_for_one(small_library, tmp_path):
    text = "smiles,a,level\nC,1,x\nN,2,x\nO,,\n"
    found = molloop.suggest(small_library, written(tmp_path / "values.csv", text), 1)
    assert found.n_without == 1


def test_a_library_without_another_molecule_is_told(tmp_path):
    source = written(tmp_path / "two.smi", "C\nN\n")
    library = open_or_build(str(source), cache_dir=tmp_path / "cache")
    with pytest.raises(InputError, match="all 2 molecules of the library"):
        molloop.suggest(library, {"C": 1.0, "N": 2.0})


def test_numbers_are_written_as_sure_as_they_are(small_library):
    found = molloop.suggest(small_library, {"C": -1000.0, "N": 2000.0}, 1)
    [one] = found.molecules
    columns = "molecule_id,smiles,name,predicted_value,predicted_value_std"
    text = f"{columns}\n{one.molecule_id},{one.smiles}"
    head, _, numbers = found.to_csv().removesuffix("\n").rpartition(one.smiles)
    assert head + one.smiles == text
    mean, std = map(float, numbers.split(",")[2:])
    assert mean == pytest.approx(one.mean, abs=one.std / 1000)
    assert std == pytest.approx(one.std, rel=1e-3)
    frame = found.frame()
    assert frame.index.tolist() == [one.molecule_id]
    assert frame.iloc[0].tolist() == [one.smiles, "", one.mean, one.std]


def test_a_suggestion_has_the_name_that_the_library_s_file_gives_it(tmp_path):
    source = written(tmp_path / "a.smi", "C methane\nN =NH3\nO water\nCO\n")
    library = open_or_build(str(source), cache_dir=tmp_path / "cache")
    found = molloop.suggest(library, {"C": 1.0, "O": 2.0}, 2)
    assert {one.smiles: one.name for one in found.molecules} == {"N": "=NH3", "CO": ""}
    assert found.frame().set_index("smiles")["name"].to_dict() == {"N": "=NH3", "CO": ""}
    cells = {line.split(",")[1]: line.split(",")[2] for line in found.to_csv().splitlines()}
    assert cells == {"smiles": "name", "N": "'=NH3", "CO": ""}


def test_a_file_of_smiles_is_a_library(small_smi, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = molloop.suggest(Path(small_smi), {"C": 1.0, "O": 2.0}, 2)
    assert len(found.molecules) == 2


TWO = {
    "property": {"simulator": "elsewhere"},
    "objectives": [
        {"quantity": "power", "unit": "W"},
        {"quantity": "cost", "unit": "EUR", "direction": "minimise"},
        {"quantity": "heavy_atoms", "direction": "minimise"},
    ],
    "constraints": [{"quantity": "cost", "high": 6.0}, {"quantity": "rings", "high": 0}],
}
# power (W) and cost (EUR); of ethanol no cost is known, hexane is not in the library
OF_TWO = {
    "C": (4.0, 1.0),
    "N": (1.0, 2.0),
    "CO": (2.0, 8.0),
    "CC": (3.5, 3.0),
    "CCO": (2.5, None),
    "CCCCCC": (5.0, 9.0),
}


def table_of_two(folder):
    rows = [f"{key},{power},{cost or ''}" for key, (power, cost) in OF_TWO.items()]
    return written(folder / "two.csv", "\n".join(["smiles,power_w,cost_eur", *rows, "CF,,"]) + "\n")


def test_a_goal_is_searched_for_by_a_column_of_each_quantity(small_library, tmp_path):
    found = molloop.suggest(small_library, table_of_two(tmp_path), 4, goal=TWO, seed=5)
    assert found.header == (
        *("molecule_id", "smiles", "name", "predicted_power_w", "predicted_power_w_std"),
        *("predicted_cost_eur", "predicted_cost_eur_std", "heavy_atoms", "rings"),
    )
    assert (found.n_values, found.n_outside, found.n_without) == (6, 1, 1)
    # what the ranking says of the same values, signed, what the library knows beside them
    goal = molloop.load(**TWO).goal()
    known = list(OF_TWO)
    ids = {small_library.smiles(key): key for key in range(24)}
    atoms = {"C": 1, "N": 1, "CO": 2, "CC": 2, "CCO": 3, "CCCCCC": np.nan}
    nan = float("nan")
    values = [
        [power, nan if cost is None else -cost, -atoms[key], nan if key == "CCCCCC" else 0.0]
        for key, (power, cost) in OF_TWO.items()
    ]
    features = features_of(
        [Chem.MolFromSmiles(key) for key in known], list(map(ids.get, known)), small_library
    )["descriptors"]
    failed = small_library.features("descriptors", [ids["CF"]])
    training = Training(
        features=features,
        values=np.array(values),
        order=np.arange(6),
        tried=np.array([ids[key] for key in (*known, "CF") if key in ids]),
        pending=features[:0],
        failed=failed,
        scaling=small_library.scalings["descriptors"],
        best=0.0,
    )
    task = RankTask(tmp_path, policy_named("gp"), 4, (5, 1), goal)
    training.write(task.training)
    expected = rank(task, small_library.shards)
    assert [one.molecule_id for one in found.molecules] == expected.ids.tolist()
    frame = found.frame()
    for place, (column, sign) in enumerate(
        zip(("predicted_power_w", "predicted_cost_eur", "heavy_atoms"), (1, -1, -1), strict=True)
    ):
        assert frame[column].tolist() == pytest.approx((sign * expected.means[:, place]).tolist())
    assert not frame["rings"].any()
    header, first, *_ = found.to_csv().splitlines()
    assert header.split(",") == list(found.header)
    assert float(first.split(",")[3]) == pytest.approx(frame["predicted_power_w"].iloc[0], abs=0.01)


def test_a_goal_takes_files_frames_and_dicts_alike(small_library, tmp_path):
    path = table_of_two(tmp_path)
    config = written(tmp_path / "goal.toml", molloop.load(**TWO).to_toml())
    expected = molloop.suggest(small_library, path, 3, goal=TWO).to_csv()
    assert molloop.suggest(small_library, path, 3, goal=config).to_csv() == expected
    assert molloop.suggest(small_library, path, 3, goal=molloop.load(**TWO)).to_csv() == expected
    rows = {key: {"power_w": one[0], "cost_eur": one[1]} for key, one in OF_TWO.items()}
    rows |= {"CF": {"power_w": None}}
    assert molloop.suggest(small_library, rows, 3, goal=TWO).to_csv() == expected
    frame = pd.DataFrame.from_dict(rows, orient="index")
    assert molloop.suggest(small_library, frame, 3, goal=TWO).to_csv() == expected


def test_a_goal_of_one_objective_is_a_column_and_a_direction(small_library, tmp_path):
    goal = {"property": {"simulator": "elsewhere", "name": "logp", "unit": ""}}
    goal["property"]["direction"] = "minimise"
    path = table_of(tmp_path)
    plain = molloop.suggest(small_library, path, 3, direction="minimise")
    assert molloop.suggest(small_library, path, 3, goal=goal).to_csv() == plain.to_csv()
    assert molloop.suggest(small_library, VALUES, 3, goal=goal).to_csv() == plain.to_csv()
    bounded = goal | {"constraints": [{"quantity": "heavy_atoms", "high": 2}]}
    found = molloop.suggest(small_library, VALUES, 99, goal=bounded)
    assert found.header[-1] == "heavy_atoms"
    assert set(found.frame()["heavy_atoms"]) == {1, 2}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"column": "a"}, "column: got 'a', expected it left out beside a goal"),
        ({"direction": "minimise"}, "direction: got 'minimise', expected it left out"),
        ({"policy": "gp-ei"}, "policy: got 'gp-ei', expected the acquisition ucb or greedy"),
    ],
)
def test_what_does_not_go_with_a_goal_is_told(small_library, tmp_path, words, told):
    with pytest.raises(InputError, match=told):
        molloop.suggest(small_library, table_of_two(tmp_path), 3, goal=TWO, **words)


def test_columns_of_a_goal_that_are_missing_are_told(small_library, tmp_path):
    with pytest.raises(InputError, match="cost_eur"):
        molloop.suggest(small_library, table_of(tmp_path, column="power_w"), 3, goal=TWO)
    with pytest.raises(InputError, match="a value of power_w"):
        molloop.suggest(small_library, {"C": {"cost_eur": 1.0}}, 3, goal=TWO)
    with pytest.raises(InputError, match="a value of power_w"):
        molloop.suggest(small_library, VALUES, 3, goal=TWO)
