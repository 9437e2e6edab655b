from dataclasses import replace

import numpy as np
import pytest

from molloop.campaign.events import End, Stopped
from molloop.campaign.jobs import Known, Simulated
from molloop.replay.campaign import Played
from molloop.replay.measures import Truth, measure
from molloop.simulate.outcome import Failure, Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.store.writer import Store

VALUES = np.array([3.0, 9.0, np.nan, 7.0, 1.0, 7.0])


def played(*molecules, known=(), end=End.DONE):
    """Molecules that ended one after the other, a second each."""
    store = Store.temporary(Known("C", VALUES[key], key) for key in known)
    rows = []
    for number, key in enumerate(molecules):
        value = VALUES[key]
        outcome = Failure("no_value", "") if np.isnan(value) else Success({"ie": value})
        rows.append(
            Simulated(number, key, "gfn2", "C", 0, number + 1.0, "w", 0.0, number + 1.0, outcome)
        )
    store.append(1.0, [], rows)
    return Played(store, Stopped("a reason", end), (SimulationProtocol(),))


def test_the_best_by_hand():
    # 9, then 7 twice, of which the lower id comes first
    assert Truth.of(VALUES, 1, 3).top.tolist() == [1, 3, 5]
    assert Truth.of(VALUES, 1, 2).top.tolist() == [1, 3]
    assert Truth.of(VALUES, 1, 99).top.tolist() == [1, 3, 5, 0, 4]
    assert Truth.of(VALUES, -1, 2).top.tolist() == [4, 0]
    assert (Truth.of(VALUES, 1, 2).best, Truth.of(VALUES, -1, 2).best) == (9, 1)


def test_curves_by_hand():
    curves = measure(played(2, 0, 3, 1), Truth.of(VALUES, 1, 2, threshold=3.0))
    assert curves.times_s.tolist() == [1, 2, 3, 4]
    assert curves.recall.tolist() == [0, 0, 0.5, 1]
    assert curves.best[1:].tolist() == [3, 7, 9]
    assert curves.regret[1:].tolist() == [6, 2, 0]
    assert np.isnan(curves.best[0])
    assert np.isnan(curves.regret[0])
    assert curves.n_above.tolist() == [0, 0, 1, 2]


def test_small_values_may_be_good():
    curves = measure(played(1, 0, 4), Truth.of(VALUES, -1, 1, threshold=3.0))
    assert curves.recall.tolist() == [0, 0, 1]
    assert curves.best.tolist() == [9, 3, 1]
    assert curves.regret.tolist() == [8, 2, 0]
    assert curves.n_above.tolist() == [0, 0, 1]


def test_without_a_threshold_nothing_is_beyond_it():
    assert measure(played(1, 0), Truth.of(VALUES, 1, 1)).n_above.tolist() == [0, 0]
    assert measure(played(), Truth.of(VALUES, 1, 1)).recall == pytest.approx([])


def test_what_was_known_beforehand_is_found_from_the_first_on():
    curves = measure(played(0, 1, known=[3]), Truth.of(VALUES, 1, 2, threshold=3.0))
    assert curves.times_s.tolist() == [1, 2]
    assert curves.recall.tolist() == [0.5, 1]
    assert curves.best.tolist() == [7, 9]
    assert curves.n_above.tolist() == [1, 2]


def test_a_value_of_another_stage_is_none_that_was_found():
    one = played(0, 3)
    best = Simulated(2, 1, "ipea1", "C", 0, 3.0, "w", 0.0, 2.5, Success({"ie": 9.0}))
    one.store.append(3.0, [], [replace(best, ended_s=0.5)])
    curves = measure(one, Truth.of(VALUES, 1, 2))
    assert curves.recall.tolist() == [0, 0, 0.5]
    assert curves.best[1:].tolist() == [3, 7]


def test_times_of_a_long_replay_read_back():
    # a thousand simulations of 10^9 s, the longest that a table may have, one after the other
    one = played(0)
    late = Simulated(1, 1, "gfn2", "C", 0, 1e12, "w", 1e12 - 1e9, 1e12, Success({"ie": 9.0}))
    one.store.append(1e12, [], [late])
    assert measure(one, Truth.of(VALUES, 1, 1)).times_s.tolist() == [1, 1e12]


def test_a_campaign_that_failed_says_why():
    truth = Truth.of(VALUES, 1, 2)
    assert measure(played(0), truth).failure == ""
    assert measure(played(0, end=End.FAILED), truth).failure == "a reason"


def test_the_worst_by_hand():
    assert (Truth.of(VALUES, 1, 2).worst, Truth.of(VALUES, -1, 2).worst) == (1, 9)
