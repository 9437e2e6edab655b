import hypothesis
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from molloop.search import batch
from molloop.search.acquisition import ACQUISITIONS, Circumstances
from molloop.search.batch import choose
from molloop.surrogate.model import Joint, independent

FUNCTIONS = st.sampled_from(list(ACQUISITIONS.values()))


def bound(mean, std, _given):
    return mean + std


def joint_of(mean, covariance, noise=0.0):
    covariance = np.array(covariance, dtype=float)
    return Joint(
        np.array(mean, dtype=float),
        np.diag(covariance),
        np.full(len(mean), noise),
        lambda row: covariance[row],
    )


def test_by_hand():
    # upper bounds 3.0, 2.9, 2.5; given the first, whose twin the second is, only 2.0 is left of it
    joint = joint_of([2.0, 1.9, 1.5], [[1, 1, 0], [1, 1, 0], [0, 0, 1]], noise=0.0)
    choice = choose(joint, Circumstances(np.array([7, 8, 9])), bound, 3)
    assert choice.rows.tolist() == [0, 2, 1]
    assert choice.scores == pytest.approx([3.0, 2.5, 1.9])


def test_noise_leaves_some_of_the_variance():
    # 1 - 1 / (1 + 1) = 1/2 is left
    joint = joint_of([2.0, 1.9], [[1, 1], [1, 1]], noise=1.0)
    choice = choose(joint, Circumstances(np.array([7, 8])), bound, 2)
    assert choice.scores == pytest.approx([3.0, 1.9 + 0.5**0.5])


def test_what_is_pending_is_believed_and_not_chosen():
    joint = joint_of([2.0, 1.9, 1.5, 9.0], [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1]])
    choice = choose(joint, Circumstances(np.array([7, 8, 9, -1])), bound, 9, pending=[3])
    assert choice.rows.tolist() == [1, 2, 0]
    assert choice.scores == pytest.approx([2.9, 2.5, 2.0])


@pytest.mark.parametrize("rounded", [1.0, 1.0 + 2**-52, 1.0 - 2**-53])
def test_scores_that_are_equal_but_for_rounding_go_by_the_lower_id(rounded):
    joint = joint_of([1.0, 1.0, rounded], np.zeros((3, 3)))
    assert choose(joint, Circumstances(np.array([5, 3, 4])), bound, 3).rows.tolist() == [1, 2, 0]


@hypothesis.given(st.integers(0, 2**32), st.integers(1, 30), st.integers(0, 4), FUNCTIONS)
@settings(max_examples=100)
def test_against_conditional_distributions_from_scratch(seed, m, n_pending, acquisition):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(m + n_pending, 6))
    covariance, noise = root @ root.T, 0.1
    mean = rng.normal(size=m + n_pending)
    ids = rng.permutation(100)[: m + n_pending]
    given = Circumstances(ids, best=mean.max(), seed=(seed, 1))
    pending = list(range(m, m + n_pending))
    choice = choose(joint_of(mean, covariance, noise), given, acquisition, 5, pending)

    believed, expected = list(pending), []
    for _ in range(min(5, m)):
        known = covariance[np.ix_(believed, believed)] + noise * np.eye(len(believed))
        cross = covariance[:, believed]
        left = np.diag(covariance) - np.einsum("ij,ji->i", cross, np.linalg.solve(known, cross.T))
        score = acquisition(mean, np.sqrt(np.maximum(left, 0)), given)
        score[believed] = -np.inf
        expected.append(int(np.argmax(score)))
        believed.append(expected[-1])
    assert choice.rows.tolist() == expected


def test_independent_molecules_are_chosen_by_score():
    rng = np.random.default_rng(0)
    mean, std = rng.normal(size=50), rng.random(50)
    std[:3] = 0
    choice = choose(independent(mean, std), Circumstances(np.arange(50)), bound, 50)
    assert choice.rows.tolist() == np.argsort(-(mean + std)).tolist()


def test_after_the_last_belief_others_follow_by_their_scores_then(monkeypatch):
    monkeypatch.setattr(batch, "MAX_BELIEVED", 1)
    # given the first, nothing is left of the second's deviation, half of the third's variance
    covariance = [[1, 1, 0.5**0.5, 0], [1, 1, 0, 0], [0.5**0.5, 0, 1, 0], [0, 0, 0, 1]]
    joint = joint_of([2.0, 1.9, 1.5, 1.0], covariance)
    choice = choose(joint, Circumstances(np.array([7, 8, 9, 6])), bound, 4)
    assert choice.rows.tolist() == [0, 2, 3, 1]
    assert choice.scores == pytest.approx([3.0, 1.5 + 0.5**0.5, 2.0, 1.9])
    # one of the two pending ones is believed in: the second keeps its deviation
    joint = joint_of([2.0, 1.9, 9.0, 9.0], [[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1]])
    choice = choose(joint, Circumstances(np.array([7, 8, -1, -1])), bound, 2, pending=[2, 3])
    assert choice.scores == pytest.approx([2.9, 2.0])
