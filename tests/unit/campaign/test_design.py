from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from molloop.campaign.design import InitialDesign
from molloop.library.bits import Bits


@given(st.integers(0, 600), st.integers(0, 2**32), st.sets(st.integers(0, 599)))
def test_each_molecule_comes_once_but_for_those_left_out(n, seed, taken):
    drawn, n_places = InitialDesign(n, seed).take(0, 1000, taken)
    assert sorted(drawn) == sorted(set(range(n)) - taken)
    assert n_places == n


@given(st.lists(st.integers(1, 90), max_size=10), st.sets(st.integers(0, 299)))
def test_the_sequence_does_not_depend_on_how_it_is_taken(steps, taken):
    design = InitialDesign(300, seed=3)
    whole, _ = design.take(0, 300, taken)
    place = 0
    found = ()
    for step in steps:
        ids, n_places = design.take(place, step, taken)
        assert len(ids) == min(step, len(whole) - len(found))
        found += ids
        place += n_places
    assert found == whole[: len(found)]


def test_the_seed_decides():
    draws = {InitialDesign(10**9, seed).take(0, 5)[0] for seed in range(20)}
    assert len(draws) == 20
    assert InitialDesign(10**9, 7).take(0, 5) == InitialDesign(10**9, 7).take(0, 5)


def test_every_molecule_is_as_likely():
    firsts = [InitialDesign(4, seed).take(0, 1)[0][0] for seed in range(2000)]
    # 500 expected of each; the standard deviation is 19.4
    assert all(400 < firsts.count(molecule) < 600 for molecule in range(4))


def test_a_sequence_is_spread_evenly_and_its_neighbours_are_strangers():
    ids, _ = InitialDesign(100_000, seed=1).take(0, 10_000)
    # 1,000 expected in each tenth of the library; the standard deviation is 28.5
    tenths = [sum(one // 10_000 == tenth for one in ids) for tenth in range(10)]
    assert all(880 < n < 1120 for n in tenths)
    # 5,000 of the following are expected to be larger; the standard deviation is 29
    n_rises = sum(after > before for before, after in pairwise(ids))
    assert 4850 < n_rises < 5150


@given(st.lists(st.booleans(), min_size=1, max_size=2000), st.integers(0, 2**32), st.data())
def test_what_is_not_meant_is_passed_over(rows, seed, data):
    n = len(rows)
    meant = Bits.of(np.array(rows, dtype=bool))
    everything, _ = InitialDesign(n, seed).take(0, n)
    expected = tuple(one for one in everything if rows[one])
    design = InitialDesign(n, seed, meant)
    place, found = 0, ()
    while len(found) < len(expected):
        ids, n_places = design.take(place, data.draw(st.integers(1, 300)))
        assert ids
        place, found = place + n_places, found + ids
    assert found == expected
    assert design.take(place, 5)[0] == ()
    assert design.take(place, 5) == ((), 0)  # the rest is not looked through again


def test_another_selection_leaves_the_order_of_the_others():
    """A run that goes on with other conditions takes up the sequence where it was."""
    first, n_places = InitialDesign(100, 1, Bits.of(np.arange(100) % 2 == 0)).take(0, 10)
    everything, _ = InitialDesign(100, 1).take(0, 100)
    then, _ = InitialDesign(100, 1, Bits.of(np.arange(100) >= 50)).take(n_places, 100)
    assert first == tuple(one for one in everything if one % 2 == 0)[:10]
    assert then == tuple(one for one in everything[n_places:] if one >= 50)
