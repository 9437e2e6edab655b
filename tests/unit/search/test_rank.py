from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from molloop.library.batches import make_batch
from molloop.library.bits import Bits, write_bits
from molloop.library.descriptors import DESCRIPTORS
from molloop.library.facts import facts
from molloop.library.features import Scaling
from molloop.library.shard import ShardRef, write_shard
from molloop.search import rank
from molloop.search.acquisition import ACQUISITIONS, Circumstances
from molloop.search.chance import Chance
from molloop.search.policy import Policy, as_learnt, policy_named
from molloop.search.rank import RankTask
from molloop.search.training import Training
from molloop.surrogate.model import load
from molloop.surrogate.registry import MODELS, model_class

SCALING = Scaling(np.full(len(DESCRIPTORS), 0.2), np.full(len(DESCRIPTORS), 1.5))


class Table:
    """A library of random features; many molecules share theirs, so that scores tie."""

    def __init__(self, folder, seed, n=60, n_different=40):
        rng = np.random.default_rng(seed)
        same = rng.integers(0, n_different, n)
        self.folder = folder
        self.raw = rng.normal(size=(n_different, len(DESCRIPTORS)))[same].astype(np.float32)
        self.bits = rng.integers(0, 256, (n_different, 32), dtype=np.uint8)[same]
        self.values = (self.raw[:, 0] + np.sin(self.raw[:, 1]) * 2).astype(float)
        self.n = n

    def features(self, kind, ids):
        return self.bits[ids] if kind == "fingerprints" else SCALING.apply(self.raw[ids])

    def shards(self, cuts=(), meant=None):
        selection = ""
        if meant is not None:
            selection = str(self.folder / "meant.arrow")
            write_bits(self.folder / "meant.arrow", [Bits.of(meant)], {})
        edges = sorted({0, self.n, *cuts})
        refs = []
        for start, end in pairwise(edges):
            rows = slice(start, end)
            path = self.folder / f"shard-{start}-{end}.arrow"
            n = end - start
            known = facts([Chem.MolFromSmiles("C")] * n)
            features = {"fingerprints": self.bits[rows], "descriptors": self.raw[rows]}
            hashes = np.arange(start, end, dtype=np.uint64)
            write_shard(path, make_batch(["C"] * n, [""] * n, known, features, hashes))
            refs.append(ShardRef(str(path), start, end - start, selection))
        return refs

    def only(self, folder, rows):
        """Return the library that holds some of the molecules alone."""
        other = Table(folder, 0)
        other.raw, other.bits, other.values = self.raw[rows], self.bits[rows], self.values[rows]
        other.n = len(rows)
        return other

    def task(self, name, policy, n, trained, pending, failed=()):
        folder = self.folder / name
        folder.mkdir()
        task = RankTask(folder, policy, n, (42, 1))
        kind = policy.features
        # they come in another order in every task
        came = np.random.default_rng(list(name.encode())).permutation(len(trained))
        ids = np.array(trained)[came]
        Training(
            features=self.features(kind, ids),
            values=self.values[ids],
            order=np.argsort(came),
            tried=np.array([*trained, *pending, *failed], dtype=np.int64),
            pending=self.features(kind, pending),
            failed=self.features(kind, list(failed)),
            scaling=SCALING,
            best=float(self.values[ids].max()),
            pending_fingerprints=self.bits[pending],
        ).write(task.training)
        return task


def too_near(bits, row, least):
    """Which fingerprints are nearer to one than may be: by their bits, counted one by one."""
    if not least:
        return set()
    sets = [set(np.flatnonzero(np.unpackbits(one)).tolist()) for one in bits]
    own = sets[row]
    similar = [Fraction(len(own & one), len(own | one)) if own | one else 1 for one in sets]
    return {key for key, one in enumerate(similar) if 1 - one < Fraction(str(least))}


def brute_force(table, task, trained, pending, others=(), failed=()):
    """Choose from the whole library at once, with every covariance matrix written out."""
    kind = task.policy.features
    model = load(model_class(task.policy.model), rank.fit(task))
    everything = table.features(kind, list(range(table.n)))
    joint = model.joint(everything)
    covariance = np.stack([joint.covariance(row) for row in range(table.n)])
    mean, std = model.predict(everything)
    score_of = ACQUISITIONS[task.policy.acquisition]
    values = as_learnt(task.policy, table.values[trained])
    circumstances = Circumstances(np.arange(table.n), float(values.max()), task.seed)
    if failed and task.policy.learns_failures:
        chance = Chance.read(task.chance(0)).of(everything)
        if_failed = float(np.percentile(values, 10))
        circumstances = replace(circumstances, chance=chance, if_failed=if_failed)
    believed, chosen = list(pending), []
    near = {key for one in pending for key in too_near(table.bits, one, task.policy.diversity)}
    n_left = table.n - len({*trained, *pending, *others, *failed})
    while len(chosen) < task.n and len(chosen) < n_left:
        left = std**2
        if believed and task.policy.predicts:
            known = covariance[np.ix_(believed, believed)] + np.diag(joint.noise[believed])
            cross = covariance[:, believed]
            left = left - np.einsum("ij,ji->i", cross, np.linalg.pinv(known) @ cross.T)
        score = score_of(mean, np.sqrt(np.maximum(left, 0)), circumstances)
        score[[*trained, *pending, *others, *failed, *chosen, *near]] = -np.inf
        if score.max() == -np.inf:
            break
        # molecules with the same features tie but for rounding: the lowest id counts
        pick = int(np.flatnonzero(score >= score.max() - 1e-9)[0])
        chosen.append(pick)
        believed.append(pick)
        near |= too_near(table.bits, pick, task.policy.diversity)
    return chosen


RIDGE = MODELS.reference("ridge")
CHOICES = {
    **{name: policy_named(name) for name in (*MODELS.own, "ridge-ucb", "ridge-ei", "gp-ei")},
    "ridge-random": Policy(RIDGE, "descriptors", "random"),
}
POLICY_NAMES = st.sampled_from(list(CHOICES))


@given(
    POLICY_NAMES,
    st.integers(0, 2**32),
    st.integers(1, 20),
    st.integers(0, 3),
    st.integers(1, 8),
    st.lists(st.integers(1, 59), max_size=4),
    st.sampled_from([1, 2, 64]),
    st.integers(0, 15),
    st.sampled_from([0.0, 0.0, 0.4, 0.64, 0.67, 0.7, 1.0]),
)
@settings(max_examples=160)
def test_a_ranking_is_the_exact_choice_from_the_whole_library(
    tmp_path_factory, name, seed, n_trained, n_pending, n, cuts, per_pick, n_failed, least
):
    if name == "forest":
        n_trained = max(n_trained, 2)
    table = Table(tmp_path_factory.mktemp("table"), seed)
    ids = np.random.default_rng(seed).permutation(table.n).tolist()
    trained, pending = ids[:n_trained], ids[n_trained : n_trained + n_pending]
    # those with a large first number fail, as do their like
    failed = sorted(ids[n_trained + n_pending :], key=lambda key: -table.raw[key, 0])[:n_failed]
    policy = replace(CHOICES[name], diversity=least)
    before = rank.CANDIDATES_PER_PICK
    rank.CANDIDATES_PER_PICK = per_pick  # few: some scans do not suffice
    try:
        task = table.task("cut", policy, n, trained, pending, failed)
        merged = rank.rank(task, table.shards(cuts))
        whole = rank.rank(table.task("whole", policy, n, trained, pending, failed), table.shards())
    finally:
        rank.CANDIDATES_PER_PICK = before
    assert merged.is_exact
    assert merged.ids.tolist() == brute_force(table, task, trained, pending, failed=failed)
    for field in ("ids", "means", "stds"):
        # random molecules are chosen without a model: what is said of them is no number
        has_none = name == "random" and field != "ids" and len(merged.ids) > 0
        assert np.isnan(getattr(merged, field)).any() == has_none
        np.testing.assert_array_equal(getattr(merged, field), getattr(whole, field))
    model = load(model_class(policy.model), task.folder / "model.npz")
    predicted = model.predict(table.features(policy.features, merged.ids))
    np.testing.assert_array_equal(merged.means, predicted[0])
    np.testing.assert_array_equal(merged.stds, predicted[1])


@given(
    POLICY_NAMES,
    st.integers(0, 2**32),
    st.integers(2, 20),
    st.integers(0, 3),
    st.integers(1, 8),
    st.lists(st.integers(1, 59), max_size=4),
    st.sampled_from([1, 64]),
    st.floats(0, 1),
)
@settings(max_examples=40)
def test_under_conditions_it_is_the_choice_from_the_library_of_what_meets_them(
    tmp_path_factory, name, seed, n_trained, n_pending, n, cuts, per_pick, share
):
    folder = tmp_path_factory.mktemp("table")
    table = Table(folder, seed)
    rng = np.random.default_rng(seed)
    ids = rng.permutation(table.n).tolist()
    trained, pending = ids[:n_trained], ids[n_trained : n_trained + n_pending]
    meant = rng.random(table.n) < share
    policy = CHOICES[name]
    before = rank.CANDIDATES_PER_PICK
    rank.CANDIDATES_PER_PICK = per_pick
    try:
        task = table.task("cut", policy, n, trained, pending)
        merged = rank.rank(task, table.shards(cuts, meant))
        assert merged.is_exact
        others = np.flatnonzero(~meant).tolist()
        assert merged.ids.tolist() == brute_force(table, task, trained, pending, others)
        if policy.acquisition == "random":
            return  # goes by the ids, which are others there
        # what was tried stays, so that it can be learned from; nobody chooses it
        rows = np.flatnonzero(meant | np.isin(np.arange(table.n), [*trained, *pending]))
        (folder / "only").mkdir()
        only = table.only(folder / "only", rows)
        there = {key: place for place, key in enumerate(rows.tolist())}
        task = only.task(
            "cut", policy, n, *([there[k] for k in some] for some in (trained, pending))
        )
        alone = rank.rank(task, only.shards())
    finally:
        rank.CANDIDATES_PER_PICK = before
    np.testing.assert_array_equal(merged.ids, rows[alone.ids])
    np.testing.assert_array_equal(merged.means, alone.means)
    np.testing.assert_array_equal(merged.stds, alone.stds)


@pytest.mark.parametrize("name", MODELS.own)
def test_what_is_learnt_from_failures_and_by_whom(tmp_path, name):
    table = Table(tmp_path, seed=5, n=400, n_different=400)
    # a large first number is good, by and large; where the second one is large, molecules fail
    table.values = table.raw[:, 0] + np.random.default_rng(7).normal(size=table.n)
    fails = table.raw[:, 1] > 0.5
    tried = list(range(100))
    trained, failed = ([key for key in tried if fails[key] == is_bad] for is_bad in (False, True))
    policy = CHOICES[name]
    forgetful = replace(policy, learns_failures=False)
    shards = table.shards([150])
    chosen, without = (
        rank.rank(table.task(folder, one, 20, trained, [], failed), shards).ids.tolist()
        for folder, one in (("learns", policy), ("forgets", forgetful))
    )
    assert set(chosen).isdisjoint(tried)
    if name in ("random", "published"):  # as others do it
        assert chosen == without
    else:
        assert fails[chosen].sum() < fails[without].sum() / 2


@pytest.mark.parametrize("name", [*MODELS.own, "gp-ei"])
def test_where_nothing_has_failed_all_is_as_without(tmp_path, name):
    table = Table(tmp_path, seed=6)
    policy = CHOICES[name]
    tasks = [
        table.task(folder, one, 4, list(range(10)), [11])
        for folder, one in (("a", policy), ("b", replace(policy, learns_failures=False)))
    ]
    one, other = (rank.rank(task, table.shards([30])) for task in tasks)
    for field in ("ids", "means", "stds"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    written = [
        {path.name: path.read_bytes() for path in task.folder.glob("*.npy")} for task in tasks
    ]
    assert written[0] == written[1]
    assert not tasks[0].chance(0).exists()


def test_a_scan_that_does_not_suffice_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(rank, "CANDIDATES_PER_PICK", 1)
    monkeypatch.setattr(rank, "MIN_PER_PICK", 1)
    sizes = []
    merge = rank.merge
    monkeypatch.setattr(
        rank, "merge", lambda task, n, *rest: (sizes.append(n), merge(task, n, *rest))[1]
    )
    table = Table(tmp_path, seed=3, n_different=60)
    trained = list(range(6))
    task = table.task("one", policy_named("gp"), 4, trained, [])
    merged = rank.rank(task, table.shards())
    assert sizes[0] == 4
    assert len(sizes) > 1
    assert sizes == [4 * 8**k for k in range(len(sizes))]
    assert merged.ids.tolist() == brute_force(table, task, trained, [])


@pytest.mark.parametrize("name", MODELS.own)
def test_a_library_that_was_tried_whole_gives_nothing(tmp_path, name):
    table = Table(tmp_path, seed=1)
    task = table.task("all", policy_named(name), 4, list(range(table.n)), [])
    assert rank.rank(task, table.shards([20])).ids.tolist() == []


def test_fewer_are_left_than_are_wanted(tmp_path):
    table = Table(tmp_path, seed=1)
    task = table.task("few", policy_named("gp"), 8, list(range(57)), [])
    assert sorted(rank.rank(task, table.shards([20, 58])).ids) == [57, 58, 59]


@pytest.mark.parametrize("name", ["gp", "ridge", "random"])
def test_a_batch_that_is_asked_to_be_diverse_is_so_on_any_shards(tmp_path, name):
    table = Table(tmp_path, seed=8, n_different=60)
    plain = CHOICES[name]
    policy, trained, pending = replace(plain, diversity=0.66), list(range(10)), [11, 12]
    found = rank.rank(table.task("one", policy, 8, trained, pending), table.shards([20, 41]))
    chosen = found.ids.tolist()
    for key in [*chosen, *pending]:
        assert too_near(table.bits, key, 0.66) & {*chosen, *pending} <= {key, *pending}
    alike = rank.rank(table.task("two", plain, 8, trained, pending), table.shards([20, 41]))
    assert alike.ids.tolist() != chosen


def test_where_nothing_else_is_unlike_a_batch_is_smaller(tmp_path):
    table = Table(tmp_path, seed=8)
    policy = replace(policy_named("gp"), diversity=1.0)
    found = rank.rank(table.task("one", policy, 8, list(range(10)), []), table.shards([20]))
    assert len(found.ids) == 1
    none = rank.rank(table.task("two", policy, 8, list(range(10)), [11]), table.shards([20]))
    assert (len(none.ids), none.is_exact) == (0, True)
