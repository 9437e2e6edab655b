"""What a run comes to, where its jobs are of two stages."""

from dataclasses import replace

import numpy as np
import pytest

from molloop.campaign.events import Began, Ranked, Resumed, Source, Submitted
from molloop.campaign.jobs import Job, Simulated
from molloop.config.settings import Settings
from molloop.goal import Direction, Flagged, Objective, Quantity
from molloop.results import Results
from molloop.simulate.outcome import Failure, Success
from molloop.store.record import Record


def simulated(proposal, molecule_id, time_s, stage, given):
    outcome = Failure("scf", "no") if given is None else Success(given)
    return Simulated(
        proposal, molecule_id, stage, "C", 0, time_s, "w", time_s - 0.5, time_s, outcome
    )


EVENTS = (
    (0.0, Began(9, 0)),
    (0.0, Submitted((1, 2, 3), Source.INITIAL, 0, stage="gfn2")),
    (3.5, Ranked(1, (4, 5), (15.0, 14.0), (0.5, 0.5))),
    (4.0, Submitted((4,), Source.RANKING, 1, stage="gfn2")),
    # what was chosen in one stage is handed out in another: nothing was predicted of that
    (4.0, Submitted((1, 5), Source.RANKING, 1, stage="ipea1")),
)
SIMULATED = (
    simulated(0, 1, 1.0, "gfn2", {"gap": 9.0, "ie": 13.0}),
    simulated(1, 2, 3.0, "gfn2", None),
    simulated(2, 3, 2.0, "gfn2", {"ie": 12.0}),
    simulated(3, 4, 6.0, "gfn2", {"ie": 14.5}),
    simulated(4, 1, 5.0, "ipea1", {"ie": 99.0}),
    simulated(5, 5, 7.0, "ipea1", None),
)


@pytest.fixture
def record():
    objective = Objective(Quantity("IE", "eV"), threshold=12.5)
    found = Record(objective, "gfn2")
    found.take(EVENTS, SIMULATED)
    return found


def test_values_and_failures_are_of_the_record_s_stage(record):
    assert record.values.tolist() == [13.0, 12.0, 14.5]
    assert record.proposals.tolist() == [0, 2, 3]
    assert record.failures == {"scf": 1}
    assert [record.value(item) for item in record.best(2)] == [14.5, 13.0]
    assert [record.found(item) for item in record.recent] == [None, 14.5, None, None, 12.0, 13.0]
    assert record.n_beyond == 2
    assert [record.n_beyond_of_last(n) for n in range(4)] == [0, 1, 1, 2]


def test_what_was_handed_out_and_has_ended_is_counted_of_all_stages(record):
    assert (record.n_submitted, record.n_ended, record.n_open) == (6, 6, 0)
    record.take([(8.0, Submitted((6, 7), Source.INITIAL, 0, stage="ipea1"))])
    assert record.n_open == 2


def test_a_success_without_the_objective_s_value_has_ended(record):
    record.take([(8.0, Submitted((6,), Source.INITIAL, 0, stage="gfn2"))])
    record.take([], [simulated(6, 6, 9.0, "gfn2", {"gap": 1.0})])
    assert (record.n_values, record.n_failed, record.n_open) == (3, 1, 0)


def test_predictions_meet_the_values_of_their_own_jobs(record):
    assert list(record.predicted) == [Job(4, "gfn2"), Job(5, "gfn2")]
    assert record.pairs.tolist() == [15.0, 0.5, 14.5]
    assert record.paired.tolist() == [3]


def test_the_best_so_far():
    for direction, best in (
        (Direction.MAXIMISE, [13, 13, 14.5]),
        (Direction.MINIMISE, [13, 12, 12]),
    ):
        found = Record(Objective(Quantity("IE", "eV"), direction), "gfn2")
        assert found.best_so_far().tolist() == []
        found.take(EVENTS, SIMULATED)
        assert found.best_so_far().tolist() == best
    assert found.best_so_far([2, 0, 1]).tolist() == [14.5, 13, 12]


def test_a_flagged_value_is_kept_and_is_never_among_the_best():
    first, *others = SIMULATED
    flagged = replace(first, outcome=Success(first.outcome.values, flags=("not_converged",)))
    exclude = Objective(Quantity("IE", "eV"), Direction.MINIMISE, 13.5)
    record = Record(exclude, "gfn2")
    record.take(EVENTS, [flagged, *others])
    assert (record.n_values, record.n_excluded, record.n_beyond) == (3, 1, 1)
    assert [record.value(item) for item in record.best()] == [12.0, 14.5]
    assert np.isnan(record.best_so_far()[0])
    assert record.best_so_far()[1:].tolist() == [12.0, 12.0]
    assert record.best_so_far([2, 0, 1]).tolist() == [14.5, 14.5, 12.0]
    assert record.n_beyond_of_last(3) == 1
    told = "1 of 3 values is flagged, and never among the best (property.flagged = exclude)."
    assert record.excluded == told
    # a resumed run may decide otherwise
    record.search_for(replace(exclude, flagged=Flagged.KEEP))
    assert [record.value(item) for item in record.best()] == [12.0, 13.0, 14.5]
    assert record.best_so_far().tolist() == [13.0, 12.0, 12.0]
    assert (record.n_excluded, record.n_beyond, record.excluded) == (0, 2, "")


def test_a_flag_of_another_value_casts_no_doubt():
    first, *others = SIMULATED
    outcome = Success({"ie": 13.0, "ea": -2.0}, flags=("anion_not_bound", "no_ea_adiabatic"))
    some = [replace(first, outcome=outcome), *others]
    for symbol, recipe, n_excluded in (("IE", "ie", 0), ("EA", "ea", 1), ("IE", "", 1)):
        objective = Objective(Quantity(symbol, "eV"), recipe=recipe)
        record = Record(objective, "gfn2")
        record.take(EVENTS, some)
        assert record.n_excluded == n_excluded


def test_results_say_the_same():
    objective, protocol = Settings().objective(), Settings().protocol()
    found = Results(objective, protocol, (), EVENTS, SIMULATED)
    assert found.values == {1: 13.0, 3: 12.0, 4: 14.5}
    assert [item.proposal for item in found.successes] == [0, 2, 3]
    assert found.best_so_far().tolist() == [13.0, 13.0, 14.5]
    assert "IE: 3 values, 1 failed, best 14.500 eV C" in repr(found)
    assert found.n_failed == 1


def test_an_event_without_a_stage_is_of_the_record_s_own():
    found = Record(Objective(Quantity("IE", "eV")), "gfn2")
    events = [(0.0, Ranked(1, (4,), (15.0,), (0.5,))), (0.0, Submitted((4,), Source.RANKING, 1))]
    found.take(events, [simulated(0, 4, 6.0, "gfn2", {"ie": 14.5})])
    assert found.pairs.tolist() == [15.0, 0.5, 14.5]


def test_values_are_counted_of_each_stage(record):
    counts = {name: one.n_values for name, one in record.of_stages.items()}
    assert counts == {"gfn2": 3, "ipea1": 1}


def test_what_a_ranking_of_another_stage_expects_is_of_no_value_of_this_one():
    found = Record(Objective(Quantity("IE", "eV")), "ipea1")
    found.take(
        (
            (1.0, Ranked(1, (1,), (9.0,), (0.5,), stage="gfn2")),
            (2.0, Ranked(1, (1,), (8.0,), (0.5,), stage="ipea1")),
            (2.0, Submitted((1,), Source.RANKING, 1, stage="ipea1")),
        ),
        (simulated(0, 1, 3.0, "ipea1", {"ie": 8.5}),),
    )
    assert found.pairs.tolist() == [8.0, 0.5, 8.5]
    assert found.n_rankings == 2


def test_what_is_left_out_is_none_of_the_best_and_counts_again_when_it_is_not(record):
    record.take([(8.0, Resumed(left_out=(4,)))])
    assert record.left_out != record.told_left_out
    tight = record.anew()
    tight.take([*EVENTS, (8.0, Resumed(left_out=(4,)))], SIMULATED)
    assert tight.left_out == tight.told_left_out == {4}
    assert [tight.value(item) for item in tight.best()] == [13.0, 12.0]
    assert tight.best_so_far().tolist() == [13.0, 13.0, 13.0]
    assert (tight.n_values, tight.n_left_out, tight.n_broken) == (3, 1, 0)
    assert (tight.n_beyond, tight.n_beyond_of_last(1), tight.n_beyond_of_last()) == (1, 0, 1)
    assert tight.excluded == "1 of 3 values is outside the conditions, and never among the best."
    assert tight.pairs == record.pairs  # it still says how well the model predicts
    tight.take([(9.0, Resumed())])
    again = tight.anew()
    again.take([*EVENTS, (9.0, Resumed())], SIMULATED)
    assert [again.value(item) for item in again.best()] == [14.5, 13.0, 12.0]
    assert (again.n_left_out, again.excluded) == (0, "")
