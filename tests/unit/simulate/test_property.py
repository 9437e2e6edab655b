import pytest

from molloop.config.load import load
from molloop.config.settings import Settings
from molloop.simulate.property import Direction, Property


@pytest.mark.parametrize(
    ("name", "unit", "column", "heading"),
    [
        ("IE", "eV", "ie_ev", "IE (eV)"),
        ("HOMO-LUMO gap", "eV", "homo_lumo_gap_ev", "HOMO-LUMO gap (eV)"),
        ("barrier", "kcal/mol", "barrier_kcal_per_mol", "barrier (kcal/mol)"),
        ("logP", "", "logp", "logP"),
    ],
)
def test_a_property_names_its_column(name, unit, column, heading):
    target = Property(name, unit, Direction.MAXIMISE, name, "")
    assert (target.column, target.heading) == (column, heading)


def test_the_best_of_some_values():
    values = [3.0, -1.0, 2.0]
    assert Property("x", "", Direction.MAXIMISE, "", "").best(values) == 3.0
    assert Property("x", "", Direction.MINIMISE, "", "").best(values) == -1.0


def test_every_level_and_fidelity_is_named_with_its_values():
    assert Settings().target().level_label == "GFN2-xTB ΔSCF, uncorrected"
    label = load(None, ["simulation.level=ipea1", "simulation.fidelity=mmff-geometry"]).target()
    assert "-4.846 eV" in label.level_label
    assert "mmff-geometry" in label.level_label
    own = load(None, ["property.simulator=a.b:c", "property.name=gap"]).target()
    assert (own.level_label, own.title) == ("a.b:c", "gap")
