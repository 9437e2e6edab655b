"""What a page reads of a run, at once or bit by bit."""

import fcntl
import os
import time
from contextlib import closing
from copy import copy

import pytest
from half_written import kill_in_mid_write
from hypothesis import given
from hypothesis import strategies as st
from small_run import STEPS, item, new_store

from molloop.campaign.engine import Task, Work
from molloop.campaign.events import Began, Finished, Resumed
from molloop.config.settings import Settings
from molloop.errors import InputError, StoreError
from molloop.report.page.feed import Feed
from molloop.report.page.render import texts
from molloop.report.status import read_status
from molloop.store.follow import Mark
from molloop.store.reader import Reader
from molloop.store.records import Session
from molloop.store.tasks import Tasks
from molloop.store.writer import Store


def facts(run):
    return (
        run.record.values,
        run.record.times_s,
        run.record.pairs,
        [one.smiles for one in run.record.best()],
        [one.proposal for one in run.record.recent],
        run.record.failures,
        run.record.messages,
        run.record.n_submitted,
        run.record.n_rankings,
        sorted((task.work, task.began_s) for task in run.record.tasks),
        run.record.n_beyond,
        run.record.n_beyond_of_last(2),
        run.record.errors,
        run.record.stopped,
        run.record.time_s,
    )


def test_a_run_that_has_ended(tmp_path):
    with closing(new_store(tmp_path)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)
    run = Feed(tmp_path).run
    assert run.record.values.tolist() == [15.0, 14.0, 16.5, 15.1]
    assert run.record.pairs.tolist() == [16.0, 0.5, 16.5, 15.0, 0.2, 15.1]
    assert [one.outcome.value for one in run.record.best()] == [16.5, 15.1, 15.0, 14.0]
    assert [one.proposal for one in run.record.recent] == [4, 3, 2, 0, 1]
    assert (run.record.failures, run.record.messages) == ({"scf": 1}, {"scf": ["no 0"]})
    assert (run.record.n_submitted, run.record.n_rankings, run.record.n_molecules) == (5, 1, 1000)
    assert [run.record.n_beyond_of_last(n) for n in range(1, 5)] == [0, 1, 1, 1]
    assert run.record.n_beyond == 1
    assert run.record.best_so_far().tolist() == [15.0, 15.0, 16.5, 16.5]
    assert run.record.best_so_far([1, 0, 3, 2]).tolist() == [14.0, 15.0, 15.1, 16.5]
    assert run.record.proposals.tolist() == [1, 2, 3, 4]
    # off by -0.5 and -0.1, each within its standard deviation
    assert (run.record.errors.n, run.record.errors.n_within) == (2, 2)
    assert (run.record.errors.absolute, run.record.errors.signed) == pytest.approx((0.6, -0.6))
    assert (run.state, run.record.time_s) == ("done", 8.0)
    assert len(run.record.tasks) == 6


@given(cuts=st.sets(st.integers(0, len(STEPS))))
def test_bit_by_bit_is_as_at_once(tmp_path_factory, cuts):
    folder = tmp_path_factory.mktemp("run")
    with closing(new_store(folder)) as store:
        feed = Feed(folder)
        for number, (time_s, *rest) in enumerate(STEPS):
            if number in cuts:
                feed.read()
            store.append(time_s, *rest)
        assert feed.read()
        assert not feed.read()
        assert facts(feed.run) == facts(Feed(folder).run)


def test_outcomes_of_the_same_moment_are_each_read_once(tmp_path):
    with closing(new_store(tmp_path)) as store:
        store.append(1.0, [Began(9, 0), Finished(100)], [item(0, 1.0, 1.0)])
        mark = store.news(Mark()).mark
        store.append(1.0, [Finished(101)], [item(1, 1.0, 2.0)])
        news = store.news(mark)
        assert [one.proposal for one in news.simulated] == [1]
        store.append(1.0, [Finished(102)], [item(2, 1.0, 3.0)])
        assert [one.proposal for one in store.news(news.mark).simulated] == [2]


def test_a_run_that_goes_on_again_is_not_over(tmp_path):
    with closing(new_store(tmp_path)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)
        feed = Feed(tmp_path)
        config = Settings.model_validate({"campaign": {"max_training_count": 99}}).to_toml()
        store.add_session(Session("later", config, {}))
        store.append(9.0, [Resumed()])
        assert feed.read()
    assert feed.run.state == "ended without a word"  # no process holds it
    assert feed.run.settings.campaign.max_training_count == 99
    assert feed.run.record.resumed_s == [9.0]


def test_only_the_best_ten_are_kept(tmp_path):
    with closing(new_store(tmp_path)) as store:
        rows = [item(number, 1.0 + number, float((7 * number) % 31)) for number in range(31)]
        store.append(40.0, [Began(9, 0), *(Finished(one.molecule_id) for one in rows)], rows)
    found = [one.outcome.value for one in Feed(tmp_path).run.record.best()]
    assert found == [float(value) for value in range(30, 20, -1)]


def test_a_folder_without_a_run_is_told(tmp_path):
    with pytest.raises(InputError, match="run directory"):
        Feed(tmp_path)


def test_a_threshold_that_changes_is_counted_anew(tmp_path):
    with closing(new_store(tmp_path)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)
        feed = Feed(tmp_path)
        assert feed.run.record.n_beyond == 1
        config = Settings.model_validate({"property": {"threshold": 14.5}}).to_toml()
        store.add_session(Session("later", config, {}))
        assert feed.read()
    record = feed.run.record
    assert record.n_beyond == 3
    assert [record.n_beyond_of_last(n) for n in range(5)] == [0, 1, 2, 2, 3]


def test_what_was_taken_in_before_a_trouble_is_told_after_it(tmp_path, monkeypatch):
    with closing(new_store(tmp_path)) as store:
        store.append(*STEPS[0])
        feed = Feed(tmp_path)
        store.append(2.0, *STEPS[1][1:])
        whole, n_calls = Reader.news, 0

        def busy_at_the_second(self, mark):
            nonlocal n_calls
            n_calls += 1
            if n_calls == 2:
                raise StoreError("It is busy.", "Wait.")
            return whole(self, mark)

        monkeypatch.setattr(Reader, "news", busy_at_the_second)
        with pytest.raises(StoreError):
            feed.read()
        assert feed.read()
        assert feed.run.record.values.tolist() == [15.0]
        assert not feed.read()


def age(folder, by_s=60.0):
    """Have the files of a run be changed last some time ago."""
    for path in folder.glob("campaign.sqlite*"):
        then_s = time.time() - by_s
        os.utime(path, (then_s, then_s))


@pytest.fixture
def openings(monkeypatch):
    """List the databases that are opened to be read."""
    read, paths = Reader.read, []

    def count(path):
        paths.append(path)
        return read(path)

    monkeypatch.setattr(Reader, "read", count)
    return paths


@pytest.fixture
def ended(tmp_path):
    with closing(new_store(tmp_path)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)
    return tmp_path


@pytest.mark.parametrize("was_killed", [False, True])
def test_a_run_that_nobody_changes_is_not_opened_again(ended, openings, was_killed):
    if was_killed:
        kill_in_mid_write(ended / "campaign.sqlite")
    age(ended)
    feed = Feed(ended)
    openings.clear()
    assert not any(feed.read() for _ in range(9))
    assert openings == []
    assert feed.run.record.n_values == 4


def test_a_run_that_goes_on_is_opened_again(ended, openings):
    age(ended)
    feed = Feed(ended)
    openings.clear()
    with closing(Store.open(ended / "campaign.sqlite")) as store:
        store.append(9.0, [Resumed()], [item(5, 9.0, 15.2)])
    age(ended, 30.0)
    assert feed.read()
    assert not feed.read()
    assert len(openings) == 1
    assert feed.run.record.n_values == 5


def test_a_run_that_was_changed_a_moment_ago_is_opened_again(ended, openings):
    age(ended, -60.0)  # however slow this test is
    feed = Feed(ended)
    openings.clear()
    # a further change could have the same time, and leave the size as it is
    assert not any(feed.read() for _ in range(3))
    assert len(openings) == 3


def test_a_run_that_a_process_holds_is_opened_at_each_look(ended, openings):
    age(ended)
    feed = Feed(ended)
    openings.clear()
    with (ended / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not any(feed.read() for _ in range(3))
    assert len(openings) == 3
    # the look after its end is the last that opens it
    assert not any(feed.read() for _ in range(3))
    assert len(openings) == 4


def test_a_trouble_is_told_at_each_look(ended):
    age(ended)
    feed = Feed(ended)
    (ended / "campaign.sqlite").write_text("no database")
    age(ended)
    for _ in range(2):
        with pytest.raises(StoreError):
            feed.read()
    (ended / "campaign.sqlite").unlink()
    for _ in range(2):
        with pytest.raises(StoreError):
            feed.read()


def test_another_run_in_the_same_folder_is_another_page(tmp_path):
    with closing(new_store(tmp_path)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)
    feed = Feed(tmp_path)
    (tmp_path / "campaign.sqlite").unlink()
    config = Settings().to_toml()
    with closing(Store.create(tmp_path / "campaign.sqlite", Session("later", config, {}))) as store:
        store.append(*STEPS[0])
        assert feed.read()
    assert (feed.run.record.n_values, feed.run.record.n_submitted) == (0, 3)


def test_tasks_in_columns_are_those_that_were_added():
    some = [Task(Work.SIMULATE, "a", 0.0, 1.0), Task(Work.RANK, "b", 1.0, 3.5)]
    some.append(Task(Work.TRAIN, "a", 2.0, 2.5))
    tasks = Tasks()
    for one in some:
        tasks.append(one)
    kept = copy(tasks)
    tasks.append(some[0])
    assert list(kept) == kept[-9:] == some
    assert (len(kept), len(tasks), kept[-1]) == (3, 4, some[2])


def test_a_run_that_goes_on_under_other_conditions_is_read_anew(tmp_path):
    with closing(new_store(tmp_path)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)
        feed = Feed(tmp_path)
        for left_out, best, n_beyond in (
            ((103, 104), [15.0, 14.0], 0),
            ((104,), [16.5, 15.0, 14.0], 1),
            ((), [16.5, 15.1, 15.0, 14.0], 1),
        ):
            store.append(9.0, [Resumed(ranks_anew=True, left_out=left_out)])
            assert feed.read()
            record = feed.run.record
            assert [one.outcome.value for one in record.best()] == best
            assert (record.n_values, record.n_beyond) == (4, n_beyond)
            assert record.n_left_out == len(left_out)
            assert facts(feed.run) == facts(Feed(tmp_path).run)
            assert not feed.read()
            status = read_status(tmp_path)
            assert (status.best[0], status.n_left_out) == (best[0], len(left_out))
            shown = texts(feed.run)
            told = "outside the conditions, and never among the best."
            assert (told in shown["best"]) == bool(left_out)
            assert ("Outside the conditions" in shown["progress"]) == bool(left_out)
