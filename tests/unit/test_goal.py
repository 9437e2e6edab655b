import pytest

from molloop.config.load import load
from molloop.config.settings import Settings
from molloop.goal import Constraint, Goal, Objective, Quantity


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


def test_one_objective_is_asked_for_where_there_is_one():
    one = Objective(Quantity("x"))
    assert Goal((one,)).objective is one
    with pytest.raises(ValueError, match="too many"):
        _ = Goal((one, one)).objective


def test_every_level_and_fidelity_is_named_with_its_values():
    assert Settings().protocol().label == "GFN2-xTB ΔSCF, uncorrected"
    label = (
        load(None, ["simulation.level=ipea1", "simulation.fidelity=mmff-geometry"]).protocol().label
    )
    assert "-4.846 eV" in label
    assert "mmff-geometry" in label
    own = load(None, ["property.simulator=a.b:c", "property.name=gap"])
    assert (own.protocol().label, own.objective().quantity.title) == ("a.b:c", "gap")
