"""Replays of a small table: the real driver and rankings."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from molloop.assembly import replays
from molloop.assembly.cases import SettingsSpace, describe
from molloop.config.load import load
from molloop.config.stopping import StoppingSettings
from molloop.errors import InputError, RunError
from molloop.replay import summary, tune
from molloop.replay.campaign import Scenario
from molloop.replay.compare import Comparison
from molloop.replay.measures import Curves, Truth
from molloop.replay.table import Table
from molloop.replay.tune import Search, Trial, judge, pareto
from molloop.report import model_error


@pytest.fixture(scope="module")
def table(small_library):
    lengths = [len(small_library.smiles(key)) for key in range(small_library.n_molecules)]
    values = np.array(lengths, dtype=float) + np.arange(len(lengths)) / 100
    return Table("small", "ie_ev", small_library, values, np.full(len(values), 2.0))


BUDGET = {"campaign.max_training_count": 16, "campaign.initial_training_count": 4}


def settings(**changes):
    return load(None, (), BUDGET | {f"campaign.{key}": one for key, one in changes.items()})


def test_a_replay_is_a_run(table, tmp_path):
    played = replays.replay_table(table, settings(), Scenario(2), 5, tmp_path / "out")
    assert len(played.results.values) == 16
    for key, value in played.results.values.items():
        assert value == table.values[key]
    # 16 simulations of 2 s on two workers, which a training and a ranking delay a little
    assert 16 < played.curves.times_s[-1] < 18
    names = {path.name for path in (tmp_path / "out").iterdir()}
    figures = ("parsl_ml_in_the_loop", "workers", "predicted_vs_simulated")
    files = {f"{one}.{ending}" for one in figures for ending in ("png", "svg")}
    assert names == files | {"training_data.csv", "best_molecules.csv"}
    again = replays.replay_table(table, settings(), Scenario(2), 5)
    assert again.results.values == played.results.values
    assert again.curves.times_s.tolist() == played.curves.times_s.tolist()
    assert list(played.results.accuracy) == [
        "random molecules, each left out",
        "molecules that it chose",
        "other molecules of the table",
    ]
    assert played.results.accuracy["other molecules of the table"].n == 24 - 16


@pytest.mark.parametrize("flagged", ["exclude", "keep"])
def test_flagged_values_of_a_table_are_the_best_where_they_may_be(table, flagged):
    first, second = np.argsort(-table.values)[:2].tolist()
    doubted = replace(table, flags={first: ("not_converged",), second: ("anion_not_bound",)})
    chosen = load(None, (), {"campaign.max_training_count": 24, "property.flagged": flagged})
    played = replays.replay_table(doubted, chosen, Scenario(2), 1)
    assert played.results.values[first] == table.values[first]  # learnt from
    best = first if flagged == "keep" else second
    assert played.truth.top.tolist() == [best]
    assert [one.molecule_id for one in played.results.best(1)] == [best]
    assert (played.curves.recall[-1], played.curves.best[-1]) == (1.0, table.values[best])


def test_failures_are_replaced(table):
    played = replays.replay_table(table, settings(), Scenario(1, failure_rate=0.3))
    assert len(played.results.values) == 16
    assert len(played.curves.recall) > 16


def test_policies_beside_the_baselines(table, tmp_path):
    found = replays.compare_policies(
        table, ["ridge"], settings(), n_seeds=3, top_k=5, out=tmp_path, n_processes=1
    )
    assert list(found.curves) == ["ridge", "random", "train-once", "published"]
    with (tmp_path / "comparison.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        *("policy", "seed", "n_simulations", "time_s", "recall_top_5", "best", "regret", "n_above")
    ]
    assert len(rows) == 4 * 3 * 16
    assert {row["seed"] for row in rows} == {"1000", "1001", "1002"}
    last = [row for row in rows if row["policy"] == "ridge" and row["n_simulations"] == "16"]
    curves = found.curves["ridge"]
    assert [float(row["recall_top_5"]) for row in last] == [one.recall[-1] for one in curves]
    for ending in ("png", "svg"):
        assert (tmp_path / f"comparison.{ending}").stat().st_size > 10_000
    headings, *lines = summary.comparison_rows(found)
    assert headings[:4] == ["policy", "top 5 after 4", "after 8", "after 16"]
    assert [line[0] for line in lines] == list(found.curves)
    assert lines[0][-1] == ""
    # the first half of train-once is random: the same molecules as those of random
    same = found.over_simulations("train-once", "recall")[:, :4]
    assert np.array_equal(same, found.over_simulations("random", "recall")[:, :4])


def test_over_time_each_curve_is_a_staircase(table):
    found = replays.compare_policies(table, ["ridge"], settings(), n_seeds=1, n_processes=1)
    [curves] = found.curves["ridge"]
    times_s = np.array([0.0, curves.times_s[0], curves.times_s[3] + 1e-9, 1e9])
    expected = [0.0, curves.recall[0], curves.recall[3], curves.recall[-1]]
    assert found.over_time("ridge", "recall", times_s)[0].tolist() == pytest.approx(expected)
    assert np.isnan(found.over_time("ridge", "best", times_s)[0, 0])


def test_a_policy_that_is_none_is_told(table):
    with pytest.raises(InputError, match="gp"):
        replays.compare_policies(table, ["best"], settings())


def trial(value, time_s):
    return Trial(settings(), value, time_s, 1)


def test_the_front_by_hand():
    trials = [trial(3, 5), trial(2, 1), trial(2, 2), trial(1, 0.5), trial(3, 4), trial(0, 9)]
    assert [(one.value, one.time_s) for one in pareto(trials, 1)] == [(1, 0.5), (2, 1), (3, 4)]
    assert [(one.value, one.time_s) for one in pareto(trials, -1)] == [(1, 0.5), (0, 9)]


def test_what_is_drawn_is_a_configuration_of_the_same_budget(table):
    rng = np.random.default_rng(0)
    space = SettingsSpace(settings(), table, Scenario())
    drawn = [space.draw(rng) for _ in range(50)]
    assert {one.campaign.max_training_count for one in drawn} == {16}
    assert {one.campaign.schedule for one in drawn} == {"batch", "interleaved"}
    assert len({one.search.policy for one in drawn}) > 3


@pytest.mark.parametrize(("n", "expected"), [(9, 9), (2, 5), (99, 16)])
def test_a_budget_is_above_the_initial_count_and_below_the_one_before(table, n, expected):
    space = SettingsSpace(settings(), table, Scenario())
    assert space.with_budget(space.start, n).campaign.max_training_count == expected


@pytest.mark.parametrize("objective", ["best", "recall"])
def test_a_search_is_checked_on_other_seeds(table, tmp_path, monkeypatch, objective):
    monkeypatch.setattr(tune, "ROUNDS", ((1, 1.0), (2, 0.5)))
    monkeypatch.setattr(tune, "N_UNSEEN", 3)
    found = replays.tune_settings(
        table, settings(), Scenario(2), objective, 5, 4, out=tmp_path, n_processes=1
    )
    chosen, begun_with = found.unseen
    assert begun_with.settings.campaign.max_training_count == 16
    assert chosen.settings.campaign.max_training_count <= 16
    assert found.front
    assert found.best in found.trials
    assert load(tmp_path / "tuned.toml") == chosen.settings
    for ending in ("png", "svg"):
        assert (tmp_path / f"front.{ending}").stat().st_size > 10_000
    rows, caption = summary.trial_rows(found, objective, describe)
    assert rows[-2][0].startswith("chosen")
    assert "seeds" in caption


def test_nearly_the_best_goes_by_time(table):
    space = SettingsSpace(settings(), table, Scenario())
    search = Search(space, table, Truth.of(table.values, 1, 5), objective="recall")
    trials = [trial(0.9, 1), trial(1.0, 9), trial(0.995, 3), trial(0.2, 0.1)]
    ordered = search.ordered(trials)
    assert [one.time_s for one in ordered] == [3, 9, 1, 0.1]


def test_a_campaign_is_judged_by_when_it_was_as_good_as_at_its_end(table):
    played = replays.replay_table(table, settings(), Scenario(1))
    one = judge(settings(), [played.curves], "best", 0.0)
    place = one.n_simulations - 1
    assert played.curves.best[place] == played.curves.best[-1] == one.value
    assert place == 0 or played.curves.best[place - 1] < one.value
    assert one.time_s == played.curves.times_s[place]


def test_a_time_limit_below_any_simulation_is_told(table):
    short = load(None, (), {"stopping.time_limit_s": 0.1, "campaign.grace_s": 0.0})
    with pytest.raises(InputError, match="time limit"):
        replays.replay_table(table, short)


def test_an_objective_that_is_none_is_told(table):
    with pytest.raises(InputError, match="best or recall"):
        replays.tune_settings(table, settings(), objective="regret")


def without_values(table, n):
    values = table.values.copy()
    values[n:] = np.nan
    return Table("small", "ie_ev", table.library, values, table.durations_s)


def test_a_campaign_without_a_value_is_worth_the_worst(table):
    played = replays.compare_policies(
        without_values(table, 2),
        ["gp"],
        settings(),
        n_seeds=1,
        top_k=1,
        n_processes=1,
        scenario=Scenario(failure_rate=1.0),
    )
    [curves] = played.curves["gp"]
    one = judge(settings(), [curves], "best", -3.0)
    assert (one.value, one.n_simulations) == (-3.0, 1)


def test_a_replay_fails_as_a_run_would(table, tmp_path):
    with pytest.raises(RunError, match="failed"):
        replays.replay_table(table, settings(), Scenario(failure_rate=1.0), out=tmp_path)
    assert (tmp_path / "training_data.csv").exists()


def test_campaigns_that_failed_are_told(table):
    found = replays.compare_policies(
        table, ["ridge"], settings(), n_seeds=2, n_processes=1, scenario=Scenario(failure_rate=1.0)
    )
    lines = summary.failure_lines(found)
    assert len(lines) == 4
    assert lines[0].startswith("ridge: 2 of 2 campaigns failed (")
    fine = replays.compare_policies(table, ["ridge"], settings(), n_seeds=1, n_processes=1)
    assert summary.failure_lines(fine) == []
    # one seed has no interval
    assert [row[-1] for row in summary.comparison_rows(fine)[1:]] == [""] * 4


def test_what_is_known_beforehand_is_not_simulated(table, tmp_path):
    known = [0, 5]
    path = tmp_path / "known.csv"
    lines = [f"{table.library.smiles(key)},{table.values[key]},table,own" for key in known]
    path.write_text("\n".join(["smiles,ie_ev,level,fidelity", *lines]))
    played = replays.replay_table(table, settings(training_data=str(path)), Scenario(1), 24)
    assert not set(known) & set(played.results.values)
    # the best 24 are all: 2 were known, 16 were simulated
    assert played.curves.recall[-1] == pytest.approx(18 / 24)


def known_file(table, path, *made_by):
    lines = [f"{table.library.smiles(key)},{table.values[key]},{made_by[key]}" for key in (0, 1)]
    path.write_text("\n".join(["smiles,ie_ev,level,fidelity", *lines]))
    return str(path)


@pytest.mark.parametrize(
    ("of_table", "of_file", "expected"),
    [
        (("gfn2", "relaxed"), None, ("gfn2", "relaxed")),
        (("gfn2", "relaxed"), "gfn2,relaxed", ("gfn2", "relaxed")),
        (("", ""), "gfn1,mmff-geometry", ("gfn1", "mmff-geometry")),
        (("", ""), "table,own", ("table", "own")),
        (("", ""), None, ("table", "own")),
        (("gfn2", ""), "gfn2,relaxed", ("gfn2", "relaxed")),
        (("gfn2", ""), None, ("gfn2", "own")),
    ],
)
def test_values_are_said_to_be_computed_as_the_files_say(
    table, tmp_path, of_table, of_file, expected
):
    level, fidelity = of_table
    said = replace(table, level=level, fidelity=fidelity)
    known = of_file and known_file(table, tmp_path / "known.csv", of_file, of_file)
    replays.replay_table(said, settings(training_data=known), Scenario(1), out=tmp_path)
    with (tmp_path / "training_data.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16 + (2 if known else 0)
    assert {(row["level"], row["fidelity"]) for row in rows} == {expected}


@pytest.mark.parametrize(
    ("of_table", "first", "second", "told"),
    [
        (("gfn2", "relaxed"), "gfn1,relaxed", "gfn1,relaxed", "line 2, level: got 'gfn1'.*'gfn2'"),
        (("", ""), "gfn2,relaxed", "gfn1,relaxed", "line 3, level: got 'gfn1'.*'gfn2'"),
        (("", ""), "gfn2,relaxed", "gfn2,", "line 3, fidelity.*'relaxed'"),
        (("", ""), ",", ",", "line 2, level.*'table'"),
    ],
)
def test_known_values_that_were_computed_otherwise_are_refused(
    table, tmp_path, of_table, first, second, told
):
    level, fidelity = of_table
    said = replace(table, level=level, fidelity=fidelity)
    known = known_file(table, tmp_path / "known.csv", first, second)
    with pytest.raises(InputError, match=told):
        replays.replay_table(said, settings(training_data=known), Scenario(1))


def test_known_values_of_a_level_that_the_user_names_stand_as_such(table, tmp_path):
    path = tmp_path / "known.csv"
    lines = [f"{table.library.smiles(key)};{table.values[key]}" for key in (0, 1)]
    path.write_text("\n".join(["SMILES;ip", *lines]))
    chosen = settings(training_data=str(path), training_column="ip", training_level="experiment")
    replays.replay_table(table, chosen, Scenario(1), out=tmp_path)
    with (tmp_path / "training_data.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["level"] for row in rows[:3]] == ["experiment", "experiment", "table"]


def test_a_first_row_without_a_value_says_nothing_of_the_level(table, tmp_path):
    path = tmp_path / "known.csv"
    smiles = table.library.smiles
    path.write_text(f"smiles,ie_ev,level,fidelity\n{smiles(0)},,,\n{smiles(1)},12.1,gfn2,relaxed\n")
    played = replays.replay_table(table, settings(training_data=str(path)), Scenario(1), 24)
    assert [(one.smiles, one.value) for one in played.results.known] == [(smiles(1), 12.1)]


def test_long_simulations_take_no_longer_to_replay(table):
    values, seconds = table.values, np.full(len(table.values), 1e9)
    played = replays.replay_table(
        Table("long", "ie_ev", table.library, values, seconds), settings()
    )
    assert played.curves.times_s[-1] > 1.6e10


def test_a_time_limit_is_met_within_the_grace(table):
    limited = load(None, (), {"stopping.time_limit_s": 5.0, "campaign.grace_s": 0.5, **BUDGET})
    played = replays.replay_table(table, limited, Scenario(1))
    # a simulation takes 2 s: the third would end after the limit and its grace
    assert len(played.results.values) == 2
    assert played.results.stopped.reason == "its time limit of 5 s is over"


def curves_of(recall, best):
    n = len(recall)
    return Curves(
        times_s=np.arange(1.0, n + 1), recall=np.array(recall), best=np.array(best),
        regret=np.zeros(n), n_above=np.zeros(n, dtype=np.int64),
    )  # fmt: skip


def test_a_campaign_that_ended_sooner_stays_where_it_was(table):
    long = tuple(curves_of([0.0, 0.2, 0.4, one], [1.0, 2.0, 3.0, 4.0]) for one in (0.6, 0.8))
    short = (curves_of([0.1, 0.3], [np.nan, np.nan]), curves_of([0.1, 0.1, 0.1, 0.1], [5.0] * 4))
    truth = Truth.of(table.values, 1, 5)
    found = Comparison(table, truth, (1, 2), {"gp": long, "published": short})
    headings, ours, theirs = summary.comparison_rows(found)
    assert headings[1:4] == ["top 5 after 1", "after 2", "after 4"]
    assert ours[1:5] == ["0.000", "0.200", "0.700", "4.00"]
    assert theirs[1:5] == ["0.100", "0.200", "0.200", "5.00"]
    # 0.6 - 0.3 and 0.8 - 0.1
    assert found.advantage("gp", "published", "recall", 4).mean[0] == pytest.approx(0.5)


def within(chosen, others):
    return replace(curves_of([0.0], [1.0]), within_chosen=chosen, within_others=others)


def test_calibration_is_told_by_policy_where_something_was_predicted(table):
    truth = Truth.of(table.values, 1, 5)
    ours, nothing = (within(0.4, 0.7), within(0.6, 0.8)), (within(np.nan, np.nan),) * 2
    some = (within(0.25, 0.5), within(np.nan, 0.9))  # the second chose nothing
    curves = {"gp": ours, "random": nothing, "published": some}
    assert summary.calibration_line(Comparison(table, truth, (1, 2), curves)) == (
        "Values within one predicted deviation (68% would be right), of the molecules chosen and "
        "of all others: gp 50% and 75%; published 25% and 50%."
    )
    assert not summary.calibration_line(Comparison(table, truth, (1, 2), {"random": nothing}))


def test_calibration_is_that_of_a_replay(table):
    given = settings()
    alone = replays.replay_table(table, given).results.accuracy
    found = replays.compare_policies(
        table, [given.search.policy], given, 1, given.campaign.seed, n_processes=1
    )
    [curves] = found.curves[given.search.policy]
    assert curves.within_chosen == alone[model_error.CHOSEN].within
    assert curves.within_others == alone[model_error.OTHERS].within
    [nothing] = found.curves["random"]
    assert np.isnan([nothing.within_chosen, nothing.within_others]).all()


def test_baselines_stand_for_themselves(table):
    changed = settings().model_copy(update={"stopping": StoppingSettings(min_gain=1e-9)})
    found = replays.compare_policies(table, ["ridge", "random"], changed, n_seeds=1, n_processes=1)
    assert list(found.curves) == ["ridge", "random", "train-once", "published"]


def test_a_comparison_begins_with_nothing_known(table):
    with pytest.raises(InputError, match="nothing known"):
        replays.compare_policies(table, [], settings(training_data="known.csv"))


def test_errors_are_those_of_a_model_of_all_that_is_known(table, tmp_path):
    first = replays.replay_table(table, settings(), Scenario(1), out=tmp_path)
    known = str(tmp_path / "training_data.csv")
    again = replays.replay_table(
        table, settings(training_data=known, max_training_count=5), Scenario(1), out=tmp_path / "b"
    )
    with (tmp_path / "b" / "training_data.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    # known beforehand and looked up alike
    assert len(rows) == len(first.results.values) + 5
    assert {(row["level"], row["fidelity"]) for row in rows} == {("table", "own")}
    accuracy = again.results.accuracy["other molecules of the table"]
    assert accuracy.n == 24 - len(first.results.values) - 5


def test_a_replay_without_a_simulation_says_why_it_ended(table, tmp_path):
    path = tmp_path / "all.csv"
    keys = range(table.library.n_molecules)
    rows = [f"{table.library.smiles(key)},{table.values[key]},table,own" for key in keys]
    path.write_text("\n".join(["smiles,ie_ev,level,fidelity", *rows]))
    with pytest.raises(InputError, match="every molecule of the library has been tried"):
        replays.replay_table(table, settings(training_data=str(path)))


def test_a_failed_campaign_is_worth_the_worst():
    failed = replace(curves_of([0.5, 0.9], [3.0, 9.0]), failure="all failed")
    assert judge(settings(), [failed], "recall", 0.0).value == 0.0
    assert judge(settings(), [failed], "best", -3.0).value == -3.0
