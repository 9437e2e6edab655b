"""Runs of several stages, on an engine that computes at once."""

from itertools import pairwise

import numpy as np
import pytest
from instant import Campaign, Killed, go_on, killed_anywhere, killing, other_value, value_above

from molloop import results
from molloop.campaign.dispatch import Dispatch
from molloop.campaign.events import (
    Began,
    End,
    Finished,
    Ranked,
    RankingBegan,
    Source,
    Stopped,
    Submitted,
)
from molloop.campaign.promotions import Promotions
from molloop.config.load import load
from molloop.library.conditions import Conditions, each_of
from molloop.library.selection import Selection, select
from molloop.pareto import front_rows
from molloop.report.expected import with_expected
from molloop.search.policy import policy_named
from molloop.simulate.outcome import Success

FIRST, LAST = "gfn2", "b3lyp/def2-svp"
TWO = load(stages=[{"level": FIRST}, {"level": LAST, "max_count": 5}])
THREE = load(
    stages=[{"level": FIRST}, {"level": "ipea1", "max_count": 8}, {"level": LAST, "max_count": 3}]
)
SHARES = load(stages=[{"level": FIRST}, {"level": LAST, "share": 0.5}])
LADDERS = {"two": TWO, "three": THREE, "shares": SHARES}
GOAL = load(
    objectives=[{"quantity": "ie"}, {"quantity": "ea"}],
    constraints=[{"quantity": "ea", "low": 2.0}],
    stages=[{"level": FIRST}, {"level": "ipea1", "max_count": 8}, {"level": LAST, "max_count": 4}],
)
FAILING = {"failing": ("CO", "FC(F)F", "CCC"), "failing_above": ("CCO", "C=O")}


def values_by_stage(campaign):
    found = {}
    for stage, _, key, smiles, _, outcome in campaign.jobs():
        if isinstance(outcome, Success):
            found.setdefault(stage, {})[key] = (smiles, outcome.value)
    return found


@pytest.mark.parametrize("retrain_after", [None, 2])
@pytest.mark.parametrize("ladder", LADDERS)
def test_a_stage_above_computes_what_has_a_value_below(
    tmp_path, small_library, ladder, retrain_after
):
    settings = LADDERS[ladder]
    campaign = Campaign(
        tmp_path / "run", small_library, settings=settings, retrain_after=retrain_after, **FAILING
    )
    state = campaign.driver.run()
    assert state.stopped.end is End.DONE
    stages = [one.stage for one in settings.protocols()]
    found = values_by_stage(campaign)
    assert list(found) == stages
    assert len(found[FIRST]) == 12
    for stage, count in zip(stages[1:], settings.max_counts()[1:], strict=True):
        assert len(found[stage]) == count or count is None
    for below, above in pairwise(stages):
        assert found[above].keys() <= found[below].keys()
    for smiles, value in found[LAST].values():
        assert value == value_above(smiles)
    jobs = [row[:1] + row[2:3] for row in campaign.jobs()]
    assert len(set(jobs)) == len(jobs)
    assert [row[1] for row in campaign.jobs()] == list(range(len(jobs)))


@pytest.mark.parametrize("policy", ["gp", "published", "random", "gp-ei"])
@pytest.mark.parametrize("ladder", ["two", "shares"])
def test_the_order_in_which_simulations_end_changes_nothing(
    tmp_path, small_library, policy, ladder
):
    runs = []
    for seed in range(3):
        campaign = Campaign(
            tmp_path / f"run-{seed}",
            small_library,
            seed=seed,
            policy=policy,
            settings=LADDERS[ladder],
            **FAILING,
        )
        campaign.driver.run()
        rankings = [event for _, event, _ in campaign.events if isinstance(event, Ranked)]
        runs.append((campaign.jobs(), rankings))
    assert any(row[0] == LAST for row in runs[0][0])
    assert all(run == runs[0] for run in runs)


@pytest.mark.parametrize("settings", [TWO, THREE, GOAL], ids=["two", "three", "goal"])
def test_a_batch_run_that_is_killed_anywhere_ends_as_if_it_had_not_been(
    tmp_path, small_library, settings, monkeypatch
):
    options = {"settings": settings, "policy": "ridge", **FAILING}
    whole = Campaign(tmp_path / "whole", small_library, **options)
    whole.driver.run()
    n_kills = 0
    for before, _, resumed in killed_anywhere(tmp_path, small_library, monkeypatch, **options):
        n_kills += 1
        assert resumed.jobs() == whole.jobs()
        assert [row for row in resumed.jobs() if row in before] == before
    assert n_kills > 20
    whole.store.close()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ladder", LADDERS)
def test_an_interleaved_run_that_is_killed_loses_and_repeats_nothing(
    tmp_path, small_library, monkeypatch, seed, ladder
):
    settings = LADDERS[ladder]
    options = {"retrain_after": 2, "settings": settings, **FAILING}
    with monkeypatch.context() as patch:
        killing(patch, 8 + 5 * seed)
        campaign = Campaign(tmp_path / "run", small_library, seed=seed, **options)
        with pytest.raises(Killed):
            campaign.driver.run()
    before = campaign.jobs()
    campaign.store.close()
    resumed = go_on(tmp_path, small_library, "run", seed=seed + 100, **options)
    rows = resumed.jobs()
    assert [row for row in rows if row in before] == before
    assert len({(row[0], row[2]) for row in rows}) == len(rows)
    assert [row[1] for row in rows] == list(range(len(rows)))
    assert len(values_by_stage(resumed)[FIRST]) == 12
    resumed.store.close()


def test_a_failure_above_leaves_the_value_below_and_is_not_tried_again(tmp_path, small_library):
    settings = load(stages=[{"level": FIRST}, {"level": LAST, "max_count": 20}])
    failing = ("CCO", "C=O", "C#N", "CO")
    campaign = Campaign(
        tmp_path / "run",
        small_library,
        counts=(4, 24, 3),
        settings=settings,
        failing_above=failing,
    )
    state = campaign.driver.run()
    assert state.stopped == Stopped(f"20 values of {LAST} are there, as asked", End.DONE)
    found = values_by_stage(campaign)
    assert len(found[FIRST]) == 24
    assert len(found[LAST]) == 20
    tried = [row[3] for row in campaign.jobs() if row[0] == LAST]
    assert sorted(tried) == sorted(small_library.smiles(key) for key in range(24))


def test_rankings_of_the_first_stage_expect_the_last_value(tmp_path, small_library):
    campaign = Campaign(
        tmp_path / "run", small_library, counts=(8, 20, 4), settings=TWO, policy="ridge"
    )
    campaign.driver.run()
    first, last = (
        [event for _, event, _ in campaign.events if isinstance(event, Ranked) and of(event)]
        for of in (lambda one: one.stage == FIRST, lambda one: one.stage == LAST)
    )
    assert [one.batch for one in first] == list(range(1, len(first) + 1))
    assert [one.batch for one in last] == list(range(1, len(last) + 1))
    # the values of the first stage lie four above those of the last one
    below = np.mean([value for _, value in values_by_stage(campaign)[FIRST].values()])
    assert np.mean(first[0].means) > below - 2.5
    assert np.mean(first[-1].means) < below + 1.0
    assert first[-1].unresolved_std > 0
    assert all(one.unresolved_std == 0 for one in last)
    request = campaign.engine.requests[-1]
    [pairs] = request.training.pairs
    assert np.array_equal(pairs.below - 4.0 <= pairs.above, np.ones(len(pairs.below), bool))


def test_events_name_their_stage(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library, settings=TWO)
    campaign.driver.run()
    named = [
        event
        for _, event in campaign.store.events()
        if isinstance(event, Submitted | Finished | RankingBegan | Ranked)
    ]
    assert {event.stage for event in named} == {FIRST, LAST}


def test_what_fails_always_in_a_stage_above_ends_the_run(tmp_path, small_library):
    settings = load(stages=[{"level": FIRST}, {"level": LAST, "max_count": 24}])
    everything = [small_library.smiles(key) for key in range(24)]
    campaign = Campaign(
        tmp_path / "run",
        small_library,
        counts=(4, 24, 3),
        settings=settings,
        failing_above=everything,
    )
    state = campaign.driver.run()
    assert state.stopped.end is End.FAILED
    assert state.stopped.reason == f"{LAST}: the last 24 simulations all failed"


def test_what_was_under_way_goes_on_in_groups_of_its_own_stage(tmp_path, small_library):
    options = {"settings": TWO, "dispatch": Dispatch(1)}
    campaign = Campaign(tmp_path / "run", small_library, **options)
    cheap = range(14)
    past = [
        Began(24, 0),
        Submitted(tuple(cheap), Source.INITIAL, 0, 14, FIRST),
        *(Finished(key, "", 0.001, 9.0, FIRST) for key in cheap),
        Submitted((0, 1, 2, 3), Source.RANKING, 1, 0, LAST),
        Finished(0, "", 20.0, 9.0, LAST),
    ]
    campaign.store.append(1.0, past, (), ())
    campaign.driver._begin()
    groups = [(one.stage, one.molecule_ids) for one in campaign.engine.pending]
    # two cheap ones would make a task by now
    assert groups == [(LAST, (1,)), (LAST, (2,)), (LAST, (3,))]


def test_a_run_whose_last_stage_has_nothing_left_says_whose_values_are_there(
    tmp_path, small_library
):
    settings = load(stages=[{"level": FIRST}, {"level": LAST, "max_count": 20}])
    campaign = Campaign(tmp_path / "run", small_library, settings=settings)
    state = campaign.driver.run()
    assert state.stopped == Stopped(f"12 values of {FIRST} are there, as asked", End.DONE)
    assert len(values_by_stage(campaign)[LAST]) == 12


def test_what_fails_above_is_learnt_from_and_what_was_lost_is_not(small_library):
    stages = [one.stage for one in TWO.protocols()]
    known = Promotions(
        *(small_library, policy_named("ridge"), TWO.objective(), tuple(stages)),
        *(Selection.of_all(small_library), 42),
    )
    known.learn(
        [
            Finished(1, "", 1.0, 9.0, FIRST),
            Finished(2, "", 1.0, 8.0, FIRST),
            Finished(2, "scf", 1.0, None, LAST),
            Finished(1, "worker", 1.0, None, LAST),
            Finished(3, "scf", 1.0, None, FIRST),
        ]
    )
    [pairs] = known.pairs()
    assert np.array_equal(pairs.failed, small_library.features("descriptors", [2]))
    assert len(pairs.below) == 0


def test_a_ladder_s_best_are_of_molecules_that_meet_the_conditions(tmp_path, small_library):
    options = {"settings": TWO, "policy": "ridge"}
    first = Campaign(tmp_path / "run", small_library, **options)
    first.driver.run()
    best = max(values_by_stage(first)[LAST].values(), key=lambda one: one[1])
    first.store.close()
    # without the best molecule, and what is like it
    tight = select(
        small_library, each_of(Conditions(excluded_smarts=(best[0],))), tmp_path / "cache"
    )
    out = set(np.flatnonzero(~tight.mask()).tolist())
    more = load(
        stages=[{"level": FIRST}, {"level": LAST, "max_count": 8}],
        campaign={"max_training_count": 16},
    )
    second = go_on(
        tmp_path,
        small_library,
        "run",
        **options | {"settings": more, "counts": (4, 16, 3)},
        selection=tight,
        ranks_anew=True,
    )
    values = values_by_stage(second)
    for stage, state in zip((FIRST, LAST), second.driver.states, strict=True):
        met = [value for key, (_, value) in values[stage].items() if key not in out]
        assert state.top == tuple(sorted(met, reverse=True)[:10])
        assert len(met) < len(values[stage])
    found = results.read(second.store, more.goal(), *more.protocols())
    found = with_expected(found, small_library, policy_named("ridge"), 42)
    assert not out & {item.molecule_id for item in found.best(99)}
    assert found.expected
    assert not out & found.expected.keys()
    second.store.close()


@pytest.mark.parametrize("policy", ["gp", "random"])
@pytest.mark.parametrize("retrain_after", [None, 2])
def test_a_ladder_of_two_objectives_finds_the_front_of_the_last_stage(
    tmp_path, small_library, retrain_after, policy
):
    options = {"settings": GOAL, "retrain_after": retrain_after, "policy": policy}
    campaign = Campaign(tmp_path / "run", small_library, **options, **FAILING)
    assert campaign.driver.run().stopped.end is End.DONE
    found = values_by_stage(campaign)
    assert {stage: len(some) for stage, some in found.items()} == {FIRST: 12, "ipea1": 8, LAST: 4}
    points = [(value_above(smiles), other_value(smiles)) for smiles, _ in found[LAST].values()]
    points = np.array([point for point in points if point[1] >= 2.0])
    expected = {tuple(points[row]) for row in front_rows(points)}
    assert set(campaign.driver.states[-1].front) == expected
    ranked = [event for _, event, _ in campaign.events if isinstance(event, Ranked)]
    assert any(event.stage == LAST and event.molecule_ids for event in ranked)
    for event in ranked:
        if event.stage != FIRST:
            assert len(event.more_means) == len(event.more_stds) == 1
            assert len(event.more_means[0]) == len(event.molecule_ids)


def test_a_goal_on_a_ladder_takes_a_share_and_goes_on_with_other_bounds(tmp_path, small_library):
    sections = {
        "objectives": [{"quantity": "ie"}, {"quantity": "molar_mass", "direction": "minimise"}],
        "stages": [{"level": FIRST}, {"level": LAST, "share": 0.4}],
    }
    options = {"policy": "gp", "retrain_after": 2}
    campaign = Campaign(
        tmp_path / "run", small_library, settings=load(**sections), counts=(4, 12, 3), **options
    )
    campaign.driver.run()
    n = len(values_by_stage(campaign)[LAST])
    assert n == 8  # of 20 simulations, which take as long as each other
    assert campaign.driver.states[-1].front
    campaign.store.close()
    bounded = load(**sections, constraints=[{"quantity": "ie", "high": 9.0}])
    resumed = go_on(
        tmp_path,
        small_library,
        "run",
        settings=bounded,
        counts=(4, 18, 3),
        ranks_anew=True,
        **options,
    )
    found = values_by_stage(resumed)
    assert len(found[FIRST]) == 18
    assert len(found[LAST]) > n
    front = resumed.driver.states[-1].front
    assert front
    assert all(ie <= 9.0 for ie, _ in front)
    resumed.store.close()


def test_a_molecule_without_a_value_of_a_quantity_is_not_promoted(tmp_path, small_library):
    lacking = ("O", "CC", "CO", "CCO", "C#N")
    options = {"settings": GOAL, "policy": "gp", "counts": (8, 20, 3)}
    campaign = Campaign(tmp_path / "run", small_library, without=lacking, **options)
    campaign.driver.run()
    found = values_by_stage(campaign)
    assert any(smiles in lacking for smiles, _ in found[FIRST].values())
    assert not any(smiles in lacking for smiles, _ in found["ipea1"].values())


def test_what_lacks_a_quantity_in_a_stage_above_counts_as_failed_there(tmp_path, small_library):
    settings = load(
        objectives=[{"quantity": "ie"}, {"quantity": "ea"}],
        stages=[{"level": FIRST}, {"level": LAST, "max_count": 12}],
    )
    lacking = ("O", "CC", "CO", "CCO", "C#N", "OO", "COC")
    options = {"settings": settings, "policy": "gp", "counts": (8, 20, 3)}
    campaign = Campaign(tmp_path / "run", small_library, without_above=lacking, **options)
    campaign.driver.run()
    tried = values_by_stage(campaign)[LAST]
    n_lacking = sum(smiles in lacking for smiles, _ in tried.values())
    assert n_lacking > 0
    of_ie, of_ea = campaign.engine.requests[-1].training.pairs
    with_all, without = of_ie.tried
    assert (len(of_ie.below), len(of_ea.below)) == (len(with_all) + len(without), len(with_all))
    assert len(without) > 0
    kept = small_library.features(
        "descriptors", [key for key, (smiles, _) in tried.items() if smiles in lacking]
    )
    assert {row.tobytes() for row in without} <= {row.tobytes() for row in kept}
