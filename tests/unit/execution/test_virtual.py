"""The engine with a clock of its own, and whole campaigns on it."""

import numpy as np
import pytest

from molloop.campaign.design import InitialDesign
from molloop.campaign.dispatch import Dispatch
from molloop.campaign.driver import Driver
from molloop.campaign.engine import Group, Simulations, Work
from molloop.campaign.events import End
from molloop.campaign.plan import Plan
from molloop.campaign.schedule import Batch, Interleaved
from molloop.campaign.warm_start import read_warm_start
from molloop.config.settings import Settings
from molloop.errors import EngineError
from molloop.execution.virtual import Costs, VirtualEngine
from molloop.molecule import Molecule
from molloop.search.policy import policy_named
from molloop.simulate.outcome import Failure, Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.store.writer import Store

FREE = Costs(dispatch_s=0.0, train_s=0.0, rank_s=0.0)


def lookup(molecule_id, smiles, _stage):
    return Success({"ie": 10.0 + len(smiles)}, seconds=1.0 + molecule_id % 3)


def engine(n_workers=2, costs=FREE, failure_rate=0.0, seed=0):
    return VirtualEngine(lookup, n_workers, costs, failure_rate, np.random.default_rng(seed))


def group(*ids):
    return Group(tuple(Molecule(one, "C") for one in ids), SimulationProtocol())


def test_two_workers_by_hand():
    # durations: 1, 2, 3 s by id; one worker takes ids 0 and then 2, the other 1
    virtual = engine()
    for key in (0, 1, 2):
        virtual.simulate(group(key))
    ended = []
    while len(ended) < 3:
        ended += [(virtual.now(), *one.group.molecule_ids, one) for one in virtual.wait(0.5)]
    assert [(time_s, key) for time_s, key, _ in ended] == [(1.0, 0), (2.0, 1), (4.0, 2)]
    assert [one.times_s for _, _, one in ended] == [((0, 1),), ((0, 2),), ((1, 4),)]
    assert ended[0][2].worker == ended[2][2].worker != ended[1][2].worker


def test_a_group_goes_one_by_one_and_dispatch_takes_time():
    virtual = engine(costs=Costs(dispatch_s=0.25))
    virtual.simulate(group(0, 1))
    virtual.simulate(group(0))
    [first] = virtual.wait(9.0)
    [second] = virtual.wait(9.0)
    assert first.times_s == ((0.5, 1.5),)
    assert second.times_s == ((0.25, 1.25), (1.25, 3.25))


def test_time_passes_no_further_than_was_asked():
    virtual = engine()
    virtual.simulate(group(2))
    assert virtual.wait(1.0) == []
    assert virtual.now() == 1.0
    assert len(virtual.wait(5.0)) == 1
    assert virtual.now() == 3.0


def test_waiting_for_nothing_is_an_error():
    with pytest.raises(EngineError, match="Nothing is under way"):
        engine().wait(1.0)


def test_what_is_halted_begins_nothing_more():
    virtual = engine(n_workers=1)
    for key in (0, 1):
        virtual.simulate(group(key))
    virtual.wait(0.0)
    virtual.halt(30.0)
    ended = [one for _ in range(2) for one in virtual.wait(9.0)]
    assert sorted(len(one.outcomes) for one in ended) == [0, 1]
    assert all(isinstance(one, Simulations) for one in ended)
    assert virtual.now() == 1.0


def test_a_halted_group_ends_with_the_molecule_at_hand():
    virtual = engine(n_workers=1)
    virtual.simulate(group(0, 2, 0))  # 1, 3 and 1 s
    assert virtual.wait(2.0) == []
    virtual.halt(30.0)
    [done] = virtual.wait(9.0)
    assert [end_s for _, end_s in done.times_s] == [1.0, 4.0]
    assert len(done.outcomes) == 2
    assert virtual.now() == 4.0


def test_failures_are_drawn():
    virtual = engine(n_workers=1000, failure_rate=0.25)
    for key in range(1000):
        virtual.simulate(group(key))
    outcomes = []
    while len(outcomes) < 1000:
        outcomes += [outcome for one in virtual.wait(9.0) for outcome in one.outcomes]
    n_failed = sum(isinstance(outcome, Failure) for outcome in outcomes)
    assert 210 < n_failed < 290  # 250 expected; the standard deviation is 13.7


def campaign(library, schedule, n_workers, costs=FREE, most=20, **options):
    settings = Settings()
    warm_start = read_warm_start(None, "ie_ev", settings.protocol(), library)
    virtual = engine(n_workers, costs, **options)
    plan = Plan(InitialDesign(library.n_molecules, 1), Dispatch(n_workers), 4, most, 3, 1.0)
    store = Store.temporary()
    driver = Driver(
        virtual,
        store,
        library,
        Batch(plan) if schedule == "batch" else Interleaved(plan, 3),
        policy_named("ridge"),
        settings.objective(),
        settings.protocol(),
        warm_start,
        1,
        lambda *_: None,
    )
    state = driver.run()
    assert state.stopped.end is End.DONE
    return store


@pytest.mark.parametrize("schedule", ["batch", "interleaved"])
def test_the_same_seed_gives_the_same_run(small_library, schedule):
    options = {"failure_rate": 0.2, "costs": Costs(0.01, 0.5, 0.25)}
    runs = [campaign(small_library, schedule, 3, **options, seed=k) for k in (1, 1, 2)]
    assert runs[0].simulated() == runs[1].simulated()
    assert runs[0].events() == runs[1].events()
    assert runs[0].tasks() == runs[1].tasks()
    assert runs[0].simulated() != runs[2].simulated()


def test_a_batch_does_not_depend_on_the_number_of_workers(small_library):
    runs = [campaign(small_library, "batch", n) for n in (1, 3, 20)]
    rows = [[(one.molecule_id, one.batch) for one in run.simulated()] for run in runs]
    assert rows[0] == rows[1] == rows[2]


def test_rankings_are_charged_and_workers_do_not_wait_for_them(small_library):
    costs = Costs(0.0, 2.0, 3.0)
    store = campaign(small_library, "interleaved", 2, costs)
    tasks = store.tasks()
    assert {task.work for task in tasks} == {Work.TRAIN, Work.RANK}
    for task in tasks:
        assert task.ended_s - task.began_s == (2.0 if task.work is Work.TRAIN else 3.0)
    simulated = [one for one in store.simulated() if one.time_s < 25]
    assert len(simulated) > 10
    batch = campaign(small_library, "batch", 2, costs)
    assert store.events()[-1][0] < batch.events()[-1][0]
