"""Which flags cast doubt on which values."""

import pytest

from molloop.simulate.doubts import doubts

FLAGS = (
    "not_converged",
    "spin_doubtful",
    "anion_not_bound",
    "relaxed_anion_not_bound",
    "cation_rearranged",
    "anion_ends_differ",
    "no_dipole",
    "of_a_user",
)
OF_ALL = ("not_converged", "spin_doubtful", "of_a_user")


@pytest.mark.parametrize(
    ("quantity", "others"),
    [
        ("ie", ()),
        ("dipole", ()),
        ("ea", ("anion_not_bound",)),
        ("ea_adiabatic", ("relaxed_anion_not_bound", "anion_ends_differ")),
        ("ie_adiabatic", ("cation_rearranged",)),
        ("fundamental_gap", ("anion_not_bound",)),
        (
            "electron_reorganisation",
            ("anion_not_bound", "relaxed_anion_not_bound", "anion_ends_differ"),
        ),
        ("reduction_potential", ("relaxed_anion_not_bound", "anion_ends_differ")),
    ],
)
def test_a_flag_concerns_what_its_calculation_is_part_of(quantity, others):
    assert set(doubts(FLAGS, quantity)) == {*OF_ALL, *others}


def test_every_flag_concerns_a_value_without_a_recipe():
    assert doubts(FLAGS, "") == FLAGS
    assert doubts((), "ie") == ()
