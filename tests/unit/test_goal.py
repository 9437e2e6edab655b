import pytest

from molloop.config.load import load
from molloop.config.settings import Settings
from molloop.goal import Constraint, Direction, Goal, Objective, Quantity


@pytest.mark.parametrize(
    ("name", "unit", "column", "heading"),
    [
        ("IE", "eV", "ie_ev", "IE (eV)"),
        ("HOMO-LUMO gap", "eV", "homo_lumo_gap_ev", "HOMO-LUMO gap (eV)"),
        ("barrier", "kcal/mol", "barrier_kcal_per_mol", "barrier (kcal/mol)"),
        ("logP", "", "logp", "logP"),
    ],
)
def test_a_quantity_names_its_column(name, unit, column, heading):
    quantity = Quantity(name, unit)
    assert (quantity.column, quantity.heading) == (column, heading)


def test_values_are_stored_under_a_plain_name():
    assert [Quantity(one).name for one in ("IE", "HOMO-LUMO gap", "Δ")] == [
        *("ie", "homo_lumo_gap", "Δ")
    ]


def test_bounds_belong_to_what_a_constraint_allows():
    assert [Constraint(Quantity("x"), 1.0, 2.0).holds(one) for one in (0.9, 1.0, 2.0, 2.1)] == [
        *(False, True, True, False)
    ]
    assert Constraint(Quantity("x"), high=0.0).holds(-1e9)


IE, GAP = Quantity("IE", "eV"), Quantity("gap", "eV")
LOGP = Quantity("logP", descriptor="CrippenClogP")


def test_a_goal_has_each_quantity_once_in_the_order_of_objectives_and_constraints():
    goal = Goal((Objective(GAP), Objective(IE)), (Constraint(LOGP, high=3), Constraint(IE, low=9)))
    assert [one.name for one in goal.quantities] == ["gap", "ie", "logp"]
    assert [one.name for one in Goal((Objective(IE),)).quantities] == ["ie"]


def test_large_values_are_good_once_they_have_their_sign():
    gap = Objective(GAP, Direction.MINIMISE)
    goal = Goal((Objective(IE), gap), (Constraint(LOGP, high=3), Constraint(GAP, low=1)))
    assert goal.signs == (1, -1, -1)
    assert Goal((gap,), (Constraint(LOGP, 0, 3),)).signs == (-1, 1)


def test_a_point_is_one_of_molecules_that_keep_all_constraints():
    goal = Goal((Objective(IE), Objective(GAP, Direction.MINIMISE)), (Constraint(LOGP, high=3),))
    assert goal.values({"logp": 2.0, "ie": 9.0, "dipole": 1.0}) == (9.0, None, 2.0)
    assert goal.point((9.0, 4.0, 2.0)) == (9.0, -4.0)
    assert goal.point((9.0, 4.0, 3.5)) is None
    assert goal.point((9.0, None, 2.0)) is None
    assert goal.point((9.0, 4.0, None)) is None
    assert goal.broken((9.0, 4.0, 3.5)) == goal.constraints


def test_a_constraint_in_words():
    assert Constraint(GAP, 2.0, 5.5).words == "2 <= gap (eV) <= 5.5"
    assert Constraint(LOGP, high=3.0).words == "logP <= 3"


def test_every_level_and_fidelity_is_named_with_its_values():
    assert Settings().protocol().label == "GFN2-xTB ΔSCF, uncorrected"
    label = (
        load(None, ["simulation.level=ipea1", "simulation.fidelity=mmff-geometry"]).protocol().label
    )
    assert "-4.846 eV" in label
    assert "mmff-geometry" in label
    own = load(None, ["property.simulator=a.b:c", "property.name=gap"])
    assert (own.protocol().label, own.objective().quantity.title) == ("a.b:c", "gap")


def test_a_constraint_of_an_objective_need_not_repeat_its_unit():
    goal = Goal((Objective(Quantity("cost", "EUR")),), (Constraint(Quantity("cost"), high=6.0),))
    assert [one.column for one in goal.quantities] == ["cost_eur"]
