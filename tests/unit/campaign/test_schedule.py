"""The batch schedule against a world that is only a set of molecules that fail."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from molloop.campaign.design import InitialDesign
from molloop.campaign.schedule import Batch, Rank, Simulate, Stop
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
    apply,
)

N = 60


class World:
    """Runs a schedule: simulations end in a random order, the best molecule is the highest id."""

    def __init__(self, schedule, failing=(), n_known=0, n_molecules=N, order_seed=0):
        self.schedule = schedule
        self.failing = set(failing)
        self.n_molecules = n_molecules
        self.order = random.Random(order_seed)
        self.state = apply(State(), Began(n_molecules, n_known))
        self.tried = []
        self.pending = []
        self.most_in_flight = 0

    def run(self):
        for _ in range(10_000):
            for action in self.schedule.decide(self.state):
                self.act(action)
            if self.state.stopped:
                assert not self.pending
                return self
            molecule = self.pending.pop(self.order.randrange(len(self.pending)))
            self.state = apply(self.state, Finished(molecule, molecule not in self.failing))
        raise AssertionError("it never stops")

    def act(self, action):
        match action:
            case Simulate(molecule_ids, source):
                assert not set(molecule_ids) & set(self.tried)
                self.tried += molecule_ids
                self.pending += molecule_ids
                self.most_in_flight = max(self.most_in_flight, len(self.pending))
                self.state = apply(self.state, Submitted(molecule_ids, source, self.state.batch))
            case Rank(n):
                assert not self.pending
                left = sorted(set(range(self.n_molecules)) - set(self.tried), reverse=True)[:n]
                zeros = (0.0,) * len(left)
                number = self.state.batch + 1
                ranking = [RankingBegan(number, 1), Ranked(number, tuple(left), zeros, zeros)]
                self.state = add_up(ranking, self.state)
                # a ranking is followed by its batch, or the end
                for following in self.schedule.decide(self.state):
                    self.act(following)
            case Stop(reason, ok):
                self.state = apply(self.state, Stopped(reason, ok))


def batch(initial=8, most=24, size=4, n_molecules=N, seed=1):
    return Batch(InitialDesign(n_molecules, seed), initial, most, size)


def test_the_published_run():
    world = World(batch()).run()
    assert world.tried[:8] == list(InitialDesign(N, 1).take(0, 8))
    left = [key for key in range(N - 1, -1, -1) if key not in world.tried[:8]]
    assert world.tried[8:] == left[:16]
    assert world.state.batch == 4
    assert world.state.n_values == 24
    assert world.state.stopped == Stopped("24 values are there, as asked", ok=True)


def test_the_last_batch_is_cut():
    world = World(batch(initial=3, most=10, size=4)).run()
    assert len(world.tried) == world.state.n_values == 10


def test_replacements_come_from_the_same_sequence():
    sequence = InitialDesign(N, 1).take(0, 12)
    world = World(batch(), failing=[sequence[2], sequence[5], sequence[9]]).run()
    assert world.tried[:11] == list(sequence[:11])
    assert world.state.n_values == 24


@given(st.sets(st.integers(0, N - 1)), st.integers(0, 10), st.integers(1, 9), st.integers(0, 9))
@settings(max_examples=300)
def test_neither_order_nor_luck_changes_what_is_tried(failing, more, size, seed):
    schedule = batch(initial=4, most=5 + more, size=size)
    worlds = [World(schedule, failing, order_seed=seed + k).run() for k in range(2)]
    assert worlds[0].tried == worlds[1].tried
    world = worlds[0]
    assert len(world.tried) == len(set(world.tried))
    assert world.state.n_values <= 5 + more
    assert world.most_in_flight <= max(4, size)
    if not world.state.stopped.ok:
        assert world.state.n_failed >= 12
    elif world.state.n_values < 5 + more:
        assert sorted(world.tried) == list(range(N))


def test_a_simulator_that_never_succeeds_stops_after_three_times_the_initial_count():
    world = World(batch(), failing=range(N)).run()
    assert len(world.tried) == 24
    assert not world.state.stopped.ok
    assert "24" in world.state.stopped.reason


def test_a_simulator_that_breaks_later_stops_too():
    ok = set(InitialDesign(N, 1).take(0, 8))
    world = World(batch(most=50), failing=set(range(N)) - ok).run()
    assert world.state.n_values == 8
    assert world.state.n_failed == 24
    assert not world.state.stopped.ok


def test_a_small_library_is_tried_whole():
    world = World(batch(n_molecules=10), n_molecules=10).run()
    assert sorted(world.tried) == list(range(10))
    assert world.state.stopped == Stopped("every molecule of the library has been tried", ok=True)


def test_a_library_smaller_than_the_initial_design():
    world = World(batch(n_molecules=3), n_molecules=3).run()
    assert world.state.n_values == 3
    assert world.state.stopped.ok


def test_a_small_library_that_fails_whole():
    world = World(batch(n_molecules=3), failing=range(3), n_molecules=3).run()
    assert not world.state.stopped.ok


def test_known_values_count_for_the_initial_design():
    world = World(batch(), n_known=5).run()
    assert world.tried[:3] == list(InitialDesign(N, 1).take(0, 3))
    assert world.tried[3] == max(set(range(N)) - set(world.tried[:3]))
    assert world.state.n_values == 24


def test_many_known_values_need_no_initial_design():
    world = World(batch(), n_known=100).run()
    assert world.tried[:4] == [59, 58, 57, 56]
    assert world.state.n_drawn == 0


def test_a_ranking_asks_for_what_reports_show_and_a_batch_needs():
    ready = State(n_values=8, n_drawn=8)
    assert batch(size=2).decide(ready) == [Rank(5)]
    assert batch(size=9).decide(ready) == [Rank(9)]


def test_nothing_is_decided_while_waiting():
    schedule = batch()
    assert schedule.decide(State(n_values=7, n_drawn=8, in_flight=frozenset({1}))) == []
    assert schedule.decide(State(n_values=8, n_drawn=8, batch=1, is_ranking=True)) == []
    assert schedule.decide(State(stopped=Stopped("", ok=True))) == []
    assert schedule.decide(State()) == [Simulate(schedule.design.take(0, 8), Source.INITIAL)]


def test_a_warm_start_whose_simulator_never_succeeds_has_the_same_limit():
    world = World(batch(initial=1, size=8), failing=range(N), n_known=5).run()
    assert len(world.tried) == 3
    assert not world.state.stopped.ok
