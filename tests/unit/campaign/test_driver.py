"""The driver with an engine that computes at once, in an order of its own."""

import math
from dataclasses import replace

import numpy as np
import pytest
from instant import SESSION, Campaign, Killed, fake_value, go_on, killed_anywhere, killing

from molloop import results
from molloop.campaign.design import InitialDesign
from molloop.campaign.dispatch import Dispatch
from molloop.campaign.engine import Group, Simulations
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
from molloop.campaign.jobs import Job, Known, Simulated
from molloop.campaign.warm_start import WarmStart, known_values, read_warm_start
from molloop.config.load import load
from molloop.config.settings import Settings
from molloop.errors import EngineError, StoreError
from molloop.goal import Flagged
from molloop.library.conditions import Conditions, each_of
from molloop.library.selection import select
from molloop.simulate.outcome import Failure, Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.store.writer import Store
from molloop.surrogate.registry import MODELS


def test_a_run_from_begin_to_end(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)
    state = campaign.driver.run()
    assert state.n_values == 12
    rows = campaign.rows()
    assert [row[0] for row in rows] == list(range(12))
    assert [row[3] for row in rows] == [0] * 4 + [1] * 3 + [2] * 3 + [3] * 2
    for _, molecule_id, smiles, _, outcome in rows:
        assert small_library.smiles(molecule_id) == smiles
        assert outcome.value == fake_value(smiles)
    assert len({row[1] for row in rows}) == 12


def test_what_is_told_is_stored_first_and_in_the_same_order(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)
    campaign.driver.run()
    assert [(time_s, event) for time_s, event, _ in campaign.events] == campaign.store.events()
    told = [event for _, event, _ in campaign.events]
    assert told[0] == Began(24, 0)
    assert isinstance(told[1], Submitted)
    assert isinstance(told[-1], Stopped)
    for _, event, item in campaign.events:
        if isinstance(event, Finished):
            assert item.molecule_id == event.molecule_id


@pytest.mark.parametrize("policy", MODELS.own)
def test_the_order_in_which_simulations_end_changes_nothing(tmp_path, small_library, policy):
    runs = []
    for seed in range(4):
        campaign = Campaign(
            tmp_path / f"run-{seed}",
            small_library,
            seed=seed,
            failing=("CO", "FC(F)F", "CCC"),
            policy=policy,
        )
        campaign.driver.run()
        rankings = [event for event in campaign.events if isinstance(event[1], Ranked)]
        runs.append((campaign.rows(), [event for _, event, _ in rankings]))
    assert runs[0][1]
    assert all(run == runs[0] for run in runs)


def test_a_request_holds_all_that_is_known(tmp_path, small_library):
    campaign = Campaign(
        tmp_path / "run", small_library, seed=1, failing=("CO", "CCO", "C=O", "C#N")
    )
    campaign.driver.run()
    for request in campaign.engine.requests:
        before = [row for row in campaign.rows() if row[3] < request.number]
        ok = [row for row in before if isinstance(row[4], Success)]
        training = request.training
        assert training.values[training.order].tolist() == [row[4].value for row in ok]
        assert sorted(training.tried) == sorted(row[1] for row in before)
        expected = small_library.features("fingerprints", [row[1] for row in ok])
        assert np.array_equal(training.features[training.order], expected)
        failed = [row[1] for row in before if isinstance(row[4], Failure)]
        assert np.array_equal(training.failed, small_library.features("fingerprints", failed))
        assert request.seed == (42, request.number)
    assert (np.diff(training.order) < 0).any()  # they did not come in that order
    assert len(training.failed) > 1


@pytest.mark.parametrize("is_resumed", [False, True])
@pytest.mark.parametrize("what", ["worker", "manager", "task", "pool"])
def test_what_was_lost_says_nothing_of_the_molecule(tmp_path, small_library, what, is_resumed):
    options = {"failing": ("CO", "CCO", "N"), "policy": "ridge"}
    counts = 4, 12 if is_resumed else 16, 3
    campaign = Campaign(tmp_path / "run", small_library, counts=counts, **options)
    campaign.engine.loses = dict.fromkeys(("CCC", "C#N", "C=O"), (99, what))
    campaign.driver.run()
    if is_resumed:
        campaign.store.close()
        campaign = go_on(tmp_path, small_library, "run", counts=(4, 16, 3), **options)
    last = campaign.engine.requests[-1]
    kinds = {
        row[1]: row[4].kind
        for row in campaign.rows()
        if isinstance(row[4], Failure) and row[3] < last.number
    }
    assert set(kinds.values()) == {"embedding", what}
    of_themselves = [key for key, kind in kinds.items() if kind == "embedding"]
    expected = small_library.features("descriptors", of_themselves)
    assert np.array_equal(last.training.failed, expected)
    assert set(kinds) <= set(last.training.tried.tolist())


def test_known_values_train_and_are_not_simulated(tmp_path, small_library):
    rows = [f"{row},gfn2,relaxed\n" for row in ("OC,15.0", "CCCCCC,13.0", "FC(F)F,17.0")]
    (tmp_path / "known.csv").write_text("smiles,ie_ev,level,fidelity\n" + "".join(rows))
    warm_start = read_warm_start(
        tmp_path / "known.csv", "ie_ev", SimulationProtocol(), small_library
    )
    campaign = Campaign(tmp_path / "run", small_library, warm_start)
    campaign.driver.run()
    smiles = [row[2] for row in campaign.rows()]
    assert len(smiles) == 12
    assert not {"CO", "FC(F)F"} & set(smiles)
    first = campaign.engine.requests[0]
    assert first.training.values.tolist() == [15.0, 13.0, 17.0, fake_value(smiles[0])]
    assert len(first.training.features) == 4
    assert {item.molecule_id for item in warm_start.known} - {None} <= set(
        first.training.tried.tolist()
    )


@pytest.mark.parametrize(("flagged", "best"), [("exclude", 16.0), ("keep", 19.0)])
def test_a_flagged_known_value_is_the_best_where_the_user_says_so(
    tmp_path, small_library, flagged, best
):
    known = tmp_path / "known.csv"
    rows = "CCCCCC,19.0,gfn2,relaxed,not_converged\nCCCCCCC,16.0,gfn2,relaxed,\n"
    known.write_text(f"smiles,ie_ev,level,fidelity,flags\n{rows}")
    warm_start = read_warm_start(known, "ie_ev", SimulationProtocol(), small_library)
    campaign = Campaign(tmp_path / "run", small_library, warm_start)
    objective = replace(campaign.driver.objective, flagged=Flagged(flagged))
    driver = replace(campaign.driver, objective=objective)
    assert driver.state.top[0] == best
    driver.run()
    first = campaign.engine.requests[0].training
    assert first.values[:2].tolist() == [19.0, 16.0]
    assert first.best == best


def test_a_library_that_is_known_whole_ends_at_once(tmp_path, small_library):
    known = tuple(Known(small_library.smiles(k), 15.0, k) for k in range(24))
    kinds = ("fingerprints", "descriptors")
    features = {kind: small_library.features(kind, range(24)) for kind in kinds}
    warm_start = WarmStart(known, features)
    campaign = Campaign(tmp_path / "run", small_library, warm_start)
    state = campaign.driver.run()
    assert state.stopped == Stopped("every molecule of the library has been tried", End.DONE)
    assert campaign.rows() == []


def test_what_was_computed_before_the_engine_broke_is_stored(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library, breaks_after=3.0)
    with pytest.raises(EngineError):
        campaign.driver.run()
    n_told = sum(isinstance(event, Finished) for _, event, _ in campaign.events)
    assert n_told == len(campaign.rows()) > 0
    assert campaign.events[-1][1] == Stopped("The workers are gone.", End.BROKEN)


def test_workers_that_go_while_it_is_interrupted_do_not_break_it(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library, breaks_after=3.0)
    campaign.engine.finishes_when_halted = False

    def interrupt(_):
        campaign.driver.interruption.reason = "SIGTERM"

    campaign.engine.on_wait = interrupt
    state = campaign.driver.run()
    assert state.stopped == Stopped("SIGTERM", End.INTERRUPTED)
    assert campaign.events[-1][1] == state.stopped


def test_minimising_is_maximising_the_opposite(tmp_path, small_library):
    smallest = Settings.model_validate({"property": {"direction": "minimise"}})
    campaign = Campaign(tmp_path / "run", small_library, settings=smallest)
    campaign.driver.run()
    values = {row[1]: row[4].value for row in campaign.rows()}
    rankings = [event for _, event, _ in campaign.events if isinstance(event, Ranked)]
    for ranking in rankings:
        # predictions have the property's own sign, the best, which is the smallest, first
        assert list(ranking.means) == sorted(ranking.means)
        assert all(min(values.values()) <= mean <= max(values.values()) for mean in ranking.means)
    assert all(request.training.values.max() < 0 for request in campaign.engine.requests)


@pytest.mark.parametrize("policy", ["published", "gp"])
def test_a_batch_run_that_is_killed_anywhere_ends_as_if_it_had_not_been(
    tmp_path, small_library, policy, monkeypatch
):
    options = {"failing": ("CO", "FC(F)F", "CCC"), "policy": policy}
    whole = Campaign(tmp_path / "whole", small_library, **options)
    whole.driver.run()
    n_kills = 0
    for before, last_s, resumed in killed_anywhere(tmp_path, small_library, monkeypatch, **options):
        n_kills += 1
        assert resumed.jobs() == whole.jobs()
        assert [row for row in resumed.jobs() if row in before] == before
        times = [time_s for time_s, _ in resumed.store.events()]
        assert times == sorted(times)
        assert all(time_s >= last_s for time_s, _, _ in resumed.events)
        is_begun = last_s > 0 or bool(before)
        assert isinstance(resumed.events[0][1], Resumed if is_begun else Began | Resumed)
    assert n_kills > 12
    whole.store.close()


@pytest.mark.parametrize("seed", range(5))
def test_an_interleaved_run_that_is_killed_loses_and_repeats_nothing(
    tmp_path, small_library, monkeypatch, seed
):
    options = {"failing": ("CO", "FC(F)F"), "retrain_after": 2}
    with monkeypatch.context() as patch:
        killing(patch, 3 + seed)
        campaign = Campaign(tmp_path / "run", small_library, seed=seed, **options)
        with pytest.raises(Killed):
            campaign.driver.run()
    before = campaign.rows()
    campaign.store.close()
    resumed = go_on(tmp_path, small_library, "run", seed=seed + 100, **options)
    rows = resumed.rows()
    assert [row for row in rows if row in before] == before
    assert len({row[1] for row in rows}) == len(rows)
    assert sum(isinstance(row[4], Success) for row in rows) == 12
    # proposals are numbered without a gap, in the order in which they were handed out
    assert [row[0] for row in rows] == list(range(len(rows)))
    for request in resumed.engine.requests:
        assert len(set(request.training.tried.tolist())) == len(request.training.tried)
    resumed.store.close()


def test_an_interleaved_run(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library, retrain_after=2)
    state = campaign.driver.run()
    assert state.stopped == Stopped("12 values are there, as asked", End.DONE)
    rows = campaign.rows()
    assert len({row[1] for row in rows}) == len(rows) == 12
    for request in campaign.engine.requests:
        # what runs is pending, and not ranked again
        assert len(request.training.tried) == len(set(request.training.tried.tolist()))
        n_pending = len(request.training.pending)
        assert len(request.training.values) + n_pending == len(request.training.tried)
    assert any(len(request.training.pending) for request in campaign.engine.requests)
    batches = {event.batch for _, event, _ in campaign.events if isinstance(event, Ranked)}
    assert {row[3] for row in rows} <= batches | {0}


def test_what_is_handed_out_while_a_ranking_goes_on_is_not_proposed_by_it(tmp_path, small_library):
    n_met = 0
    for seed in range(5):
        campaign = Campaign(
            tmp_path / str(seed), small_library, counts=(4, 22, 3), retrain_after=2, seed=seed
        )
        campaign.driver.run()
        submitted, meanwhile = set(), None
        for _, event, _ in campaign.events:
            if isinstance(event, RankingBegan):
                meanwhile = set()
            elif isinstance(event, Submitted):
                assert submitted.isdisjoint(event.molecule_ids)
                submitted.update(event.molecule_ids)
                if meanwhile is not None:
                    meanwhile.update(event.molecule_ids)
            elif isinstance(event, Ranked):
                assert submitted.isdisjoint(event.molecule_ids)
                n_met += bool(meanwhile)
                meanwhile = None
    assert n_met > 0


def test_an_interruption_waits_for_what_runs_and_hands_out_nothing_more(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)

    def interrupt(engine):
        if engine.time_s == 3.0:
            campaign.interruption.reason = "SIGINT"

    campaign.engine.on_wait = interrupt
    state = campaign.driver.run()
    assert campaign.engine.is_halted
    assert state.stopped == Stopped("SIGINT", End.INTERRUPTED)
    assert state.n_in_flight == 0
    campaign.store.close()
    whole = Campaign(tmp_path / "whole", small_library)
    whole.driver.run()
    assert go_on(tmp_path, small_library, "run").rows() == whole.rows()


def test_an_interruption_waits_no_longer_than_it_may(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)
    campaign.engine.finishes_when_halted = False

    def interrupt(engine):
        engine.is_halted = True  # nothing ends
        campaign.interruption.reason = "SIGTERM"

    campaign.engine.on_wait = interrupt
    state = campaign.driver.run()
    assert state.stopped == Stopped("SIGTERM", End.INTERRUPTED)
    # it was heard after the first wait, and what ran had 5 s from then on
    assert campaign.engine.time_s == 6.0
    assert state.n_in_flight == 4


def test_what_a_lost_worker_had_runs_again(tmp_path, small_library):
    whole = Campaign(tmp_path / "whole", small_library)
    whole.driver.run()
    lost = [row[2] for row in whole.rows()[:3]]
    campaign = Campaign(tmp_path / "run", small_library)
    campaign.engine.loses = {
        lost[0]: (1, "worker"),
        lost[1]: (4, "manager"),
        lost[2]: (19, "pool"),  # which was ended for another's loss
    }
    campaign.driver.run()
    assert campaign.rows() == whole.rows()
    told = [event for _, event, _ in campaign.events if isinstance(event, Lost)]
    assert sorted(event.what for event in told) == ["manager"] * 4 + ["pool"] * 19 + ["worker"]


def test_what_is_lost_while_a_run_ends_is_not_held_against_it(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)
    campaign.engine.loses = {small_library.smiles(key): (9, "worker") for key in range(24)}

    def interrupt(_engine):
        campaign.interruption.reason = "SIGTERM"

    campaign.engine.on_wait = interrupt
    state = campaign.driver.run()
    assert state.stopped.end is End.INTERRUPTED
    assert state.n_in_flight == 4
    assert not [event for _, event, _ in campaign.events if isinstance(event, Lost)]
    assert not campaign.interruption.is_heard


def test_a_time_limit_ends_a_run_in_order_and_a_larger_one_goes_on(tmp_path, small_library):
    first = Campaign(tmp_path / "run", small_library, time_limit_s=3.0)
    state = first.driver.run()
    assert state.stopped == Stopped("its time limit of 3 s is over", End.DONE)
    assert first.engine.is_halted
    assert state.n_in_flight == 0
    assert 0 < state.n_values < 12
    again = Campaign(tmp_path / "again", small_library, store=first.store, time_limit_s=4.0)
    assert again.driver.run().stopped == Stopped("its time limit of 4 s is over", End.DONE)
    whole = Campaign(tmp_path / "more", small_library, store=first.store)
    assert whole.driver.run().n_values == 12


def test_a_run_that_is_done_when_it_is_told_to_end_is_done(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)

    def interrupt(_engine):
        if campaign.driver.state.n_submitted == 12:
            campaign.interruption.reason = "SIGTERM"

    campaign.engine.on_wait = interrupt
    assert campaign.driver.run().stopped.end is End.DONE


@pytest.mark.parametrize(("what", "n"), [("worker", 2), ("manager", 5)])
def test_what_is_lost_too_often_is_a_failure(tmp_path, small_library, what, n):
    first = small_library.smiles(InitialDesign(24, 42).take(0, 1)[0][0])
    campaign = Campaign(tmp_path / "run", small_library)
    campaign.engine.loses = {first: (99, what)}
    state = campaign.driver.run()
    assert state.n_values == 12
    [failure] = [row[4] for row in campaign.rows() if row[2] == first]
    assert failure.kind == what
    assert f"its {what} was lost {n} times: it is gone" in failure.message
    assert campaign.engine.loses[first][0] == 99 - n


@pytest.mark.parametrize(("what", "n_most"), [("pool", 20), ("task", 5), ("manager", 5)])
def test_no_molecule_goes_round_for_ever(tmp_path, small_library, what, n_most):
    campaign = Campaign(tmp_path / "run", small_library)
    unlucky = small_library.smiles(InitialDesign(24, 42).take(0, 1)[0][0])
    campaign.engine.loses = {unlucky: (10_000, what)}
    state = campaign.driver.run()
    assert state.n_values == 12
    [failure] = [row[4] for row in campaign.rows() if row[2] == unlucky]
    assert failure.kind == what
    assert f"lost {n_most} times" in failure.message


def test_what_a_group_did_not_come_to_runs_again(tmp_path, small_library):
    grouped = Dispatch(1, 3)
    campaign = Campaign(tmp_path / "run", small_library, retrain_after=3, dispatch=grouped)
    whole = campaign.engine.simulated
    n_cut = 0

    def cut(group):
        nonlocal n_cut
        done = whole(group)
        if len(group.molecules) == 1 or n_cut == 3:
            return done
        n_cut += 1
        return Simulations(group, done.outcomes[:1], done.worker, done.times_s[:1])

    campaign.engine.simulated = cut
    state = campaign.driver.run()
    assert n_cut == 3
    assert state.n_values == 12
    assert len({row[1] for row in campaign.rows()}) == len(campaign.rows()) == 12
    lost = [event for _, event, _ in campaign.events if isinstance(event, Lost)]
    assert {event.what for event in lost} == {"task"}


def test_a_ranking_that_fails_on_a_node_is_tried_again(tmp_path, small_library):
    whole = Campaign(tmp_path / "whole", small_library)
    whole.driver.run()
    campaign = Campaign(tmp_path / "run", small_library)
    campaign.engine.n_lost_rankings = 2
    assert campaign.driver.run().n_values == 12
    assert campaign.rows() == whole.rows()


def test_a_ranking_that_always_fails_ends_the_run_in_order(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library, retrain_after=3)
    campaign.engine.n_lost_rankings = 99
    with pytest.raises(EngineError, match=r"Ranking 1 failed on the workers, 3 times.*stale"):
        campaign.driver.run()
    assert campaign.events[-1][1].end is End.BROKEN
    # what was being simulated has ended and is stored
    submitted = [e.molecule_ids for _, e, _ in campaign.events if isinstance(e, Submitted)]
    assert len(campaign.rows()) == sum(map(len, submitted))
    assert campaign.engine.is_halted


def test_a_signal_that_leaves_less_time_cuts_the_grace(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)
    campaign.engine.finishes_when_halted = False
    told_s = []

    def interrupt(engine):
        if not engine.is_halted:
            told_s.append(engine.time_s)
            engine.is_halted = True  # nothing ends
            campaign.interruption.grace_s, campaign.interruption.reason = 3.0, "SIGTERM"

    campaign.engine.on_wait = interrupt
    assert campaign.driver.run().stopped == Stopped("SIGTERM", End.INTERRUPTED)
    assert campaign.engine.grace_s == 3.0
    assert campaign.events[-1][0] - told_s[0] == 3.0  # of the 5 that the campaign would give


def test_what_is_back_is_stored_whatever_the_grace(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)
    campaign.driver.grace_s = 0.0

    def interrupt(_):
        campaign.interruption.reason = "SIGTERM"

    campaign.engine.on_wait = interrupt
    campaign.driver.run()
    assert len(campaign.rows()) == 4
    assert campaign.events[-1][1] == Stopped("SIGTERM", End.INTERRUPTED)


def test_a_run_that_is_done_as_its_grace_ends_stops_once(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library, counts=(4, 5, 3))
    campaign.driver.grace_s = 0.0
    wait = campaign.engine.wait

    def wait_in_vain(timeout_s):
        if timeout_s and campaign.engine.requests and isinstance(campaign.engine.pending[0], Group):
            campaign.interruption.reason = "SIGTERM"
            return []
        return wait(timeout_s)

    campaign.engine.wait = wait_in_vain
    campaign.driver.run()
    stops = [event for _, event, _ in campaign.events if isinstance(event, Stopped)]
    assert stops == [Stopped("5 values are there, as asked", End.DONE)]


def test_a_run_that_waits_in_a_queue_ends_at_once(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)
    campaign.engine.has_any_worker = False
    campaign.engine.finishes_when_halted = False

    def interrupt(engine):
        engine.is_halted = True
        campaign.interruption.reason = "SIGINT"

    campaign.engine.on_wait = interrupt
    campaign.driver.run()
    assert campaign.engine.time_s < campaign.driver.grace_s
    assert campaign.events[-1][1] == Stopped("SIGINT", End.INTERRUPTED)


def test_a_resumed_run_has_tasks_of_the_usual_size(tmp_path, small_library):
    store = Store.temporary()
    store.add_session(SESSION)
    ids, n_drawn = InitialDesign(24, 42).take(0, 20)
    done = [Finished(key, seconds=600.0, value=10.0, stage="gfn2") for key in ids[:5]]
    submitted = Submitted(ids, Source.INITIAL, 0, n_drawn, "gfn2")
    store.append(600.0, [Began(24, 0), submitted, *done])
    campaign = Campaign(tmp_path / "run", small_library, counts=(20, 22, 2), store=store)
    sizes = []
    campaign.engine.simulate = lambda group: sizes.append(len(group.molecules))
    campaign.driver._begin()
    assert sizes == 15 * [1]


def test_what_came_beside_a_failed_ranking_is_stored_before_it_is_tried_again(
    tmp_path, small_library
):
    campaign = Campaign(tmp_path / "run", small_library, retrain_after=3)
    campaign.engine.n_lost_rankings = 99
    rank_once = campaign.engine.rank

    def refuse(request):
        if request in campaign.engine.requests:
            raise EngineError("The scratch cannot be written.", "Make space.")
        rank_once(request)

    campaign.engine.rank = refuse
    with pytest.raises(EngineError, match="scratch"):
        campaign.driver.run()
    told = [event for _, event, _ in campaign.events if isinstance(event, Finished)]
    assert len(told) == len(campaign.rows()) >= 4


def answering(campaign, smiles, answer):
    """Have a worker send an answer of its own for a molecule."""
    simulate = campaign.engine.simulated

    def simulated(group):
        done = simulate(group)
        outcomes = zip((one.smiles for one in group.molecules), done.outcomes, strict=True)
        return replace(
            done, outcomes=tuple(answer if text == smiles else one for text, one in outcomes)
        )

    campaign.engine.simulated = simulated


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "outcome: got None, expected a Success or a Failure"),
        ("15.0", "outcome: got '15.0'"),
        (Success(math.nan), "value: got nan"),
        (Success({"ea": 1.0}), "values: got ['ea'], expected 'ie' among their names"),
        (Success({"ie": 15.0}, flags=("odd", 1)), "flags[1]: got 1"),
        (Failure(None, "no words"), "kind: got None"),
    ],
)
def test_an_answer_that_is_none_is_a_failure_of_its_molecule(
    tmp_path, small_library, answer, words
):
    campaign = Campaign(tmp_path / "run", small_library)
    first = small_library.smiles(InitialDesign(24, 42).take(0, 1)[0][0])
    answering(campaign, first, answer)
    assert campaign.driver.run().n_values == 12
    [failure] = [row[4] for row in campaign.rows() if row[2] == first]
    assert failure.kind == "invalid_result"
    assert words in failure.message
    told = [event for _, event, _ in campaign.events if isinstance(event, Finished)]
    assert [event.failure for event in told if event.failure] == ["invalid_result"]


def test_a_failure_without_a_kind_counts_as_one_and_keeps_its_message(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)
    first = small_library.smiles(InitialDesign(24, 42).take(0, 1)[0][0])
    answering(campaign, first, Failure("", "no words"))
    assert campaign.driver.run().n_values == 12
    [failure] = [row[4] for row in campaign.rows() if row[2] == first]
    assert failure == Failure("unexpected", "no words")
    told = [event for _, event, _ in campaign.events if isinstance(event, Finished)]
    assert [event.failure for event in told if event.failure] == ["unexpected"]


def test_a_run_goes_on_whatever_texts_a_simulator_gives(tmp_path, small_library):
    bad = "\udc80\0"
    answer = Success({"ie": 15.0, bad: 1.0}, flags=(bad, "two words"))
    campaign = Campaign(tmp_path / "run", small_library, counts=(4, 8, 3))
    first = small_library.smiles(InitialDesign(24, 42).take(0, 1)[0][0])
    answering(campaign, first, answer)
    campaign.driver.run()
    campaign.store.close()
    resumed = go_on(tmp_path, small_library, "run")  # for 4 more values
    [kept] = [row[4] for row in resumed.rows() if row[2] == first]
    assert (kept.values, kept.flags) == ({"ie": 15.0, "??": 1.0}, ("??", "two_words"))
    assert sum(isinstance(row[4], Success) for row in resumed.rows()) == 12
    resumed.store.close()


HANDED_OUT = Submitted((1,), Source.INITIAL, 0)


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([Submitted((1, 1), Source.INITIAL, 0)], "molecule 1 was handed out twice"),
        ([HANDED_OUT, Finished(1, "scf"), HANDED_OUT], "molecule 1 was handed out twice"),
        ([HANDED_OUT, HANDED_OUT], "molecule 1 is handed out twice"),
        ([Finished(1, "scf")], "molecule 1 has ended or was lost, but is not under way"),
        ([Lost((1,), "worker")], "molecule 1 has ended or was lost, but is not under way"),
        ([Submitted((24,), Source.INITIAL, 0)], "the library has no molecule 24"),
        ([RankingBegan(1, 1), Ranked(1, (99,), (1.0,), (1.0,))], "the library has no molecule 99"),
    ],
)
def test_a_history_that_contradicts_itself_is_damage(tmp_path, small_library, events, told):
    campaign = Campaign(tmp_path / "run", small_library)
    campaign.store.append(1.0, [Began(24, 0), *events])
    with pytest.raises(StoreError, match=f"is damaged .*{told}"):
        campaign.driver.run()


def test_a_value_of_another_stage_trains_no_model(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)
    driver, key = campaign.driver, 23

    def simulate_elsewhere(engine):
        if len(engine.requests) == 1:  # there is a training set
            engine.on_wait = None
            number = driver.state.n_submitted
            submitted = Submitted((key,), Source.INITIAL, 0, stage="ipea1")
            driver._advance([submitted])
            assert key not in driver._ledger.pending("gfn2")
            outcome = Success({"ie": 99.0})
            row = Simulated(number, key, "ipea1", "C", 0, 9.0, "w", 8.0, 9.0, outcome)
            driver._advance([Finished(key, value=99.0, stage="ipea1")], [row])

    campaign.engine.on_wait = simulate_elsewhere
    driver.run()
    assert len(campaign.engine.requests) > 1
    for request in campaign.engine.requests:
        assert 99.0 not in request.training.values
    assert (key, 99.0) in [(row[1], row[4].value) for row in campaign.rows()]
    # another process reads the same from the store
    stored = [value for *_, value in driver._rankings.values()]
    assert sorted(stored) == sorted(driver._rankings._training.arrays()[1])


def test_a_lost_job_runs_again_by_the_protocol_of_its_stage(tmp_path, small_library):
    settings = load(stages=[{"level": "gfn2"}, {"level": "ipea1", "timeout_s": 9.0}])
    campaign = Campaign(tmp_path / "run", small_library, settings=settings)
    campaign.driver._hand_out([Job(1, "gfn2"), Job(2, "ipea1"), Job(3, "gfn2")])
    found = [(one.molecule_ids, one.stage) for one in campaign.engine.pending]
    assert found == [((1,), "gfn2"), ((3,), "gfn2"), ((2,), "ipea1")]
    assert campaign.engine.pending[2].protocol.timeout_s == 9.0


def test_a_job_of_a_stage_that_a_run_does_not_have_is_damage(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)
    submitted = Submitted((1,), Source.INITIAL, 0, stage="odd")
    campaign.store.append(1.0, [Began(24, 0), submitted])
    with pytest.raises(StoreError, match="a job of the stage 'odd' is under way"):
        campaign.driver.run()


def test_a_molecule_may_be_handed_out_once_in_each_stage(tmp_path, small_library):
    folder = tmp_path / "run"
    both = [
        event
        for stage in ("gfn2", "ipea1")
        for event in (
            Submitted((1,), Source.INITIAL, 0, stage=stage),
            Finished(1, "scf", stage=stage),
        )
    ]
    campaign = Campaign(folder, small_library)
    campaign.store.append(1.0, [Began(24, 0), *both])
    campaign.driver.run()
    assert campaign.driver.state.n_values == 12


def test_a_value_of_a_molecule_that_was_not_handed_out_is_damage(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)
    outcome = Success({"ie": 15.0})
    row = Simulated(0, 2, "gfn2", "C", 0, 1.0, "w", 0.0, 1.0, outcome)
    campaign.store.append(1.0, [Began(24, 0), HANDED_OUT, Finished(1, value=15.0)], [row])
    with pytest.raises(StoreError, match="molecule 2 has a value and was not handed out"):
        campaign.driver.run()


def under(library, tmp_path, **conditions):
    return select(library, each_of(Conditions(**conditions)), tmp_path / "cache")


def handed_out(campaign, since=0):
    return [
        campaign.driver.library.smiles(key)
        for _, event, _ in campaign.events[since:]
        if isinstance(event, Submitted)
        for key in event.molecule_ids
    ]


TIGHT = {"min_heavy_atoms": 2, "excluded_smarts": ("[OX2H]",)}
LEFT_OUT_BY_TIGHT = {"C", "N", "O", "CO", "CCO", "OC=O", "OO"}


def everything(library):
    return {library.smiles(key) for key in range(library.n_molecules)}


@pytest.mark.parametrize("retrain_after", [None, 2])
@pytest.mark.parametrize("policy", ["gp", "random"])
def test_only_molecules_that_meet_the_conditions_are_tried(
    tmp_path, small_library, retrain_after, policy
):
    selection = under(small_library, tmp_path, **TIGHT)
    campaign = Campaign(
        tmp_path / "run",
        small_library,
        counts=(4, 30, 3),
        retrain_after=retrain_after,
        policy=policy,
        selection=selection,
    )
    state = campaign.driver.run()
    assert campaign.events[0][1] == Began(24, 0, ("a remark",))
    assert sorted(handed_out(campaign)) == sorted(everything(small_library) - LEFT_OUT_BY_TIGHT)
    reason = "every molecule of the library that meets the conditions has been tried"
    assert state.stopped == Stopped(reason, End.DONE)


@pytest.mark.parametrize("is_told", [True, False])  # a killed process may not have told it
@pytest.mark.parametrize("retrain_after", [None, 2])
def test_a_resumed_run_may_tighten_and_loosen_conditions(
    tmp_path, small_library, retrain_after, is_told
):
    options = {"counts": (4, 30, 6), "retrain_after": retrain_after}
    first = Campaign(tmp_path / "run", small_library, time_limit_s=5.5, **options)
    first.driver.run()
    before = set(handed_out(first))
    assert first.driver.state.n_proposals_left or retrain_after
    assert first.driver.state.stopped.end is not End.FAILED
    first.store.close()
    tight = under(small_library, tmp_path, **TIGHT)
    second = go_on(tmp_path, small_library, "run", selection=tight, ranks_anew=is_told, **options)
    met = sorted(map(fake_value, everything(small_library) - LEFT_OUT_BY_TIGHT), reverse=True)
    assert second.driver.state.top == tuple(met[:10])
    out = before & LEFT_OUT_BY_TIGHT
    assert out
    assert second.engine.requests or retrain_after
    for request in second.engine.requests:
        assert request.training.best in met
        # what does not count still trains the model
        assert set(map(fake_value, out)) <= set(request.training.values.tolist())
    resumed = next(event for _, event, _ in second.events if isinstance(event, Resumed))
    named = set(map(small_library.smiles, resumed.left_out))
    assert out <= named <= LEFT_OUT_BY_TIGHT
    found = results.read(second.store, Settings().goal(), Settings().protocol())
    assert [found.values[item.molecule_id] for item in found.best(99)] == met
    assert found.excluded.startswith(f"{len(out)} of ")
    assert found.ranked()[-1].smiles in out
    after = [item.smiles for item in second.store.simulated() if item.smiles not in before]
    assert set(after) == everything(small_library) - LEFT_OUT_BY_TIGHT - before
    assert "meets the conditions" in second.driver.state.stopped.reason
    second.store.close()
    third = go_on(tmp_path, small_library, "run", ranks_anew=True, **options)
    every = sorted(map(fake_value, everything(small_library)), reverse=True)
    assert third.driver.state.top == tuple(every[:10])
    found = results.read(third.store, Settings().goal(), Settings().protocol())
    assert [found.values[item.molecule_id] for item in found.best(99)] == every
    assert found.excluded == ""
    assert sorted(item.smiles for item in third.store.simulated()) == sorted(
        everything(small_library)
    )
    third.store.close()


def test_what_conditions_leave_out_is_no_longer_proposed(tmp_path, small_library):
    """With what was handed out of them before, which a run has paid for, values stay."""
    first = Campaign(tmp_path / "run", small_library, counts=(4, 30, 9), time_limit_s=4.5)
    first.driver.run()
    left = first.driver.state.next_proposals(9)
    assert left
    first.store.close()
    smiles = small_library.smiles(left[0])
    selection = under(small_library, tmp_path, excluded_smarts=(smiles,))
    second = go_on(tmp_path, small_library, "run", counts=(4, 30, 9), selection=selection)
    resumed = next(event for _, event, _ in second.events if isinstance(event, Resumed))
    assert resumed.ranks_anew
    assert left[0] not in [item.molecule_id for item in second.store.simulated()]
    second.store.close()


def test_a_known_value_outside_the_conditions_is_not_the_best(tmp_path, small_library):
    ids = {small_library.smiles(key): key for key in range(24)}
    known = known_values([("a", "O", 30.0), ("b", "CC", 20.0), ("c", "CCCCCC", 25.0)], "ie_ev",
                         small_library)  # fmt: skip
    assert [one.molecule_id for one in known.known] == [ids["O"], ids["CC"], None]
    tight = under(small_library, tmp_path, **TIGHT)
    campaign = Campaign(
        tmp_path / "run", small_library, warm_start=known, counts=(4, 9, 3), selection=tight
    )
    assert campaign.driver.state.top == (25.0, 20.0)


def test_what_is_under_way_and_left_out_does_not_count_when_it_ends(
    tmp_path, small_library, monkeypatch
):
    with monkeypatch.context() as patch:
        killing(patch, 1)
        campaign = Campaign(tmp_path / "run", small_library, counts=(8, 10, 3))
        with pytest.raises(Killed):
            campaign.driver.run()
    (_, began), (_, submitted) = campaign.store.events()
    assert isinstance(began, Began)
    out = set(map(small_library.smiles, submitted.molecule_ids)) & LEFT_OUT_BY_TIGHT
    campaign.store.close()
    assert out
    tight = under(small_library, tmp_path, **TIGHT)
    second = go_on(tmp_path, small_library, "run", counts=(8, 10, 3), selection=tight)
    found = {item.smiles: item.outcome.value for item in second.store.simulated()}
    assert out <= found.keys()
    met = sorted((found[one] for one in found.keys() - LEFT_OUT_BY_TIGHT), reverse=True)
    assert second.driver.state.top == tuple(met)
    second.store.close()
