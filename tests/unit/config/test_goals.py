"""Objectives and constraints as a configuration states them."""

import pytest

import molloop
from molloop.assembly.resumption import check_resumption
from molloop.config.load import differences, override, parse
from molloop.errors import InputError
from molloop.goal import Direction, Flagged
from molloop.store.records import Session

TWO = [{"quantity": "ie", "threshold": 10.0}, {"quantity": "Orbital_Gap"}]
BOUNDS = [{"quantity": "logP", "high": 3}, {"quantity": "dipole", "low": 1.0, "high": 4.0}]


def test_objectives_follow_from_their_names():
    settings = molloop.load(objectives=TWO, property={"flagged": "keep"})
    first, second = settings.goal().objectives
    assert (first.quantity.column, first.direction, first.threshold) == (
        *("ie_ev", Direction.MAXIMISE),
        10.0,
    )
    assert (second.quantity.column, second.recipe) == ("orbital_gap_ev", "orbital_gap")
    assert first.flagged == second.flagged == Flagged.KEEP
    assert settings.objective() == first
    asked = molloop.load(objectives=[TWO[0], TWO[1] | {"direction": "maximise"}])
    assert asked.goal().objectives[1].direction is Direction.MAXIMISE


def test_quantities_of_a_goal_are_computed_beside_the_first():
    settings = molloop.load(
        objectives=TWO, constraints=BOUNDS, simulation={"quantities": ["homo", "dipole"]}
    )
    protocol = settings.protocol()
    assert protocol.options["quantities"] == ("orbital_gap", "dipole", "homo")
    assert [one.name for one in protocol.further] == ["orbital_gap", "logp", "dipole", "homo"]
    assert [one.name for one in settings.goal().computed] == ["ie", "orbital_gap", "dipole"]


def test_constraints_may_stand_beside_the_short_form_of_one_objective():
    goal = molloop.load(property={"name": "ea"}, constraints=BOUNDS).goal()
    assert goal.objective.quantity.name == "ea"
    assert [(one.low, one.high) for one in goal.constraints] == [(None, 3), (1.0, 4.0)]
    assert goal.constraints[0].quantity.descriptor == "CrippenClogP"


def test_an_objective_of_one_s_own_without_a_unit_has_none():
    settings = molloop.load(
        property={"simulator": "a.b:c"}, objectives=[{"quantity": "score"}, {"quantity": "cost"}]
    )
    assert [one.column for one in settings.goal().quantities] == ["score", "cost"]


def test_a_simulator_of_one_s_own_gives_quantities_with_units_of_one_s_own():
    settings = molloop.load(
        property={"simulator": "mine:both"},
        objectives=[
            {"quantity": "barrier", "unit": "kJ/mol", "direction": "minimise"},
            {"quantity": "yield"},
        ],
        constraints=[{"quantity": "cost", "unit": "EUR", "high": 5.0}],
    )
    assert [one.column for one in settings.goal().quantities] == [
        *("barrier_kj_per_mol", "yield", "cost_eur")
    ]
    assert settings.goal().signs == (-1, 1, -1)
    assert [one.column for one in settings.protocol().further] == ["yield", "cost_eur"]
    assert settings.protocol().options == {}


def test_what_is_written_reads_back_the_same():
    settings = molloop.load(objectives=TWO, constraints=BOUNDS)
    text = settings.to_toml()
    assert 'quantity = "logP"' in text
    for again in (molloop.Settings.from_toml(text), parse(text), override(settings, {})):
        assert again.goal() == settings.goal()
        assert differences(settings, again) == {}
    changed = override(settings, {"constraints.1.high": 2.0, "objectives.1.threshold": 9.0})
    assert differences(settings, changed) == {
        "objectives.1.threshold": (10.0, 9.0),
        "constraints.1.high": (3.0, 2.0),
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"objectives": [{"quantity": "logp"}]}, r"objectives\.1\.quantity: got 'logp'"),
        ({"objectives": [{"quantity": "x"}]}, r"objectives\.1\.quantity: got 'x', expected one of"),
        ({"objectives": [TWO[0], {"quantity": "x"}]}, r"objectives\.2\.quantity: got 'x'"),
        (
            {"objectives": [{"quantity": "ie", "direction": "up"}]},
            r"^objectives\.1\.direction: got 'up', .* explains it\.$",
        ),
        ({"objectives": [{"quantty": "ie"}]}, r"^objectives\.1\.quantty: .* Is quantity meant\?"),
        ({"constraints": [{"low": 1.0}]}, r"^constraints\.1\.quantity: is missing"),
        ({"objectives": [TWO[0], TWO[0]]}, r"objectives\.2"),
        (
            {"objectives": [{"quantity": "ie"}, {"quantity": "ie", "direction": "minimise"}]},
            r"objectives\.2\.quantity: got 'ie', expected each quantity once",
        ),
        (
            {"objectives": [{"quantity": one} for one in ("ie", "ea", "homo", "lumo")]},
            "objectives: got 4, expected 3 at most",
        ),
        (
            {"objectives": [TWO[0], {"quantity": "ea", "threshold": 1.0}]},
            r"objectives\.2\.threshold: .* Make it a bound",
        ),
        ({"objectives": [TWO[0], {"quantity": "ea", "unit": "V"}]}, r"objectives\.2\.unit"),
        ({"objectives": [TWO[0], {"quantity": "ea", "title": "x"}]}, r"objectives\.2\.title"),
        ({"objectives": TWO, "property": {"name": "ea"}}, r"property\.name: .* left out beside"),
        ({"objectives": TWO, "property": {"threshold": 1.0}}, r"property\.threshold"),
        ({"constraints": [{"quantity": "ea"}]}, "expected low, high or both"),
        ({"constraints": [{"quantity": "ea", "low": 2, "high": 1}]}, r"expected low \(2\)"),
        (
            {
                "property": {"simulator": "a.b:c", "name": "rank", "unit": ""},
                "constraints": [{"quantity": "x", "low": 1.0}],
            },
            "quantity: got 'rank', expected another column",
        ),
        ({"constraints": [BOUNDS[0], BOUNDS[0]]}, r"constraints\.2\.quantity"),
        (
            {
                "constraints": BOUNDS,
                "stages": [{"level": "gfn1"}, {"level": "gfn2"}],
                "stopping": {"time_limit_s": 60},
            },
            r"stages\.2\.share: got 'nothing, and no count",
        ),
        ({"objectives": TWO, "stopping": {"min_gain": 0.1}}, r"stopping\.min_gain"),
        ({"objectives": TWO, "stopping": {"top_k": 5}}, r"stopping\.top_k"),
        (
            {"constraints": [{"quantity": "oxidation_potential", "high": 1.0}]},
            r"simulation\.solvent: .* as oxidation_potential is a potential",
        ),
    ],
)
def test_what_makes_no_goal_is_told(given, told):
    with pytest.raises(InputError, match=told):
        molloop.load(**given)


def test_improvement_on_one_best_value_is_no_score_of_several_objectives():
    settings = molloop.load(objectives=TWO, search={"policy": "gp-ei"})
    with pytest.raises(InputError, match="ucb or greedy beside several objectives"):
        settings.policy()
    assert molloop.load(constraints=BOUNDS, search={"policy": "gp-ei"}).policy().acquisition == "ei"


def test_bounds_and_the_threshold_may_change_when_a_run_goes_on():
    settings = molloop.load(objectives=TWO, constraints=BOUNDS)
    facts = {"library": {"key": "k"}, "simulator": "s", "packages": {}}
    before = Session("now", settings.to_toml(), facts)
    looser = override(settings, {"constraints.2.high": 9.0, "objectives.1.threshold": 9.0})
    assert check_resumption(before, looser, facts) == (
        "objectives.1.threshold: 10.0 -> 9.0",
        "constraints.2.high: 4.0 -> 9.0",
    )
    for changes in (
        {"objectives.2.quantity": "ea"},
        {"objectives.2.direction": "maximise"},
        {"constraints": []},
    ):
        with pytest.raises(InputError, match="this run's"):
            check_resumption(before, override(settings, changes), facts)
