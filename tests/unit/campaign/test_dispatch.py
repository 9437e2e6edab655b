from molloop.campaign.dispatch import Dispatch
from molloop.campaign.state import State


def after(n_finished, seconds):
    return State(n_submitted=n_finished, n_values=n_finished, seconds=seconds)


def test_long_simulations_go_one_by_one():
    dispatch = Dispatch(2)
    assert dispatch.group_size(State(), 100) == 1
    assert dispatch.room(State(), 1, 0) == 3
    # 0.3 s each: a worker may end before the answer to another comes
    assert dispatch.group_size(after(10, 3.0), 100) == 1
    assert dispatch.room(after(10, 3.0), 1, 2) == 1
    assert dispatch.room(after(10, 3.0), 1, 4) == 0


def test_a_group_lasts_as_long_as_the_driver_needs_to_hand_out_one_to_each():
    # 0.15 s at least: 150 of 1 ms; 4,096 workers: 12.288 s, 41 of 0.3 s
    assert Dispatch(2).group_size(after(10_000, 10.0), 10**6) == 150
    assert Dispatch(4096).group_size(after(10_000, 3_000.0), 10**6) == 41
    assert Dispatch(4096).group_size(after(10_000, 300_000.0), 10**6) == 1


def test_groups_are_small_while_little_is_known():
    sizes = [Dispatch(2).group_size(after(n, n / 1000), 10**6) for n in (0, 1, 12, 13, 25, 120)]
    assert sizes == [1, 1, 1, 2, 3, 10]


def test_groups_are_bounded_and_become_smaller_near_the_end():
    assert Dispatch(2).group_size(after(10_000, 0.0), 10**6) == 200
    assert Dispatch(2).group_size(after(10_000, 10.0), 40) == 10
    assert Dispatch(2).group_size(after(10_000, 10.0), 0) == 1
    assert Dispatch(2, fixed_group_size=7).group_size(after(10, 300.0), 1) == 7


def test_the_number_of_waiting_tasks_is_bounded():
    assert Dispatch(2, 1).room(after(10, 0.001), 1, 0) == 502
    # groups of 0.15 s: two more wait
    assert Dispatch(2).room(after(10, 0.01), 150, 0) == 600


def test_smaller_tasks_near_the_end_do_not_wait_for_the_larger_ones():
    # two tasks run, one waits; of tasks of 0.05 s three more may wait
    assert Dispatch(2).room(after(10, 0.01), 100, 3) == 100
    assert Dispatch(2).room(after(10, 0.01), 50, 3) == 150


def test_a_worker_with_several_molecules_abreast_gets_as_many_times_as_many():
    # four abreast: at first one each
    assert Dispatch(2, n_abreast=4).group_size(State(), 100) == 4
    # 150 of 1 ms in turn, four times; 0.3 s each: one in turn
    assert Dispatch(2, n_abreast=4).group_size(after(10_000, 10.0), 10**6) == 600
    assert Dispatch(2, n_abreast=4).group_size(after(10_000, 3_000.0), 10**6) == 4
    # near the end of long ones all of a worker's places are taken rather than shared out
    assert Dispatch(2, n_abreast=4).group_size(after(100, 3_000.0), 8) == 4
    assert Dispatch(2, n_abreast=4).group_size(after(100, 3_000.0), 2) == 1
    # four of 0.1 s take 0.1 s: two tasks more than workers wait
    assert Dispatch(2, n_abreast=4).room(after(10, 1.0), 4, 0) == 16
