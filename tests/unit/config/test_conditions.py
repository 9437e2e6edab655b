"""The section `conditions`: what is read, and how it is written."""

import tomllib

import pytest

from molloop.assembly.conditions import conditions_of
from molloop.config.load import differences, load
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.library.conditions import Conditions, DescriptorRange

FILE = """
[conditions]
min_heavy_atoms = 6
elements = ["O", "C", "C"]
charge = 0
max_molar_mass = 300
excluded_smarts = "[N+](=O)[O-]"
excluded_catalogues = ["PAINS", "BRENK"]

[conditions.descriptors]
tpsa = {min = 20, max = 90.5}
CrippenClogP = {max = 3}
"""
STATED = Conditions(
    min_heavy_atoms=6,
    elements=("C", "O"),
    charge=(0,),
    max_molar_mass=300,
    excluded_smarts=("[N+](=O)[O-]",),
    excluded_catalogues=("PAINS", "BRENK"),
    descriptors=(DescriptorRange("CrippenClogP", None, 3), DescriptorRange("tpsa", 20, 90.5)),
)


def test_a_file_states_conditions_and_reads_back(tmp_path):
    (tmp_path / "a.toml").write_text(FILE)
    settings = load(tmp_path / "a.toml")
    assert conditions_of(settings.conditions) == STATED
    again = Settings.model_validate(tomllib.loads(settings.to_toml()))
    assert again == settings
    assert hash(again.conditions) == hash(settings.conditions)
    assert conditions_of(load().conditions) == Conditions()


def test_each_can_be_set_on_the_command_line():
    settings = load(
        None,
        [
            "conditions.min_heavy_atoms=6",
            'conditions.elements=["C", "O"]',
            "conditions.charge=[0]",
            "conditions.max_molar_mass=300",
            "conditions.excluded_smarts=[N+](=O)[O-]",
            'conditions.excluded_catalogues=["PAINS", "BRENK"]',
            "conditions.descriptors.tpsa={min = 20, max = 90.5}",
            "conditions.descriptors.CrippenClogP={max = 3}",
        ],
    )
    assert conditions_of(settings.conditions) == STATED
    changed = differences(load(), load(None, ["conditions.charge=0"]))
    assert changed == {"conditions.charge": (None, (0,))}


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("conditions.charges=0", ["conditions.charges", "Is conditions.charge meant?"]),
        ("conditions.charge=0.5", ["conditions.charge: got 0.5", "whole numbers: write 0, or [0"]),
        ("conditions.charge=[0, 1.5]", ["got [0, 1.5], expected whole numbers"]),
        ("conditions.charge=true", ["conditions.charge", "True", "whole numbers"]),
        ("conditions.min_heavy_atoms=-1", ["conditions.min_heavy_atoms", "-1"]),
        ("conditions.min_heavy_atoms=6.5", ["conditions.min_heavy_atoms", "6.5"]),
        ("conditions.max_synthetic_accessibility=11", ["equal to 10"]),
        ("conditions.descriptors.tpsa=3", ["conditions.descriptors.tpsa", "3"]),
        ("conditions.descriptors.tpsa={}", ["conditions.descriptors.tpsa", "min, max or both"]),
        ("conditions.descriptors.tpsa={least = 3}", ["conditions.descriptors.tpsa.least"]),
        ("conditions.descriptors.tpsa={max = inf}", ["conditions.descriptors.tpsa.max"]),
    ],
)
def test_what_is_wrong_is_named(assignment, words):
    with pytest.raises(InputError) as raised:
        load(None, [assignment])
    for word in words:
        assert word in str(raised.value)
