"""Ladders of stages against a world that is only molecules, their values and which of them fail."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from molloop.campaign.design import InitialDesign
from molloop.campaign.dispatch import Dispatch
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
)
from molloop.campaign.in_time import decide_in_time
from molloop.campaign.ladder import Ladder
from molloop.campaign.plan import Plan, Rank, Simulate, Stop, Stopping, event_of
from molloop.campaign.schedule import Batch, Interleaved
from molloop.campaign.stage_plan import StagePlan
from molloop.campaign.state import Counts, State
from molloop.campaign.states import add_up_stages
from molloop.goal import Objective
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.simulators import IE

N = 40
LEVELS = ("gfn2", "b3lyp/def2-svp", "b3lyp/def2-tzvp")  # reckoned at 0.1, 20 and 100 s


def ladder(counts, shares=(), *, is_batch=True, n_workers=4, first=16, stopping=None):
    design = InitialDesign(N, 1)
    plan = Plan(design, Dispatch(n_workers, 1), 6, first, 4, 1.0, Stopping(3))
    stages = [
        StagePlan(
            SimulationProtocol(options={"level": level}),
            replace(plan, max_training_count=count),
            share,
        )
        for level, count, share in zip(
            LEVELS, (first, *counts), (None, *(shares or [None] * len(counts))), strict=False
        )
    ]
    schedule = Batch(plan) if is_batch else Interleaved(plan, 4)
    return Ladder(schedule, tuple(stages), stopping or Stopping(3))


class World:
    """Runs a ladder; a molecule's value in any stage is its id, and what is best is promoted."""

    def __init__(self, ladder, failing=(), order_seed=0):
        self.ladder = ladder
        self.names = [one.name for one in ladder.stages]
        self.failing = failing
        self.order = random.Random(order_seed)
        self.states = tuple(State.at_first(Objective(IE), 3, []) for _ in self.names)
        self.events = []
        self.pending = []
        self.handed_out = []
        self.values = {name: set() for name in self.names}
        self.taken = set()
        self.ranking = None
        self.happens(Began(N, 0))

    def happens(self, event):
        self.events.append(event)
        self.states = add_up_stages([event], self.states, self.names)

    def run(self):
        for _ in range(5_000):
            while self.decide():
                pass
            if self.states[0].stopped:
                assert not self.pending
                return self
            for _ in range(self.order.randint(1, 3)):
                self.end_one()
        raise AssertionError("it never stops")

    def decide(self):
        """Act on a decision; return whether something is to be decided at once."""
        is_ranked = False
        steps = self.ladder.decide(self.states, self.taken, len(self.pending))
        for place, action in steps:
            self.happens(event_of(action, self.states[place], self.names[place]))
            match action:
                case Simulate(molecule_ids):
                    self.hand_out(place, molecule_ids)
                case Rank(n) if place == 0:
                    assert self.ranking is None
                    self.ranking = n
                case Rank(n):
                    self.rank(place, n)
                    is_ranked = True
                case Stop():
                    pass
        return is_ranked

    def hand_out(self, place, molecule_ids):
        name = self.names[place]
        assert molecule_ids
        jobs = [(one, name) for one in molecule_ids]
        assert not set(jobs) & set(self.handed_out)
        if place:
            assert set(molecule_ids) <= self.values[self.names[place - 1]]
        else:
            self.taken |= set(molecule_ids)
        self.handed_out += jobs
        self.pending += jobs

    def rank(self, place, n):
        tried = {key for key, name in self.handed_out if name == self.names[place]}
        may = set(range(N)) if place == 0 else self.values[self.names[place - 1]]
        best = sorted(may - tried, reverse=True)[:n]
        left = 2.0 if place < len(self.names) - 1 else 0.0
        self.happens(
            Ranked(
                self.states[place].batch,
                tuple(best),
                tuple(map(float, best)),
                (4.0,) * len(best),
                0.1,
                self.names[place],
                left,
            )
        )

    def end_one(self):
        if self.ranking is not None and (not self.pending or self.order.random() < 0.3):
            n, self.ranking = self.ranking, None
            self.rank(0, n)
        elif self.pending:
            key, name = self.pending.pop(self.order.randrange(len(self.pending)))
            if (key, name) in self.failing:
                self.happens(Finished(key, "scf", 1.0, None, name))
            else:
                self.values[name].add(key)
                seconds = 0.1 if name == self.names[0] else 20.0
                self.happens(Finished(key, "", seconds, float(key), name))


jobs = st.sets(st.tuples(st.integers(0, N - 1), st.sampled_from(LEVELS)), max_size=12)
counts = st.lists(st.integers(1, 12), min_size=1, max_size=2)


@settings(deadline=None)
@given(counts, jobs, st.booleans(), st.integers(1, 9), st.integers(0, 99))
def test_a_ladder_hands_out_each_job_once_and_ends(counts, failing, is_batch, n_workers, seed):
    found = ladder(counts, is_batch=is_batch, n_workers=n_workers)
    world = World(found, failing, seed).run()
    assert world.states[0].stopped.end is End.DONE
    n_values = [len(world.values[name]) for name in world.names]
    # nothing is left undone: each has its count, or everything below was tried
    assert n_values[0] == 16
    for place, count in enumerate(counts, start=1):
        tried = {key for key, name in world.handed_out if name == world.names[place]}
        assert n_values[place] <= count
        if n_values[place] < count:
            assert tried == world.values[world.names[place - 1]]


@settings(deadline=None, max_examples=30)
@given(counts, jobs, st.integers(1, 9), st.integers(0, 99))
def test_by_batches_the_same_is_chosen_on_any_number_of_workers(counts, failing, n_workers, seed):
    one = World(ladder(counts, n_workers=1), failing).run()
    other = World(ladder(counts, n_workers=n_workers), failing, seed).run()
    assert other.handed_out == one.handed_out


@settings(deadline=None, max_examples=30)
@given(st.floats(0.1, 0.9), st.booleans(), st.integers(1, 4), st.integers(0, 99))
def test_a_share_is_a_part_of_the_time(share, is_batch, n_workers, seed):
    found = ladder([None], [share], is_batch=is_batch, n_workers=n_workers)
    world = World(found, (), seed).run()
    n_above = len(world.values[world.names[1]])
    cost_s = 20.0
    spent_s = n_above * cost_s
    total_s = spent_s + 16 * 0.1
    all_below = n_above == 16
    # the last molecule may have brought it above; in batches, the last batch
    most = share * total_s + cost_s * (4 if is_batch else n_workers + 1)
    assert spent_s <= most
    assert spent_s >= share * total_s or all_below


def test_a_stage_above_keeps_pace_with_the_one_below():
    world = World(ladder([8], is_batch=False, n_workers=1)).run()
    n_below = n_above = 0
    for event in world.events:
        if isinstance(event, Submitted) and event.stage == world.names[1]:
            n_above += len(event.molecule_ids)
            assert n_above <= max(8 * n_below // 16, 0)
        if isinstance(event, Finished) and event.stage == world.names[0]:
            n_below += 1
    assert (n_below, n_above) == (16, 8)


def test_what_is_cheap_and_promising_goes_first():
    # a cheap value costs a two-hundredth: with twelve better molecules left, it is worth more
    world = World(ladder([None], is_batch=False, n_workers=1, first=None)).run()
    order = [name for _, name in world.handed_out]
    first_above = order.index(world.names[1])
    # the first one above is computed as soon as something is known, and teaches the difference
    assert first_above >= 6
    before_the_second = order[first_above + 1 :].index(world.names[1])
    assert before_the_second >= 5
    assert len(world.values[world.names[0]]) == N


def test_what_fails_often_gains_less():
    found = ladder([None], is_batch=False, n_workers=1, first=None)
    last = State(n_values=3, top=(9.0,), proposals=(5,), means=(8.0,), stds=(2.0,))
    first = State(n_values=9)
    whole = found._gain(1, (first, last))
    # of nine tries above three had a value: (3 + 1) / (9 + 1)
    part = found._gain(1, (first, last._replace(failures=(("scf", 6),))))
    assert part == pytest.approx(0.4 * whole)
    # E[max(z - 0.5, 0)] of a standard normal variable is 0.1978, times a deviation of 2
    assert whole == pytest.approx(0.39559, abs=1e-4)


def test_patience_looks_at_the_last_stage():
    found = ladder([12], stopping=Stopping(3, patience=4))
    world = World(found).run()
    assert world.states[0].stopped.reason.endswith("simulations brought none of the best 3")
    assert len(world.values[world.names[1]]) >= 7


def test_events_of_a_stage_are_told_to_it_alone():
    names = ["a", "b"]
    start = tuple(State.at_first(Objective(IE), 3, []) for _ in names)
    first, second = add_up_stages(
        [
            Began(9, 2),
            Submitted((1, 2), "initial", 0, 2, "a"),
            Finished(1, "", 1.0, 5.0, "a"),
            RankingBegan(1, 1, "b"),
            Ranked(1, (1,), (4.0,), (1.0,), 0.0, "b", 0.0),
            Submitted((1,), "ranking", 1, 0, "b"),
            Lost((1,), "worker", "b"),
            Finished(1, "scf", 7.0, None, "b"),
            Finished(2, "", 1.0, 6.0),  # of a run that names none
            Stopped("enough", End.DONE),
        ],
        start,
        names,
    )
    assert (first.n_known, first.n_submitted, first.n_values, first.n_failed) == (2, 2, 2, 0)
    assert (second.n_known, second.n_submitted, second.n_values, second.n_failed) == (0, 1, 0, 1)
    assert (second.seconds, second.means, first.proposals) == (7.0, (4.0,), ())
    assert first.stopped == second.stopped == Stopped("enough", End.DONE)


@pytest.mark.parametrize("ranks_anew", [False, True])
def test_a_ranking_that_was_lost_is_made_again(ranks_anew):
    names = ["a", "b"]
    start = tuple(State.at_first(Objective(IE), 3, []) for _ in names)
    events = [RankingBegan(1, 8, "b")]
    if ranks_anew:
        events.append(Ranked(1, (4,), (4.0,), (1.0,), 0.0, "b", 0.0))
    states = add_up_stages([*events, Resumed((), (), ranks_anew)], start, names)
    assert states[1].n_ranked_on == 0
    assert states[1].n_proposals_left == 0
    assert not states[1].is_ranking


BEGUN = State(
    *(1, False, 3),
    n_submitted=6,
    n_values=6,
    seconds=6.0,
    batch=1,
    n_ranked_on=6,
    proposals=tuple(range(10, 26)),
    means=(9.0,) * 16,
    stds=(1.0,) * 16,
    unresolved_std=0.5,
    at_ranking_began=Counts(6, 6),
    at_ranked=Counts(6, 6),
)
RANKED_ABOVE = State(
    *(1, False, 3),
    batch=1,
    n_ranked_on=6,
    proposals=(3, 4),
    means=(9.0, 8.0),
    stds=(1.0, 1.0),
    at_ranking_began=Counts(0, 0),
    at_ranked=Counts(0, 0),
)


def decided(left_s, first=BEGUN, last=RANKED_ABOVE, n_tasks=0):
    found = ladder([None], is_batch=False, n_workers=1, first=None)
    steps = decide_in_time(found, (first, last), set(), n_tasks, left_s)
    return [(place, type(action)) for place, action in steps]


def test_a_dear_simulation_is_not_begun_shortly_before_the_end():
    # one of the last stage is reckoned at 20 s, one of the first has taken a second
    assert LEVELS[1] == "b3lyp/def2-svp"
    assert (1, Simulate) in decided(21.0)
    assert {place for place, _ in decided(19.0)} == {0}
    assert (0, Simulate) in decided(19.0)
    # once measured, the measured time counts
    slow = RANKED_ABOVE._replace(
        n_submitted=1, n_values=1, seconds=50.0, top=(5.0,), n_handed_out=1
    )
    assert {place for place, _ in decided(49.0, last=slow)} == {0}


def test_where_nothing_ends_in_time_the_run_ends():
    found = ladder([None], is_batch=False, n_workers=1, first=None)
    [(place, stop)] = decide_in_time(found, (BEGUN, RANKED_ABOVE), set(), 0, 0.5)
    assert (place, stop) == (
        0,
        Stop("its time limit leaves too little time for another simulation", End.DONE),
    )
    # what is under way is waited for
    under_way = BEGUN._replace(n_submitted=7, n_handed_out=1)
    assert decided(0.5, first=under_way, n_tasks=1) == []


def test_a_run_of_one_stage_begins_nothing_late_either():
    found = ladder([], is_batch=False, n_workers=1, first=None)
    [(_, simulate)] = decide_in_time(found, (BEGUN,), set(), 0, 2.0)
    assert (type(simulate), simulate.source) == (Simulate, Source.RANKING)
    [(_, stop)] = decide_in_time(found, (BEGUN,), set(), 0, 0.9)
    assert isinstance(stop, Stop)
    due = BEGUN._replace(n_values=20, n_submitted=20, seconds=20.0)
    kinds = [type(one) for _, one in decide_in_time(found, (due,), set(), 0, 0.9)]
    assert kinds == [Rank]


def test_what_is_left_of_a_batch_is_not_begun_late():
    found = ladder([8], is_batch=True, n_workers=1)
    begun = RANKED_ABOVE._replace(n_submitted=1, n_values=1, seconds=20.0, n_handed_out=1)
    for left_s, expected in ((30.0, Simulate), (10.0, Stop)):
        steps = decide_in_time(found, (BEGUN, begun), set(), 0, left_s)
        assert [type(action) for _, action in steps] == [expected]
