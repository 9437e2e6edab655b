import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from molloop.pareto import dominates, front_rows, hypervolume, reference_point, with_point

POINTS = {n: st.lists(st.tuples(*[st.integers(0, 5)] * n), max_size=12) for n in (2, 3)}


def test_what_dominates_is_nowhere_worse_and_somewhere_better():
    assert dominates((2, 1), (1, 1))
    assert not dominates((1, 1), (1, 1))
    assert not dominates((2, 0), (1, 1))


def test_a_front_by_hand():
    points = np.array([[1, 3], [2, 2], [1, 2], [3, 1], [2, 2], [np.nan, 9]], dtype=float)
    assert front_rows(points).tolist() == [0, 1, 3, 4]
    assert front_rows(np.empty((0, 2))).tolist() == []


def test_a_point_enters_a_front_and_puts_others_out():
    front = with_point(with_point((), (1.0, 3.0)), (3.0, 1.0))
    assert with_point(front, (1.0, 3.0)) is front
    assert with_point(front, (1.0, 1.0)) is front
    assert with_point(front, (2.0, 2.0)) == ((1.0, 3.0), (2.0, 2.0), (3.0, 1.0))
    assert with_point(front, (3.0, 3.0)) == ((3.0, 3.0),)


def test_the_volume_that_a_front_covers_by_hand():
    # squares of 1 x 3 and 3 x 1 that share one of 1 x 1
    assert hypervolume([(1, 3), (3, 1)], (0, 0)) == 5
    assert hypervolume([(1, 3), (3, 1), (-1, 9)], (0, 0)) == 5
    assert hypervolume([], (0, 0)) == 0
    # three boxes of 2, each shares its unit cube with the others
    assert hypervolume([(2, 1, 1), (1, 2, 1), (1, 1, 2)], (0, 0, 0)) == 4
    with pytest.raises(ValueError, match="two or three"):
        hypervolume([(1,)], (0,))


@pytest.mark.parametrize("n", [2, 3])
@given(data=st.data())
@settings(max_examples=60)
def test_fronts_and_volumes_are_those_of_every_pair_and_every_unit_cell(n, data):
    points = data.draw(POINTS[n])
    array = np.array(points, dtype=float).reshape(-1, n)
    plain = [
        row for row, one in enumerate(points) if not any(dominates(other, one) for other in points)
    ]
    assert front_rows(array).tolist() == plain
    front = ()
    for one in points:
        front = with_point(front, one)
    assert set(front) == {points[row] for row in plain}
    # a cell of the grid is covered where a point lies at its upper corner or beyond it
    cells = np.stack(np.meshgrid(*[np.arange(1, 6)] * n), axis=-1).reshape(-1, n)
    is_covered = [any((array[row] >= cell).all() for row in range(len(points))) for cell in cells]
    assert hypervolume(points, (0,) * n) == sum(is_covered)


def test_a_reference_point_lies_a_tenth_of_the_range_below_the_worst():
    points = np.array([[0.0, 5.0], [10.0, 7.0], [np.nan, -9.0]])
    assert reference_point(points) == pytest.approx((-1.0, 4.8))


def test_a_front_that_is_alike_in_an_objective_covers_something():
    alone = np.array([[2.0, 7.0]])
    assert reference_point(alone) == pytest.approx((1.9, 6.9))
    assert hypervolume(alone.tolist(), reference_point(alone)) == pytest.approx(0.01)
    alike = np.array([[2.0, 7.0, 1.0], [3.0, 5.0, 1.0]])
    assert reference_point(alike) == pytest.approx((1.9, 4.8, 0.9))
    # (3 - 1.9) x (5 - 4.8) + (2 - 1.9) x (7 - 5), times 0.1
    assert hypervolume(alike.tolist(), reference_point(alike)) == pytest.approx(0.042)
