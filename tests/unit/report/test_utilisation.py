import pytest

from molloop.campaign.engine import Task, Work
from molloop.report.utilisation import n_working, utilisation

TASKS = (
    Task(Work.TRAIN, "a", 0.0, 2.0),  # one second of it before the first simulation
    Task(Work.SIMULATE, "b", 1.0, 4.0),
    Task(Work.SIMULATE, "a", 3.0, 5.0),
    Task(Work.RANK, "b", 4.5, 5.0),
    Task(Work.SIMULATE, "b", 6.0, 11.0),
    Task(Work.RANK, "a", 10.0, 13.0),
)


def test_shares_and_gaps_by_hand():
    used = utilisation(TASKS)
    # from 1 to 11 s, two workers: 20 s
    assert (used.n_workers, used.duration_s) == (2, 10.0)
    assert used.shares == {
        Work.SIMULATE: pytest.approx(10 / 20),
        Work.TRAIN: pytest.approx(1 / 20),
        Work.RANK: pytest.approx(1.5 / 20),
    }
    assert used.busy == pytest.approx(12.5 / 20)
    assert sorted(used.gaps_s) == [0.5, 1.0, 1.0, 5.0]
    assert used.median_gap_s == 1.0


def test_nothing_simulated_is_no_utilisation():
    assert utilisation(TASKS[:1]) is None


def test_how_many_work_by_hand():
    times_s, counts = n_working(TASKS, Work.SIMULATE)
    assert times_s.tolist() == [1.0, 3.0, 4.0, 5.0, 6.0, 11.0]
    assert counts.tolist() == [1, 2, 1, 0, 1, 0]
    assert [len(one) for one in n_working(TASKS[:1], Work.RANK)] == [0, 0]


def test_workers_that_take_the_place_of_others_are_not_more_workers():
    def busy(worker, began_s, ended_s):
        return Task(Work.SIMULATE, worker, began_s, ended_s)

    # b is lost at 4 s, c takes its place at 6 s: 2 of 20 s are idle
    replaced = utilisation([busy("a", 0, 10), busy("b", 0, 4), busy("c", 6, 10)])
    assert (replaced.n_workers, replaced.busy) == (2, pytest.approx(0.9))
    # two workers, then after a pause of 5 s three of another process
    both = [busy("a", 0, 10), busy("b", 0, 10), *(busy(name, 15, 20) for name in "cde")]
    resumed = utilisation(both, resumed_s=[12.0])
    assert (resumed.n_workers, resumed.duration_s) == (3, 15.0)
    assert resumed.busy == pytest.approx(1.0)
    assert utilisation(both).busy < 0.7
