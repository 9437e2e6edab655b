"""The schedules against a world that is only a set of molecules that fail."""

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
    Ranked,
    RankingBegan,
    Resumed,
    Source,
    Stopped,
    Submitted,
)
from molloop.campaign.plan import Plan, Rank, Simulate, Stop, Stopping
from molloop.campaign.schedule import Batch, Interleaved
from molloop.campaign.state import Counts, State, add_up, apply

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
        self.taken = set()
        self.pending = []
        self.tasks = []
        self.ranking = None
        self.breaks_after = None
        self.most_in_flight = 0
        self.least_in_flight = N  # until no more may be handed out
        self.n_rankings = 0

    def n_tasks(self):
        pending = set(self.pending)
        return sum(bool(task & pending) for task in self.tasks)

    def run(self):
        for _ in range(10_000):
            self.decide()
            if self.state.stopped:
                assert not self.pending
                return self
            if self.schedule.plan.n_left(self.state) > 0 and not self.may_wait():
                self.least_in_flight = min(self.least_in_flight, len(self.pending))
            self.happen()
        raise AssertionError("it never stops")

    def may_wait(self):
        """Whether all that it proposed is used, and a tenth of the budget for random molecules."""
        plan, state = self.schedule.plan, self.state
        n_random = state.n_random
        n_allowed = max(0, plan.initial_training_count - state.n_known)
        n_allowed += (plan.max_training_count or state.n_submitted) // 10
        is_something_to_wait_for = self.ranking is not None or self.pending
        return is_something_to_wait_for and not state.n_proposals_left and n_random >= n_allowed

    def decide(self):
        before = self.state
        for action in self.schedule.decide(self.state, self.taken, self.n_tasks()):
            self.act(action)
        if before != self.state and not self.state.stopped:
            # whatever follows from what was decided was decided too
            following = self.schedule.decide(self.state, self.taken, self.n_tasks())
            assert not any(isinstance(one, Simulate) for one in following)

    def happen(self):
        """Let things end at the same time: some simulations, or the ranking under way."""
        for _ in range(self.order.randint(1, 3)):
            if self.pending or self.ranking is not None:
                self.end_one()

    def end_one(self):
        if self.ranking is not None and (not self.pending or self.order.random() < 0.3):
            # as the driver does: what was handed out meanwhile is proposed no more
            left = tuple(key for key in self.ranking.molecule_ids if key not in self.tried)
            zeros = (0.0,) * len(left)
            self.state = apply(self.state, Ranked(self.ranking.batch, left, zeros, zeros))
            self.ranking = None
            return
        molecule = self.pending.pop(self.order.randrange(len(self.pending)))
        is_broken = self.breaks_after is not None and self.state.n_values >= self.breaks_after
        failure = "scf" if molecule in self.failing or is_broken else ""
        self.state = apply(self.state, Finished(molecule, failure, seconds=1.0))

    def act(self, action):
        match action:
            case Simulate(molecule_ids, source, size, n_drawn):
                assert molecule_ids
                assert size >= 1
                assert not set(molecule_ids) & set(self.tried)
                self.tried += molecule_ids
                self.pending += molecule_ids
                starts = range(0, len(molecule_ids), size)
                self.tasks += [set(molecule_ids[start : start + size]) for start in starts]
                if source is Source.RANKING:
                    self.taken |= set(molecule_ids)
                    assert n_drawn == 0
                self.most_in_flight = max(self.most_in_flight, len(self.pending))
                event = Submitted(molecule_ids, source, self.state.batch, n_drawn)
                self.state = apply(self.state, event)
            case Rank(n):
                assert self.ranking is None
                left = sorted(set(range(self.n_molecules)) - set(self.tried), reverse=True)[:n]
                zeros = (0.0,) * len(left)
                number = self.state.batch + 1
                self.n_rankings += 1
                self.state = apply(self.state, RankingBegan(number, 1))
                self.ranking = Ranked(number, tuple(left), zeros, zeros)
            case Stop(reason, end):
                self.state = apply(self.state, Stopped(reason, end))


def plan(initial=8, most=24, size=4, n_molecules=N, seed=1, n_workers=8, share=1.0):
    design = InitialDesign(n_molecules, seed)
    return Plan(design, Dispatch(n_workers), initial, most, size, share)


def batch(**options):
    return Batch(plan(**options))


def interleaved(retrain_after=4, **options):
    return Interleaved(plan(**options), retrain_after)


def design(n, n_molecules=N):
    return list(InitialDesign(n_molecules, 1).take(0, n)[0])


def test_the_published_run():
    world = World(batch()).run()
    assert world.tried[:8] == design(8)
    left = [key for key in range(N - 1, -1, -1) if key not in world.tried[:8]]
    assert world.tried[8:] == left[:16]
    assert world.state.batch == 4
    assert world.state.n_values == 24
    assert world.state.stopped == Stopped("24 values are there, as asked", End.DONE)


def test_the_last_batch_is_cut():
    world = World(batch(initial=3, most=10, size=4)).run()
    assert len(world.tried) == world.state.n_values == 10


def test_replacements_come_from_the_same_sequence():
    sequence = design(12)
    world = World(batch(), failing=[sequence[2], sequence[5], sequence[9]]).run()
    assert world.tried[:11] == sequence[:11]
    assert world.state.n_values == 24


@given(st.sets(st.integers(0, N - 1)), st.integers(0, 10), st.integers(1, 9), st.integers(0, 9))
@settings(max_examples=300)
def test_neither_order_nor_luck_nor_workers_change_what_is_tried(failing, more, size, seed):
    options = {"initial": 4, "most": 5 + more, "size": size}
    worlds = [
        World(batch(**options, n_workers=1 + 4 * k), failing, order_seed=seed + k).run()
        for k in range(2)
    ]
    assert worlds[0].tried == worlds[1].tried
    assert worlds[0].state.stopped == worlds[1].state.stopped
    world = worlds[0]
    assert len(world.tried) == len(set(world.tried))
    assert world.state.n_values <= 5 + more
    assert world.most_in_flight <= 2
    assert worlds[1].most_in_flight <= max(4, size)
    if world.state.stopped.end is End.FAILED:
        assert world.state.n_failed >= min(24, N - 5 - more)
    elif world.state.n_values < 5 + more:
        assert sorted(world.tried) == list(range(N))


def test_a_simulator_that_never_succeeds_stops_after_three_times_the_initial_count():
    world = World(batch(), failing=range(N)).run()
    assert len(world.tried) == 24
    assert world.state.stopped.end is End.FAILED
    assert "24" in world.state.stopped.reason


def test_a_simulator_that_breaks_later_stops_too():
    ok = set(design(8))
    world = World(batch(most=50), failing=set(range(N)) - ok).run()
    assert world.state.n_values == 8
    assert world.state.n_failed == 24
    assert world.state.stopped.end is End.FAILED


def test_a_small_library_is_tried_whole():
    world = World(batch(n_molecules=10), n_molecules=10).run()
    assert sorted(world.tried) == list(range(10))
    assert world.state.stopped == Stopped("every molecule of the library has been tried", End.DONE)


def test_a_library_smaller_than_the_initial_design():
    world = World(batch(n_molecules=3), n_molecules=3).run()
    assert world.state.n_values == 3
    assert world.state.stopped.end is End.DONE


@pytest.mark.parametrize("make", [batch, interleaved])
def test_without_a_count_it_goes_on_until_the_library_ends(make):
    world = World(make(most=None), failing=[3, 4]).run()
    assert sorted(world.tried) == list(range(N))
    assert world.state.stopped == Stopped("every molecule of the library has been tried", End.DONE)


def test_without_a_count_a_tenth_of_what_was_handed_out_may_be_random():
    # eight for the first model, ten of the hundred that were handed out
    state = State(n_values=100, n_submitted=100, n_random=15, n_drawn=15, seconds=100.0, batch=1,
                  at_ranking_began=Counts(100, 100), is_ranking=True)  # fmt: skip
    schedule = interleaved(most=None, n_molecules=1000)
    [random] = schedule.decide(state, (), 0)
    assert (len(random.molecule_ids), random.source) == (3, Source.INITIAL)


def test_a_small_library_that_fails_whole():
    world = World(batch(n_molecules=3), failing=range(3), n_molecules=3).run()
    assert world.state.stopped.end is End.FAILED


def test_known_values_count_for_the_initial_design():
    world = World(batch(), n_known=5).run()
    assert world.tried[:3] == design(3)
    assert world.tried[3] == max(set(range(N)) - set(world.tried[:3]))
    assert world.state.n_values == 24


def test_many_known_values_need_no_initial_design():
    world = World(batch(), n_known=100).run()
    assert world.tried[:4] == [59, 58, 57, 56]
    assert world.state.n_drawn == 0


def test_a_ranking_asks_for_what_reports_show_and_a_batch_needs():
    ready = State(n_values=8, n_drawn=8, n_submitted=8)
    assert batch(size=2).decide(ready, (), 0) == [Rank(5)]
    assert batch(size=9).decide(ready, (), 0) == [Rank(9)]


def test_nothing_is_decided_while_waiting():
    schedule = batch()
    assert schedule.decide(State(n_values=7, n_drawn=8, n_submitted=8), (), 0) == []
    ranking = State(n_values=8, n_drawn=8, n_submitted=8, batch=1, is_ranking=True)
    assert schedule.decide(ranking, (), 0) == []
    assert schedule.decide(State(stopped=Stopped("", End.DONE)), (), 0) == []
    first = Simulate(tuple(design(8)), Source.INITIAL, 1, 8)
    assert schedule.decide(State(), (), 0) == [first]


def test_a_warm_start_whose_simulator_never_succeeds_has_the_same_limit():
    world = World(batch(initial=1, size=8), failing=range(N), n_known=5).run()
    assert len(world.tried) == 24
    assert world.state.stopped.end is End.FAILED


def test_a_larger_budget_goes_on_as_if_it_had_been_so_from_the_start():
    world = World(batch(most=18)).run()
    assert world.state.stopped.end is End.DONE
    world.schedule = batch(most=24)
    world.state = apply(world.state, Resumed())
    assert world.run().tried == World(batch(most=24)).run().tried


@pytest.mark.parametrize("make", [batch, interleaved])
def test_what_has_failed_before_it_was_mended_ends_no_run(make):
    for ok in (set(), set(design(8, 2 * N))):
        schedule = make(most=30, n_molecules=2 * N)
        world = World(schedule, set(range(2 * N)) - ok, n_molecules=2 * N).run()
        assert world.state.stopped.end is End.FAILED
        n_failed = world.state.n_failed
        assert n_failed >= 24
        world.state = apply(world.state, Resumed())
        world.failing = set()
        world.run()
        assert world.state.stopped == Stopped("30 values are there, as asked", End.DONE)
        assert world.state.n_failed == n_failed


def test_what_is_not_mended_ends_a_run_again():
    world = World(batch(), failing=range(N)).run()
    world.state = apply(world.state, Resumed())
    assert world.run().state.stopped.end is End.FAILED
    assert world.state.n_failed == 48


def test_random_molecules_are_others_than_those_proposed_beside_them():
    first, second = design(2)
    state = State(
        n_values=8, n_submitted=8, n_drawn=0, seconds=8.0, batch=1, proposals=(first,),
        at_ranking_began=Counts(8, 8), at_ranked=Counts(8, 8),
    )  # fmt: skip
    actions = interleaved(n_workers=2).decide(state, set(), 0)
    assert actions == [
        Simulate((first,), Source.RANKING, 1),
        Simulate((second,), Source.INITIAL, 1, 2),
    ]


@pytest.mark.parametrize("n_ok", range(8, 20))
@pytest.mark.parametrize("make", [batch, interleaved])
def test_a_simulator_that_breaks_at_any_moment_ends_the_run(make, n_ok):
    world = World(make(most=100, n_molecules=4 * N), n_molecules=4 * N)
    world.breaks_after = n_ok
    world.run()
    assert world.state.n_values == n_ok
    assert world.state.stopped.end is End.FAILED
    assert 24 <= world.state.n_failed <= 24 + 12


def test_what_fails_at_once_ends_no_run_of_many_workers():
    # of 100 molecules 40 fail, and come back before any other has ended
    state = State(n_submitted=100, failures=(("embedding", 40),), n_failed_in_row=40)
    schedule = interleaved(most=500, n_workers=100, share=0.5)
    assert not any(isinstance(one, Stop) for one in schedule.decide(state, (), 60))
    assert schedule.decide(State(n_failed_in_row=300), (), 0)[0].end is End.FAILED


def test_what_a_ranking_chooses_is_bounded():
    long_ago = Counts(0, 0)
    state = State(
        n_values=9000, n_submitted=9000, seconds=9.0, batch=3,
        at_ranking_began=long_ago, at_ranked=long_ago,
    )  # fmt: skip
    [rank, *_] = interleaved(retrain_after=4, most=10**6, n_workers=2).decide(state, (), 2)
    assert rank == Rank(2 * 4 * (4 + 2 * 2))


def test_failures_of_one_kind_end_a_run_when_they_are_too_many():
    every_second = set(range(0, N, 2))
    for make in (batch, interleaved):
        world = World(make(most=50, share=0.4), failing=every_second).run()
        assert world.state.stopped.end is End.FAILED
        assert 25 <= world.state.n_failed <= 25 + 9  # what was under way is waited for
        reason = f"{world.state.n_failed} of {world.state.n_finished} simulations failed in the"
        assert world.state.stopped.reason == f"{reason} same way, scf"
        assert World(make(most=50, share=0.9), failing=every_second).run().state.n_failed == 30


@given(
    st.sets(st.integers(0, N - 1), max_size=30),
    st.integers(0, 30),
    st.integers(1, 6),
    st.integers(1, 9),
    st.integers(0, 9),
    st.integers(0, 9),
)
@settings(max_examples=300)
def test_workers_never_wait_for_the_model(failing, more, retrain_after, n_workers, n_known, seed):
    options = {"initial": 4, "most": 5 + more, "n_workers": n_workers}
    schedule = interleaved(retrain_after, **options)
    world = World(schedule, failing, n_known, order_seed=seed).run()
    assert len(world.tried) == len(set(world.tried))
    assert world.state.n_values <= 5 + more
    assert world.most_in_flight <= n_workers + 1 + n_workers // 10
    is_exhausted = len(world.tried) == N
    if world.state.stopped.end is End.DONE and not is_exhausted:
        assert world.state.n_values == 5 + more
        assert world.least_in_flight >= n_workers
    if not failing and more > 2 * n_workers:
        assert world.n_rankings >= 1
    # what fails uses proposals up, and the next ranking comes sooner
    assert world.n_rankings <= 1 + (5 + more) / retrain_after + world.state.n_failed


def test_a_ranking_replaces_what_the_one_before_proposed():
    schedule = interleaved(most=40, n_workers=2)
    state = State(n_values=8, n_drawn=9, n_submitted=9, seconds=8.0)
    actions = schedule.decide(state, (), 1)
    assert [type(action) for action in actions] == [Rank, Simulate]
    # one more than are under way, from the initial design: nothing is proposed yet
    assert actions[1] == Simulate((design(10)[9],), Source.INITIAL, 1, 1)
    assert actions[0].n == 2 * (4 + 2 * 2)
    ranking = [RankingBegan(1, 8), Submitted(actions[1].molecule_ids, Source.INITIAL, 0, 1)]
    state = add_up([*ranking, Ranked(1, (50, 49, 48, 47), (0,) * 4, (0,) * 4)], state)
    # two run, one waits
    assert schedule.decide(state, (), 2) == [Simulate((50,), Source.RANKING, 1)]
    state = apply(state, Submitted((50,), Source.RANKING, 1))
    for key in (design(9)[8], design(10)[9], 50):
        state = apply(state, Finished(key, seconds=1.0))
    handed_out = schedule.decide(state, (), 0)
    assert handed_out == [Simulate((49, 48, 47), Source.RANKING, 1)]
    state = add_up([Submitted((49, 48, 47), Source.RANKING, 1), Finished(49)], state)
    actions = schedule.decide(state, (), 2)
    assert isinstance(actions[0], Rank)
    # the proposals are used up: nobody waits, but the two workers are busy
    assert len(actions) == 1


@pytest.mark.parametrize("make", [Batch, lambda plan: Interleaved(plan, 4)])
def test_it_ends_when_nothing_more_is_gained_or_expected(make):
    state = State(n_values=12, n_drawn=8, n_submitted=12, n_without_gain=4, expected_gain=0.1)
    for stopping, words in (
        (Stopping(5, patience=4), "4 simulations brought none of the best 5"),
        (Stopping(min_gain=0.2), "expects 0.1 above the best value at most, less than 0.2"),
    ):
        schedule = make(replace(plan(), stopping=stopping))
        [stop] = schedule.decide(state, (), 0)
        assert stop.end is End.DONE
        assert words in stop.reason
        # what is under way is waited for
        assert schedule.decide(state._replace(n_submitted=13), (), 1) == []
    for stopping in (Stopping(patience=5), Stopping(min_gain=0.1)):
        actions = make(replace(plan(), stopping=stopping)).decide(state, (), 0)
        assert not any(isinstance(one, Stop) for one in actions)


def test_random_molecules_that_only_keep_workers_busy_are_a_tenth_of_the_budget():
    schedule = interleaved(4, most=50)
    ranking = State(
        n_values=8, n_drawn=8, n_random=8, n_submitted=8, batch=1, is_ranking=True
    )  # fmt: skip
    [simulate] = schedule.decide(ranking, (), 0)
    assert (simulate.source, len(simulate.molecule_ids)) == (Source.INITIAL, 5)
    # places of the design that were passed over are none of them
    passed_over = ranking._replace(n_drawn=40)
    [simulate] = schedule.decide(passed_over, (), 0)
    assert len(simulate.molecule_ids) == 5
    used = ranking._replace(n_drawn=13, n_random=13, n_submitted=13)
    assert schedule.decide(used, (), 5) == []
    # what fails buys no others
    failed = used._replace(failures=(("scf", 1),))
    assert schedule.decide(failed, (), 4) == []
    # where nothing else goes on, one waits for nothing
    alone = used._replace(n_values=10, n_submitted=11, is_ranking=False, failures=(("scf", 1),))
    actions = schedule.decide(alone._replace(at_ranking_began=Counts(11, 10)), (), 0)
    assert [type(one) for one in actions] == [Simulate]


def test_a_batch_of_which_nothing_is_expected_is_not_simulated():
    ranked = State(
        n_values=12, n_drawn=8, n_submitted=12, batch=2, proposals=(1, 2, 3, 4),
        at_ranked=Counts(12, 12), at_ranking_began=Counts(12, 12), expected_gain=0.1,
    )  # fmt: skip
    [stop] = Batch(replace(plan(), stopping=Stopping(min_gain=0.2))).decide(ranked, (), 0)
    assert stop.end is End.DONE
    [simulate] = Batch(replace(plan(), stopping=Stopping(min_gain=0.05))).decide(ranked, (), 0)
    assert simulate.molecule_ids == (1, 2, 3, 4)


def test_where_proposals_are_used_up_and_nothing_runs_a_model_is_trained_on_what_there_is():
    state = State(
        n_values=35, n_drawn=8, n_submitted=40, failures=(("scf", 5),), batch=3,
        at_ranking_began=Counts(30, 30), at_ranked=Counts(30, 30),
    )  # fmt: skip
    actions = interleaved(20, most=40).decide(state, (), 0)
    assert isinstance(actions[0], Rank)


def test_batch_ranks_again_where_the_other_schedule_has_used_what_was_proposed():
    world = World(Interleaved(plan(most=18), 4))
    world.run()
    # its last ranking proposed only what was handed out meanwhile
    n = world.state.n_submitted
    world.state = apply(world.state, Resumed())
    world.state = apply(world.state, RankingBegan(world.state.batch + 1, 1))
    world.state = world.state._replace(at_ranking_began=Counts(n - 3, world.state.n_values - 3))
    world.state = apply(world.state, Ranked(world.state.batch, (), (), ()))
    world.schedule = Batch(plan(most=40))
    world.run()
    assert world.state.n_values == 40
