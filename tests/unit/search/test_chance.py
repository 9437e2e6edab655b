import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from molloop.search import chance
from molloop.search.chance import MAX_WEIGHTS, Chance, _Posterior


def rng():
    return np.random.default_rng(0)


def numbers(n, seed, width=5):
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


# molecules that are all the same: four values more than there are
@pytest.mark.parametrize(
    ("n", "n_failed", "expected"), [(12, 4, 16 / 20), (20, 1, 24 / 25), (1, 1, 5 / 6)]
)
def test_without_features_it_is_the_share_with_some_values_before(n, n_failed, expected):
    found = Chance.fit(np.zeros((n, 3), np.float32), np.zeros((n_failed, 3), np.float32), rng())
    assert found.of(np.zeros((2, 3), np.float32)) == pytest.approx([expected] * 2, rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_one_failure_gives_up_nothing(seed):
    with_value, failed = numbers(20, seed), numbers(1, 100 + seed)
    found = Chance.fit(with_value, failed, rng())
    assert found.of(failed)[0] > 0.4
    assert found.of(numbers(1000, 200 + seed)).min() > 0.1
    assert np.median(found.of(numbers(1000, 200 + seed))) > 0.85


def test_what_is_like_those_that_failed_is_expected_to_fail():
    features = numbers(400, 1)
    fails = features[:, 2] > 0.5
    found = Chance.fit(features[:200][~fails[:200]], features[:200][fails[:200]], rng())
    others, fail = found.of(features[200:]), fails[200:]
    assert others[fail].mean() < 0.15
    assert others[~fail].mean() > 0.9


def test_failures_that_have_nothing_in_common_lower_all_chances_alike():
    features = numbers(1000, 1)
    fails = np.random.default_rng(2).random(200) < 0.2
    found = Chance.fit(features[:200][~fails], features[:200][fails], rng())
    others = found.of(features[200:])
    assert others.min() > 0.6
    assert others.max() < 0.95


def test_bits_are_numbers_around_their_mean():
    bits = np.random.default_rng(3).integers(0, 256, (60, 8), dtype=np.uint8)
    plain = np.unpackbits(bits, axis=1, bitorder="little").astype(np.float32)
    plain -= plain.mean(axis=0)
    one, other = (Chance.fit(some[:40], some[40:], rng()) for some in (bits, plain))
    assert one.weights.shape == (6, 64)
    assert one.of(bits) == pytest.approx(other.of(plain), abs=1e-5)


def test_nothing_is_learnt_of_features_that_are_too_many():
    assert Chance.can_learn(np.zeros((1, MAX_WEIGHTS), np.float32))
    assert not Chance.can_learn(np.zeros((1, MAX_WEIGHTS + 1), np.float32))
    assert Chance.can_learn(np.zeros((1, MAX_WEIGHTS // 8), np.uint8))
    assert not Chance.can_learn(np.zeros((1, MAX_WEIGHTS // 8 + 8), np.uint8))
    assert not Chance.can_learn(np.zeros((0, 3), np.float32))


@given(st.integers(0, 2**32), st.integers(1, 5000))
def test_a_chance_does_not_depend_on_what_stands_beside(seed, place):
    features = numbers(5001, seed)
    fails = features[:50, 0] + features[:50, 1] > 0.5
    found = Chance.fit(features[:50][~fails], features[:50], rng())
    features[place] = features[0]
    whole = found.of(features)
    assert whole[place] == whole[0] == found.of(features[:1])[0]
    assert np.array_equal(found.of(features[place:]), whole[place:])
    assert 0 < whole.min() <= whole.max() <= 1


@pytest.mark.parametrize("variance", [0.01, 1.0, 10.0])
def test_the_weights_are_scikit_learn_s(variance):
    features = numbers(80, 4).astype(np.float64)
    has_value = np.random.default_rng(5).random(80) < 1 / (1 + np.exp(-2 * features[:, 0]))
    posterior = _Posterior.of(features, has_value)
    found, _ = posterior.at_most(variance, np.zeros(6))
    reference = LogisticRegression(C=variance, tol=1e-10, max_iter=10_000)
    reference.fit(
        np.concatenate([features, np.zeros((1, 5))]),
        [*has_value, True],
        sample_weight=[*np.ones(80), 4],
    )
    assert found == pytest.approx([*reference.intercept_, *reference.coef_[0]], rel=1e-4, abs=1e-6)


def test_the_evidence_is_the_integral_over_the_parameters():
    # of one weight and the intercept, written out on a grid; Laplace's approximation is close for
    # many molecules
    x = np.random.default_rng(6).normal(size=(400, 1))
    has_value = np.random.default_rng(7).random(400) < 1 / (1 + np.exp(-1 - x[:, 0]))
    intercepts, weights = np.meshgrid(np.linspace(-1, 3, 401), np.linspace(-2, 4, 601))
    evidence = []
    for variance in (0.1, 1.0):
        total = 4 * -np.logaddexp(0, -intercepts)
        total -= weights**2 / (2 * variance) + np.log(2 * np.pi * variance) / 2
        for one, is_value in zip(x[:, 0], has_value, strict=True):
            total -= np.logaddexp(0, (-1 if is_value else 1) * (intercepts + weights * one))
        integral = np.log(np.exp(total - total.max()).mean() * 4 * 6) + total.max()
        found = _Posterior.of(x, has_value).at_most(variance, np.zeros(2))[1]
        # but for a constant: that of the two normal densities, and of the prior of the weight
        evidence.append(found + np.log(2 * np.pi) - np.log(2 * np.pi) / 2 - integral)
    assert evidence == pytest.approx([0, 0], abs=0.02)


@given(
    st.integers(0, 2**32),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 60),
    st.sampled_from([0.0, 1e-6, 1.0, 6.0]),
    st.booleans(),
)
def test_whatever_has_failed_chances_are_chances(seed, n, n_failed, width, size, are_told_apart):
    features = size * np.sign(numbers(n + n_failed, seed, width))
    if are_told_apart:
        features[:n, 0], features[n:, 0] = size, -size
    found = Chance.fit(features[:n], features[n:], rng())
    chances = found.of(features)
    assert np.isfinite(found.weights).all()
    assert 0 < chances.min() <= chances.max() <= 1
    if are_told_apart and size:
        # only the first feature tells them all apart, the others by chance
        assert chances[:n].mean() >= chances[n:].mean() - 1e-6


def test_of_many_it_learns_from_some(monkeypatch):
    monkeypatch.setattr(chance, "MAX_POINTS", 300)
    features = numbers(4000, 8)
    fails = features[:, 1] > 1
    found = Chance.fit(features[~fails], features[fails], rng())
    again = Chance.fit(features[~fails], features[fails], rng())
    assert np.array_equal(found.weights, again.weights)
    new = numbers(500, 9)
    assert found.of(new)[new[:, 1] > 1.5].mean() < 0.3
    assert found.of(new)[new[:, 1] < 0.5].mean() > 0.9


def test_a_file_holds_it(tmp_path):
    features = numbers(30, 1)
    found = Chance.fit(features[:20], features[20:], rng())
    found.write(tmp_path / "chance.npz")
    read = Chance.read(tmp_path / "chance.npz")
    assert np.array_equal(read.of(features), found.of(features))
