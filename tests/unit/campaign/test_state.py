import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molloop.campaign.state import (
    Began,
    Finished,
    Ranked,
    RankingBegan,
    Source,
    State,
    Stopped,
    Submitted,
    add_up,
    decode,
    encode,
)

ids = st.lists(st.integers(0, 2**40), max_size=5).map(tuple)
numbers = st.lists(st.floats(allow_nan=False), max_size=5).map(tuple)
counts = st.integers(0, 10**6)
events = st.one_of(
    st.builds(Began, counts, counts),
    st.builds(Submitted, ids, st.sampled_from(Source), counts),
    st.builds(Finished, counts, st.booleans()),
    st.builds(RankingBegan, counts, counts),
    st.builds(Ranked, counts, ids, numbers, numbers),
    st.builds(Stopped, st.text(), st.booleans()),
)


@given(events)
def test_events_survive_json(event):
    kind, body = encode(event)
    assert decode(kind, json.loads(json.dumps(body))) == event


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Nothing", {}),
        ("Finished", {"molecule_id": 3}),
        ("Finished", {"molecule_id": "x", "ok": 1}),
    ],
)
def test_what_is_no_event_is_refused(kind, body):
    with pytest.raises(ValueError, match=r"no event|validation error"):
        decode(kind, body)


def test_events_add_up():
    state = add_up(
        [
            Began(100, n_known=3),
            Submitted((5, 6, 7), Source.INITIAL, 0),
            Finished(6, ok=True),
            Finished(5, ok=False),
        ],
        State(),
    )
    assert state == State(n_known=3, n_drawn=3, n_values=1, n_failed=1, in_flight=frozenset({7}))
    state = add_up([Finished(7, ok=True), RankingBegan(1, 5)], state)
    assert state.is_ranking
    assert state.batch == 1
    state = add_up([Ranked(1, (9, 8), (1.0, 0.5), (0.1, 0.1))], state)
    assert not state.is_ranking
    assert state.proposals == (9, 8)
    state = add_up([Submitted((9,), Source.RANKING, 1)], state)
    assert state.proposals is None
    assert state.in_flight == {9}
    assert state.n_drawn == 3
    assert add_up([Stopped("done", ok=True)], state).stopped == Stopped("done", ok=True)


def batch(state, number, *outcomes):
    """One batch whose simulations end as said."""
    keys = tuple(range(number * 100, number * 100 + len(outcomes)))
    finished = [Finished(key, ok) for key, ok in zip(keys, outcomes, strict=True)]
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
    state = add_up([Finished(1, ok=False), Finished(2, ok=False)], state)
    assert state.n_failed_in_drought == 2
