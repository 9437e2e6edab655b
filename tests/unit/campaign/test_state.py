import json
import math
from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molloop.campaign.events import (
    Began,
    End,
    Finished,
    Lost,
    Ranked,
    RankingBegan,
    Resumed,
    Source,
    Stopped,
    Submitted,
    left_out_now,
)
from molloop.campaign.state import State, add_up, apply
from molloop.goal import Direction, Flagged, Objective, Quantity
from molloop.store.events import decode, encode

ids = st.lists(st.integers(0, 2**40), max_size=5).map(tuple)
finite = st.floats(allow_nan=False, allow_infinity=False)
rows = st.lists(st.tuples(st.integers(0, 2**40), finite, finite), max_size=5)
counts = st.integers(0, 10**6)
events = st.one_of(
    st.builds(Began, counts, counts),
    st.builds(Resumed, st.lists(st.text(), max_size=3).map(tuple), left_out=ids),
    st.builds(Submitted, ids, st.sampled_from(Source), counts, counts),
    st.builds(
        Finished,
        counts,
        st.text(),
        finite,
        st.none() | st.floats(-9, 9),
        is_flagged=st.booleans(),
    ),
    st.builds(Lost, ids, st.text()),
    st.builds(RankingBegan, counts, counts),
    st.builds(
        lambda number, rows, seconds: Ranked(
            number, *(tuple(row[k] for row in rows) for k in range(3)), seconds
        ),
        counts,
        rows,
        finite,
    ),
    st.builds(Stopped, st.text(), st.sampled_from(End)),
)


def objective(sign):
    direction = Direction.MAXIMISE if sign > 0 else Direction.MINIMISE
    return Objective(Quantity("IE", "eV"), direction)


@given(events)
def test_events_survive_json(event):
    assert decode(*encode(event)) == event


def test_a_value_that_is_no_number_is_not_read_as_none():
    kind, text = encode(Finished(1, "", 1.0, float("nan")))
    assert text == (
        '{"molecule_id":1,"failure":"","seconds":1.0,"value":NaN,"stage":"","is_flagged":false}'
    )
    with pytest.raises(ValueError, match="Finished"):
        decode(kind, text)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Nothing", {}),
        ("Stopped", {"reason": "x"}),
        ("Finished", {"molecule_id": "x"}),
        ("Finished", {"molecule_id": -1}),
        ("Finished", {"molecule_id": 1, "value": float("inf")}),
        ("Finished", {"molecule_id": 1, "other": 1}),
        ("Lost", {"molecule_ids": [2**60], "what": "worker"}),
        ("Ranked", {"batch": 1, "molecule_ids": [1, 2], "means": [1.0], "stds": [1.0, 2.0]}),
        ("Ranked", [1, 2]),
    ],
)
def test_what_is_no_event_is_refused(kind, body):
    with pytest.raises(
        ValueError,
        match=r"^event: expected one of Began, .*'Nothing'|^Stopped 'end': |^Finished |^Lost |"
        r"^Ranked: |a ranking has not",
    ):
        decode(kind, json.dumps(body))


def test_events_add_up():
    state = add_up(
        [
            Began(100, n_known=3),
            Submitted((5, 6, 7), Source.INITIAL, 0, n_drawn=4),
            Finished(6, seconds=2.5),
            Finished(5, "scf", seconds=0.5),
        ],
        State(),
    )
    assert state == State(
        n_known=3,
        n_drawn=4,
        n_random=3,
        n_submitted=3,
        n_values=1,
        failures=(("scf", 1),),
        seconds=3.0,
        n_failed_in_row=1,
    )
    assert (state.n_failed, state.n_finished, state.n_in_flight) == (1, 2, 1)
    state = add_up([Lost((7,), "worker"), Finished(7), RankingBegan(1, 5)], state)
    assert (state.is_ranking, state.batch, state.n_in_flight) == (True, 1, 0)
    state = add_up([Ranked(1, (9, 8), (1.0, 0.5), (0.1, 0.1))], state)
    assert (state.is_ranking, state.next_proposals(9)) == (False, (9, 8))
    state = add_up([Submitted((9,), Source.RANKING, 1)], state)
    assert (state.next_proposals(9), state.n_in_flight, state.n_drawn) == ((8,), 1, 4)
    state = add_up([Finished(9, "embedding"), Finished(8, "scf")], state)
    assert state.failures == (("embedding", 1), ("scf", 2))
    assert add_up([Stopped("done", End.DONE)], state).stopped == Stopped("done", End.DONE)


@given(
    st.lists(events.filter(lambda one: not isinstance(one, Ranked)), max_size=30),
    st.booleans(),
    st.sampled_from([1, -1]),
)
def test_events_add_up_to_the_same_together_and_one_by_one(some, is_ranked, sign):
    state = State.at_first(objective(sign), 2, [(1.0,), (0.0,), (3.0,)])
    if is_ranked:
        state = add_up([RankingBegan(1, 3), Ranked(1, (7,), (1.0,), (0.0,))], state)
    assert add_up(some, state) == reduce(apply, some, state)


def test_going_on_forgets_how_it_ended_and_a_ranking_under_way():
    before = add_up([Submitted((1,), Source.INITIAL, 0, 1), Finished(1)], State())
    ended = add_up([Stopped("SIGINT", End.INTERRUPTED), Resumed()], before)
    assert ended == before
    ranking = [RankingBegan(1, 1), Submitted((2,), Source.INITIAL, 0, 1), Resumed()]
    state = add_up(ranking, before)
    assert (state.batch, state.is_ranking, state.n_in_flight) == (0, False, 1)


def batch(state, number, *outcomes):
    """One batch whose simulations end as said."""
    keys = tuple(range(number * 100, number * 100 + len(outcomes)))
    finished = [Finished(key, "" if ok else "scf") for key, ok in zip(keys, outcomes, strict=True)]
    ranking = [RankingBegan(number, 1), Ranked(number, keys, (), ())]
    return add_up([*ranking, Submitted(keys, Source.RANKING, number), *finished], state)


def test_a_drought_counts_failures_since_the_last_batch_with_a_value():
    state = batch(State(), 1, True, False)
    assert state.n_failed_in_drought == 0
    state = batch(state, 2, False, False)
    assert state.n_failed_in_drought == 2
    state = batch(state, 3, False)
    assert state.n_failed_in_drought == 3
    state = batch(state, 4, False, True)
    assert state.n_failed_in_drought == 0
    assert batch(state, 5, False).n_failed_in_drought == 1


def test_a_drought_may_last_from_the_start():
    state = add_up([Submitted((1, 2), Source.INITIAL, 0)], State())
    state = add_up([Finished(1, "scf"), Finished(2, "embedding")], state)
    assert state.n_failed_in_drought == 2


def test_the_best_values_and_what_came_since_the_last_of_them():
    state = State.at_first(objective(1), 2, [(3.0,), (1.0,), (2.0,)])
    assert state.top == (3.0, 2.0)
    # before a ranking nothing counts as without a gain
    state = add_up([Finished(1, value=1.0)], state)
    assert (state.top, state.n_without_gain) == ((3.0, 2.0), 0)
    ranked = [RankingBegan(1, 1), Ranked(1, (7,), (2.5,), (0.0,))]
    state = add_up([*ranked, Finished(2, value=2.0), Finished(3, "scf")], state)
    assert (state.top, state.n_without_gain) == ((3.0, 2.0), 2)
    state = add_up([Finished(4, value=2.5)], state)
    assert (state.top, state.n_without_gain) == ((3.0, 2.5), 0)
    state = add_up([Finished(5, value=9.0), Finished(6, value=2.0)], state)
    assert (state.top, state.n_without_gain) == ((9.0, 3.0), 1)


@pytest.mark.parametrize(("flagged", "top"), [("exclude", (3.0, 2.0)), ("keep", (9.0, 3.0))])
def test_a_flagged_value_is_among_the_best_only_where_it_is_kept(flagged, top):
    chosen = replace(objective(1), flagged=Flagged(flagged))
    state = State.at_first(chosen, 2, [(3.0,), (2.0,)])
    state = add_up([RankingBegan(1, 1), Ranked(1, (7,), (2.5,), (0.0,))], state)
    state = add_up([Finished(1, value=9.0, is_flagged=True)], state)
    assert (state.top, state.n_values, state.n_without_gain) == (top, 1, int(flagged == "exclude"))


def test_where_small_values_are_good_the_best_are_the_smallest():
    state = State.at_first(objective(-1), 2, [(-3.0,), (-1.0,), (-2.0,)])
    assert state.top == (-1.0, -2.0)
    assert add_up([Finished(1, value=0.5)], state).top == (-0.5, -1.0)


def test_what_a_ranking_expects_above_the_best_value():
    state = State.at_first(objective(1), 3, [(5.0,)])
    assert state.expected_gain == float("inf")
    # sure of 5.75: 0.75 more; 5 with a deviation of 1: 0.3989, the density of the normal at 0
    sure = Ranked(1, (7, 8), (5.75, 5.0), (0.0, 1.0))
    assert add_up([sure], state).expected_gain == pytest.approx(0.75)
    assert add_up([Ranked(1, (8,), (5.0,), (1.0,))], state).expected_gain == pytest.approx(
        0.3989, rel=1e-3
    )
    opposite = State.at_first(objective(-1), 3, [(-5.0,)])
    assert add_up([Ranked(1, (8,), (4.0,), (0.0,))], opposite).expected_gain == pytest.approx(1.0)
    assert add_up([Ranked(1, (), (), ())], state).expected_gain == float("inf")


def test_under_other_conditions_what_was_proposed_is_forgotten():
    ranked = Ranked(1, (7, 8, 9), (2.0, 1.5, 1.0), (0.1, 0.1, 0.1))
    events = [Finished(1, value=1.0), RankingBegan(1, 1), ranked]
    events.append(Submitted((7,), Source.RANKING, 1))
    state = add_up(events, State())
    assert state.next_proposals(9) == (8, 9)
    same, other = (add_up([Resumed(ranks_anew=is_other)], state) for is_other in (False, True))
    assert same == state
    assert other.next_proposals(9) == ()
    assert (other.at_ranking_began, other.expected_gain) == (None, math.inf)
    assert other.at_ranked == state.at_ranked


def test_the_values_of_what_is_left_out_are_none_of_the_best():
    state = State.at_first(objective(1), 2, [(3.0,)])._replace(left_out=frozenset({2, 4}))
    ranked = [RankingBegan(1, 1), Ranked(1, (7,), (9.5,), (0.0,))]
    some = [Finished(1, value=2.0), Finished(2, value=9.0)]
    state = add_up([*some, *ranked, Finished(3, value=4.0), Finished(4, value=8.0)], state)
    assert (state.top, state.n_values, state.n_without_gain) == ((4.0, 3.0), 4, 1)
    assert state.expected_gain == pytest.approx(6.5)


def test_patience_begins_anew_under_other_conditions():
    ranked = [RankingBegan(1, 1), Ranked(1, (7,), (2.5,), (0.0,))]
    state = add_up([Finished(1, value=1.0), *ranked, Finished(2, "scf")], State())
    assert state.n_without_gain == 1
    assert add_up([Resumed()], state).n_without_gain == 1
    assert add_up([Resumed(ranks_anew=True)], state).n_without_gain == 0


def test_a_run_of_before_says_of_nothing_that_it_is_left_out():
    kind, text = encode(Resumed(("site.workers: 1 -> 2",)))
    assert "left_out" not in text
    assert decode(kind, text) == Resumed(("site.workers: 1 -> 2",))
    kind, text = encode(Resumed(left_out=(3, 5)))
    assert json.loads(text)["left_out"] == [3, 5]
    assert decode(kind, text).left_out == (3, 5)


def test_the_last_process_says_what_is_left_out_now():
    assert left_out_now([]) == frozenset()
    first, last = Resumed(left_out=(1, 2)), Resumed(left_out=(2,))
    assert left_out_now([first, Finished(1), last, Finished(2)]) == {2}
    assert left_out_now([first, Resumed()]) == frozenset()
