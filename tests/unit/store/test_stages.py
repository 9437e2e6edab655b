"""What each stage of a run comes to."""

from copy import copy

from small_ladder import BELOW, EVENTS, LAST, SETTINGS, SIMULATED, SMILES, item

from molloop.store.record import Record


def record_of():
    found = Record(SETTINGS.objective(), LAST)
    found.take(EVENTS, SIMULATED)
    return found


def test_what_is_counted_of_a_stage():
    tallies = record_of().of_stages
    below, last = tallies[BELOW], tallies[LAST]
    assert (below.n_values, below.n_failed, below.seconds) == (5, 1, 7.0)
    assert (last.n_values, last.n_failed, last.seconds) == (3, 1, 34.0)


def test_values_below_meet_those_of_the_last_stage():
    below = record_of().of_stages[BELOW]
    assert list(below.both) == [15.0, 10.5, 14.0, 8.0, 13.0, 9.0]
    # what has failed there does not wait any more
    assert below.waiting == {5: (15.5, SMILES[5], "")}


def test_what_a_ranking_below_expected_meets_the_last_value():
    record = record_of()
    below = record.of_stages[BELOW]
    assert (below.expected, list(below.pairs)) == ({5: (11.0, 0.5)}, [])
    before = copy(record)
    record.take([], [item(10, 5, LAST, 50.0, 12.0, 1.0)])
    assert (below.expected, below.waiting) == ({}, {})
    assert list(below.pairs) == [11.0, 0.5, 12.0]
    # a copy stays as it was
    assert list(before.of_stages[BELOW].pairs) == []
    assert list(before.of_stages[BELOW].waiting) == [5]


def test_a_run_of_one_stage_keeps_nothing_twice():
    found = Record(SETTINGS.objective(), BELOW)
    found.take(EVENTS[:2], SIMULATED[:4])
    tally = found.of_stages[BELOW]
    assert (tally.n_values, tally.waiting, len(tally.both)) == (4, {}, 0)
