"""Runs with several objectives and constraints."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from instant import Campaign, fake_value, go_on, killed_anywhere, other_value

import molloop
from molloop import results
from molloop.campaign.best import may_win
from molloop.campaign.events import Finished, Ranked
from molloop.campaign.jobs import Known
from molloop.campaign.plan import Stopping
from molloop.campaign.state import State, add_up
from molloop.campaign.warm_start import read_warm_start
from molloop.config.settings import Settings
from molloop.goal import Constraint, Direction, Flagged, Goal, Objective, Quantity
from molloop.library.conditions import Conditions, each_of
from molloop.library.selection import select
from molloop.pareto import front_rows
from molloop.report.front import front_of
from molloop.report.tables import write_training_data
from molloop.simulate.outcome import Success
from molloop.store.record import Record

IE, EA = Quantity("IE", "eV"), Quantity("EA", "eV")
TWO = Goal((Objective(IE), Objective(EA, Direction.MINIMISE)), (Constraint(EA, low=-9.0),))
ONE = Goal((Objective(IE),), (Constraint(EA, high=3.0),))
SETTINGS = molloop.load(
    objectives=[{"quantity": "ie"}, {"quantity": "ea"}],
    constraints=[{"quantity": "molar_mass", "high": 45.0}, {"quantity": "ea", "low": 1.0}],
)


def finished(*values, is_flagged=False):
    return Finished(0, value=values[0], values=values, is_flagged=is_flagged)


def test_a_front_takes_in_what_no_other_beats_within_the_constraints():
    state = State.at_first(TWO.objective, 10, [], TWO)
    events = [finished(9.0, 3.0), finished(8.0, 4.0), finished(8.5, 1.0), finished(99.0, -10.0)]
    state = add_up([*events, finished(50.0, None), finished(99.0, -1.0, is_flagged=True)], state)
    assert state.front == ((8.5, -1.0), (9.0, -3.0))
    assert (state.top, state.n_values) == ((), 6)
    keeps = replace(TWO.objective, flagged=Flagged.KEEP)
    state = State.at_first(keeps, 10, [], replace(TWO, objectives=(keeps, TWO.objectives[1])))
    assert add_up([finished(99.0, -1.0, is_flagged=True)], state).front == ((99.0, 1.0),)


def test_values_that_break_a_constraint_are_none_of_the_best():
    state = State.at_first(ONE.objective, 2, [], ONE)
    events = [finished(9.0, 3.0), finished(12.0, 3.5), finished(8.0, -1.0), finished(7.0, 0.0)]
    assert add_up(events, state).top == (9.0, 8.0)


def test_patience_counts_what_brought_nothing_to_the_front():
    state = State.at_first(TWO.objective, 10, [], TWO)
    state = add_up([finished(9.0, 3.0), Ranked(1, (1,), (9.0,), (1.0,))], state)
    state = add_up([finished(8.0, 4.0), finished(8.0, 5.0)], state)
    assert state.n_without_gain == 2
    told = Stopping(patience=2, has_front=True).reason(state)
    assert told == "2 simulations brought nothing to the Pareto front"
    assert add_up([finished(8.0, 2.0)], state).n_without_gain == 0


@pytest.mark.parametrize("retrain_after", [None, 2])
def test_a_run_learns_from_all_quantities_and_keeps_them(tmp_path, small_library, retrain_after):
    options = {"settings": SETTINGS, "policy": "gp", "counts": (6, 16, 3)}
    campaign = Campaign(
        tmp_path / "run", small_library, retrain_after=retrain_after, without=("O",), **options
    )
    campaign.driver.run()
    found = campaign.store.simulated()
    assert len(found) == 16
    for item in found:
        values = {"ie": fake_value(item.smiles), "ea": other_value(item.smiles)}
        if item.smiles == "O":
            del values["ea"]
        mass = small_library.known("amw", item.molecule_id)
        assert item.outcome.values == values | {"molar_mass": mass}
    request = campaign.engine.requests[-1]
    learnt = request.training.values[request.training.order]
    columns = {
        (fake_value(item.smiles), 0.0 if item.smiles == "O" else other_value(item.smiles))
        for item in found
    }
    assert len(learnt) >= 6
    assert set(map(tuple, np.nan_to_num(learnt[:, :2]).tolist())) <= columns
    # the mass has an upper bound alone: light molecules are good
    assert (learnt[:, 2] < 0).all()
    ranked = [event for _, event, _ in campaign.events if isinstance(event, Ranked)]
    for event in ranked:
        assert len(event.more_means) == len(event.more_stds) == 2
        masses = [small_library.known("amw", key) for key in event.molecule_ids]
        assert list(event.more_means[1]) == masses
        assert not any(event.more_stds[1])
        assert all(mass <= 45 for mass in masses)
    state, eligible = campaign.driver.state, []
    for item in found:
        one = item.outcome.values
        if item.smiles != "O" and one["molar_mass"] <= 45 and one["ea"] >= 1:
            eligible.append((one["ie"], one["ea"]))
    rows = front_rows(np.array(eligible))
    assert sorted(set(state.front)) == sorted({eligible[row] for row in rows})


def test_one_objective_within_bounds_of_its_own(tmp_path, small_library):
    settings = molloop.load(constraints=[{"quantity": "ie", "high": 13.0}])
    campaign = Campaign(
        tmp_path / "run", small_library, settings=settings, policy="gp", counts=(6, 14, 4)
    )
    campaign.driver.run()
    values = [item.outcome.value for item in campaign.store.simulated()]
    assert len(values) == 14
    assert (
        campaign.driver.state.top
        == tuple(sorted([v for v in values if v <= 13], reverse=True))[:10]
    )


def test_a_constraint_on_what_is_missing_is_unknown_and_not_broken(tmp_path, small_library):
    campaign = Campaign(
        tmp_path / "run",
        small_library,
        settings=SETTINGS,
        policy="gp",
        counts=(24, 24, 3),
        without=("O",),
    )
    campaign.driver.run()
    found = results.read(campaign.store, SETTINGS.goal(), SETTINGS.protocol())
    write_training_data(found, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        told = {row["smiles"]: row["constraints"] for row in csv.DictReader(file)}
    assert told["O"] == "unknown: 1 <= EA (eV)"
    assert told["CC(C)C"] == "broken: molar mass (g/mol) <= 45"


def test_a_run_of_random_molecules_knows_its_front_too(tmp_path, small_library):
    campaign = Campaign(
        tmp_path / "run", small_library, settings=SETTINGS, policy="random", counts=(4, 9, 3)
    )
    campaign.driver.run()
    assert campaign.driver.state.front
    assert campaign.driver.state.n_values == 9


def test_known_values_that_may_be_the_best_of_a_goal():
    """The third breaks the constraint, the fourth lacks a value, of the fifth the EA is flagged."""
    flags = ("anion_not_bound",)
    of_ea = Goal((Objective(IE, recipe="ie"), Objective(EA, recipe="ea")), TWO.constraints)
    known = [
        Known("C", 9.0, 0, further={"ea": 3.0}),
        Known("N", 8.0, None, further={"ea": 1.0}),
        Known("O", 99.0, 2, further={"ea": -10.0}),
        Known("F", 99.0, 3),
        Known("S", 99.0, 4, further={"ea": 1.0}, flags=flags),
        Known("P", 7.0, 5, further={"ea": 1.0}),
    ]
    points = may_win(known, of_ea.objective, of_ea, {5})
    assert points == [(9.0, 3.0), (8.0, 1.0)]
    assert State.at_first(of_ea.objective, 10, points, of_ea).front == ((9.0, 3.0),)
    assert may_win(known, Objective(IE), None, ()) == [
        (one.value,) for one in known if not one.flags
    ]
    smallest = Objective(IE, Direction.MINIMISE)
    assert may_win(known[:1], smallest, None, ()) == [(-9.0,)]
    assert may_win(known, ONE.objective, ONE, ()) == [(9.0,), (8.0,), (99.0,), (7.0,)]


def test_a_run_begins_with_known_values_of_all_quantities(tmp_path, small_library, monkeypatch):
    """Nothing else of the library beats the first; hexane, which it does not hold, lacks an EA."""
    rows = "N,99.0,98.0,gfn2,relaxed\nCCCCCC,13.25,,gfn2,relaxed\nO,1.0,2.0,gfn2,relaxed\n"
    path = tmp_path / "known.csv"
    path.write_text(f"smiles,ie_ev,ea_ev,level,fidelity\n{rows}")
    goal, protocol = SETTINGS.goal(), SETTINGS.protocol()
    warm_start = read_warm_start(path, "ie_ev", protocol, small_library, goal=goal)
    options = {"settings": SETTINGS, "policy": "gp", "counts": (3, 9, 3)}
    campaign = Campaign(tmp_path / "run", small_library, warm_start, **options)
    campaign.driver.run()
    assert campaign.driver.state.front == ((99.0, 98.0),)
    training = campaign.engine.requests[0].training
    ammonia, hexane, water = training.values[:3].tolist()
    assert ammonia[:2] == [99.0, 98.0]
    assert water[:2] == [1.0, 2.0]
    assert hexane[0] == 13.25
    assert np.isnan(hexane[1:]).all()
    assert np.isnan(training.values).sum() == 2
    assert "N" not in {item.smiles for item in campaign.store.simulated()}
    found = results.read(campaign.store, goal, protocol)
    write_training_data(found, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        table = list(csv.DictReader(file))[:3]
    assert [one["ea_ev"] for one in table] == ["98.0", "", "2.0"]
    assert [one["constraints"][:6] for one in table] == ["kept", "unknow", "kept"]
    n = 0
    for _, _, resumed in killed_anywhere(
        tmp_path, small_library, monkeypatch, warm_start=warm_start, **options
    ):
        n += 1
        assert resumed.rows() == campaign.rows()
        assert resumed.driver.state.front == campaign.driver.state.front
    assert n > 5


def test_a_killed_run_goes_on_as_if_it_had_not_been(tmp_path, small_library, monkeypatch):
    options = {"settings": SETTINGS, "policy": "ridge", "counts": (4, 9, 3)}
    whole = Campaign(tmp_path / "whole", small_library, **options)
    whole.driver.run()
    n = 0
    for _, _, resumed in killed_anywhere(tmp_path, small_library, monkeypatch, **options):
        n += 1
        assert resumed.rows() == whole.rows()
        assert resumed.driver.state.front == whole.driver.state.front
    assert n > 5


def test_what_a_run_has_found_is_its_front(tmp_path, small_library):
    campaign = Campaign(
        tmp_path / "run", small_library, settings=SETTINGS, policy="gp", counts=(6, 18, 3)
    )
    campaign.driver.run()
    found = results.read(campaign.store, SETTINGS.goal(), *SETTINGS.protocols())
    front = {(one.outcome.values["ie"], one.outcome.values["ea"]) for one in found.best(99)}
    assert front == set(campaign.driver.state.front)
    items = [item for item in found.simulated if SETTINGS.goal().point(values_of(item)) is None]
    record = Record(SETTINGS.objective(), "gfn2", goal=SETTINGS.goal())
    record.take(found.events, found.simulated)
    assert record.n_broken == len(items)
    assert record.excluded.startswith(f"{len(items)} of {len(found.values)} values ")
    assert np.isnan(record.eligible()).sum() == len(items)


def values_of(item):
    assert isinstance(item.outcome, Success)
    return SETTINGS.goal().values(item.outcome.values)


def test_a_goal_of_one_objective_is_none_of_its_own():
    assert Settings().goal().wider is None
    alone = molloop.load(objectives=[{"quantity": "ea", "direction": "minimise"}])
    assert alone.goal().wider is None
    short = molloop.load(property={"name": "ea", "direction": "minimise"})
    assert alone.goal() == short.goal()
    assert alone.protocol() == short.protocol()


@pytest.mark.parametrize("goal", ["two", "one"])
def test_a_front_is_of_molecules_that_meet_the_conditions(tmp_path, small_library, goal):
    settings = SETTINGS
    if goal == "one":
        settings = molloop.load(
            objectives=[{"quantity": "ie"}], constraints=[{"quantity": "ea", "low": 1.0}]
        )
    options = {"settings": settings, "policy": "gp" if goal == "two" else "gp-ei"}
    first = Campaign(tmp_path / "run", small_library, counts=(8, 12, 4), **options)
    first.driver.run()
    first.store.close()
    tight = select(small_library, each_of(Conditions(min_heavy_atoms=2)), tmp_path / "cache")
    options |= {"counts": (8, 16, 4), "selection": tight, "ranks_anew": True}
    second = go_on(tmp_path, small_library, "run", **options)
    found = results.read(second.store, settings.goal(), *settings.protocols())
    is_out = {item.smiles for item in found.simulated if item.smiles in ("C", "N", "O")}
    assert is_out
    counting = [item for item in found.simulated if item.smiles not in is_out]
    points = [one for item in counting if (one := settings.goal().point(values_of(item)))]
    rows = front_rows(np.array(points))
    best = {settings.goal().point(values_of(item)) for item in found.best(99)}
    state = second.driver.state
    if goal == "two":
        assert set(state.front) == best == {points[row] for row in rows}
        front = front_of(found)
        assert {item.smiles for item in front.items} == {
            item.smiles for item in counting if settings.goal().point(values_of(item))
        }
        assert front.n == len(rows)
    else:
        assert state.top == tuple(sorted((one for (one,) in points), reverse=True)[:10])
        assert best == set(points)
        assert second.engine.requests[0].training.best in {one for (one,) in points}
    second.store.close()
