from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molloop.simulate.rules import COUNT, OutcomeError, Rule, is_number, storable


@given(st.text(st.characters(codec=None)))
def test_a_text_is_stored_as_it_is_unless_it_cannot_be(text):
    kept = storable(text)
    assert kept.encode().decode() == kept
    assert storable(kept) == kept
    assert all(ours in (its, "?") for its, ours in zip(text, kept, strict=True))
    assert "\0" not in kept


@pytest.mark.parametrize("given", [1, 1.5, 10**400, Decimal("1.5"), np.float32(1), np.array(2)])
def test_a_number_alone_is_a_value(given):
    assert is_number(given)


@pytest.mark.parametrize("given", [True, "1", b"1", None, 1j, [1.0], np.array([1.0])])
def test_nothing_else_is(given):
    assert not is_number(given)


def test_what_is_wrong_is_told_with_its_place():
    told = r"^steps\['last'\]: got 1.5, expected a whole number, 0 to "
    with pytest.raises(OutcomeError, match=told):
        COUNT.keep("steps", 1.5, "last")


def test_a_part_of_a_part_keeps_its_own_words():
    outer = Rule(lambda steps: [COUNT.keep("step", one) for one in steps], "counts")
    assert outer.keep("steps", [1, 2.0]) == [1, 2]
    with pytest.raises(OutcomeError, match=r"^step: got -1, "):
        outer.keep("steps", [1, -1])
