from hypothesis import given
from hypothesis import strategies as st

from molloop.campaign.design import InitialDesign


@given(st.integers(0, 60), st.integers(0, 2**32), st.sets(st.integers(0, 59)))
def test_each_molecule_comes_once_but_for_those_left_out(n, seed, excluded):
    drawn = InitialDesign(n, seed, excluded).take(0, 100)
    assert sorted(drawn) == sorted(set(range(n)) - excluded)


@given(st.lists(st.integers(1, 7), max_size=10))
def test_the_sequence_does_not_depend_on_how_it_is_taken(steps):
    whole = InitialDesign(50, seed=3).take(0, 50)
    design = InitialDesign(50, seed=3)
    start = 0
    for step in steps:
        assert design.take(start, step) == whole[start : start + step]
        start += step


def test_the_seed_decides():
    draws = {InitialDesign(10**9, seed).take(0, 5) for seed in range(20)}
    assert len(draws) == 20
    assert InitialDesign(10**9, 7).take(0, 5) == InitialDesign(10**9, 7).take(0, 5)


def test_every_molecule_is_as_likely():
    firsts = [InitialDesign(4, seed).take(0, 1)[0] for seed in range(2000)]
    # 500 expected of each; the standard deviation is 19.4
    assert all(400 < firsts.count(molecule) < 600 for molecule in range(4))
