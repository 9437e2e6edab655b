"""Replays of several objectives and within constraints."""

import numpy as np
import pytest

import molloop
from molloop.assembly.replays import compare_policies, replay_table, tune_settings
from molloop.assembly.tables import table_settings
from molloop.errors import InputError
from molloop.replay.goals import points_of, truth_of
from molloop.replay.measures import Truth
from molloop.replay.summary import comparison_rows
from molloop.replay.table import Table, open_table
from molloop.report.front import Front, write_front

TEXT = """smiles,ie_ev,orbital_gap_ev,flags
CCO,9,4,
C,8,3,
N,9,5,
CC,7,1,
O,99,,
CCC,6,9,spin_contaminated
"""
TWO = [{"quantity": "ie"}, {"quantity": "orbital_gap", "direction": "minimise"}]


def table_of(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(TEXT)
    return open_table(str(path), tmp_path / "cache", further=["orbital_gap_ev"])


def test_a_table_has_further_columns_in_the_order_of_its_library(tmp_path):
    table = table_of(tmp_path)
    assert table.values.tolist() == [9, 8, 9, 7, 99, 6]
    gaps = table.further["orbital_gap_ev"]
    assert gaps[[0, 1, 2, 3, 5]].tolist() == [4, 3, 5, 1, 9]
    assert np.isnan(gaps[4])


def test_the_true_front_and_what_it_covers_by_hand(tmp_path):
    table = table_of(tmp_path)
    goal = molloop.load(objectives=TWO).goal()
    truth = truth_of(table, goal, 100)
    assert truth.top.tolist() == [0, 1, 3]
    # its worst are 7 and -4, its range 2 and 3
    assert truth.reference == pytest.approx((6.8, -4.3))
    assert truth.hypervolume == pytest.approx(2.2 * 0.3 + 1.2 * 1.0 + 0.2 * 2.0)
    assert truth.best == 9
    keeps = molloop.load(objectives=TWO, property={"flagged": "keep"}).goal()
    assert np.isnan(points_of(table, goal)[5]).all()
    assert points_of(table, keeps)[5].tolist() == [6, -9]


def test_the_front_of_one_molecule_covers_something():
    truth = Truth.of_front(np.array([[3.0, 4.0], [1.0, 1.0], [2.0, 0.0]]), 1)
    assert truth.top.tolist() == [0]
    assert truth.reference == pytest.approx((2.9, 3.9))
    assert truth.hypervolume == pytest.approx(0.1 * 0.1)


def test_the_best_within_constraints(tmp_path):
    table = table_of(tmp_path)
    goal = molloop.load(constraints=[{"quantity": "orbital_gap", "low": 4.0}]).goal()
    assert truth_of(table, goal, 2).top.tolist() == [0, 2]
    light = molloop.load(constraints=[{"quantity": "molar_mass", "high": 20.0}]).goal()
    assert truth_of(table, light, 9).top.tolist() == [4, 2, 1]
    none = molloop.load(constraints=[{"quantity": "orbital_gap", "low": 40.0}]).goal()
    with pytest.raises(InputError, match=r"constraints: .*40 <= Orbital gap"):
        truth_of(table, none, 2)


def test_the_columns_of_a_goal_are_asked_for(tmp_path):
    table, settings = table_of(tmp_path), molloop.load(objectives=[*TWO, {"quantity": "ea"}])
    with pytest.raises(
        InputError, match=r"expected the columns of the goal, ie_ev, orbital_gap_ev"
    ):
        table_settings(settings, table)


@pytest.fixture
def table(small_library):
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, small_library.n_molecules))
    return Table(
        "t", "ie_ev", small_library, one, np.ones(len(one)), further={"orbital_gap_ev": other}
    )


def settings_of(**more):
    return molloop.load(
        objectives=TWO, campaign={"initial_training_count": 6, "max_training_count": 20}, **more
    )


def test_a_replay_tells_how_much_of_the_front_it_has_found(table, tmp_path):
    played = replay_table(table, settings_of(), out=tmp_path)
    points = np.stack([table.values, -table.further["orbital_gap_ev"]], axis=1)
    ids = [item.molecule_id for item in played.results.simulated]
    share = np.isin(played.truth.top, ids).mean()
    assert played.curves.recall[-1] == pytest.approx(share)
    shares = played.curves.hypervolume
    assert len(shares) == 20
    assert (np.diff(shares) >= 0).all()
    assert (shares[-1] == pytest.approx(1)) == (share == 1)
    front = Front.of(played.results, settings_of().goal())
    found = points[ids]
    is_front = [not ((found >= one).all(1) & (found > one).any(1)).any() for one in found]
    assert front.n == sum(is_front)
    text = (tmp_path / "pareto_front.csv").read_text().splitlines()
    assert len(text) == 21
    assert text[0].startswith("rank,smiles,name,ie_ev,orbital_gap_ev,dominates,dominated_by")
    assert "orbital_gap_ev" in (tmp_path / "training_data.csv").read_text().splitlines()[0]
    best = (tmp_path / "best_molecules.csv").read_text().splitlines()[0]
    assert "predicted_orbital_gap_ev,predicted_orbital_gap_ev_std,orbital_gap_ev" in best


def test_who_beats_whom_by_hand(table, tmp_path):
    played = replay_table(table, settings_of())
    front = Front.of(played.results, settings_of().goal())
    write_front(played.results, front, tmp_path / "front.csv")
    rows = [line.split(",") for line in (tmp_path / "front.csv").read_text().splitlines()[1:]]
    numbers = {row[1]: (float(row[3]), -float(row[4])) for row in rows}
    by_rank = {row[0]: numbers[row[1]] for row in rows if row[0]}
    n_beaten = dict.fromkeys(by_rank, 0)
    for row in rows:
        point = numbers[row[1]]
        beaten_by = [
            rank
            for rank, (x, y) in by_rank.items()
            if x >= point[0] and y >= point[1] and (x, y) != point
        ]
        assert row[6].split() == beaten_by
        assert bool(row[0]) == (not beaten_by)
        for rank in beaten_by:
            n_beaten[rank] += 1
    assert {row[0]: int(row[5]) for row in rows if row[0]} == n_beaten


def test_policies_are_compared_by_the_front_that_they_find(table, tmp_path):
    found = compare_policies(
        table, ["ridge-ucb"], settings_of(), n_seeds=2, out=tmp_path, n_processes=1
    )
    rows = (tmp_path / "comparison.csv").read_text().splitlines()
    assert rows[0] == "policy,seed,n_simulations,time_s,recall_front,hypervolume"
    assert len(rows) == 1 + 2 * 4 * 20
    shares = found.over_simulations("ridge-ucb", "hypervolume")
    assert shares.shape == (2, 20)
    headings, first, *_ = comparison_rows(found)
    k = len(found.truth.top)
    assert headings == [
        *("policy", "hypervolume after 5", "after 10", "after 20", f"of the {k} on the front"),
        *("time (s)", "ahead by"),
    ]
    assert first[3] == f"{shares[:, -1].mean():.3f}"
    assert (tmp_path / "comparison.png").exists()


def test_settings_are_tuned_for_the_hypervolume(table, tmp_path):
    found = tune_settings(table, settings_of(), n_trials=3, out=tmp_path, n_processes=1)
    assert 0 < found.best.value <= 1
    tuned = molloop.load(tmp_path / "tuned.toml")
    assert tuned.goal() == settings_of().goal()
    assert not tuned.search.policy.endswith("-ei")
    with pytest.raises(InputError, match="expected hypervolume or recall"):
        tune_settings(table, settings_of(), objective="best")
