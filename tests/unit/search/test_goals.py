"""Rankings for several objectives and within constraints, beside the choice from all molecules."""

from dataclasses import replace
from itertools import pairwise
from math import erf, inf, log, sqrt

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rdkit import Chem

from molloop.goal import Constraint, Direction, Goal, Objective, Quantity
from molloop.library.batches import make_batch
from molloop.library.bits import Bits, write_bits
from molloop.library.descriptors import DESCRIPTORS
from molloop.library.facts import facts
from molloop.library.features import Scaling
from molloop.library.shard import ShardRef, write_shard
from molloop.search import goals, rank
from molloop.search.chain import Chain
from molloop.search.chance import Chance
from molloop.search.difference import Difference, Pairs
from molloop.search.policy import policy_named
from molloop.search.rank import RankTask
from molloop.search.training import Training
from molloop.surrogate.model import load
from molloop.surrogate.registry import model_class

SCALING = Scaling(np.full(len(DESCRIPTORS), 0.2), np.full(len(DESCRIPTORS), 1.5))
IE, GAP = Quantity("IE", "eV"), Quantity("gap", "eV")
MASS = Quantity("mass", descriptor=DESCRIPTORS[3])
LOGP = Quantity("logP", descriptor=DESCRIPTORS[4])
UP, DOWN = Direction.MAXIMISE, Direction.MINIMISE
GOALS = {
    "two": Goal((Objective(IE), Objective(GAP, DOWN))),
    "a known one": Goal((Objective(IE), Objective(MASS, DOWN))),
    "three": Goal((Objective(IE), Objective(GAP, DOWN), Objective(MASS)), (Constraint(LOGP, 0.0),)),
    "a bound": Goal((Objective(IE, DOWN),), (Constraint(GAP, high=0.5),)),
    "its own bounds": Goal((Objective(IE),), (Constraint(IE, -1.0, 1.5),)),
    "two and bounds": Goal(
        (Objective(IE), Objective(GAP)), (Constraint(GAP, high=1.0), Constraint(MASS, high=0.8))
    ),
}


class Table:
    """A library of random descriptors; many molecules share theirs, so that scores tie."""

    def __init__(self, folder, seed, n=60, n_different=40):
        rng = np.random.default_rng(seed)
        same = rng.integers(0, n_different, n)
        self.folder, self.n = folder, n
        self.raw = rng.normal(size=(n_different, len(DESCRIPTORS)))[same].astype(np.float32)
        self.bits = rng.integers(0, 256, (n_different, 32), dtype=np.uint8)[same]
        self.of = {
            "ie": (self.raw[:, 0] + 2 * np.sin(self.raw[:, 1])).astype(float),
            "gap": (self.raw[:, 1] - self.raw[:, 2]).astype(float),
            "mass": self.raw[:, 3].astype(float),
            "logp": self.raw[:, 4].astype(float),
        }

    def features(self, ids):
        return SCALING.apply(self.raw[ids])

    def shards(self, cuts=(), meant=None):
        selection = ""
        if meant is not None:
            selection = str(self.folder / "meant.arrow")
            write_bits(self.folder / "meant.arrow", [Bits.of(meant)], {})
        refs = []
        for start, end in pairwise(sorted({0, self.n, *cuts})):
            path, n = self.folder / f"shard-{start}-{end}.arrow", end - start
            features = {
                "fingerprints": self.bits[start:end],
                "descriptors": self.raw[start:end],
            }
            hashes = np.arange(start, end, dtype=np.uint64)
            methanes = facts([Chem.MolFromSmiles("C")] * n)
            write_shard(path, make_batch(["C"] * n, [""] * n, methanes, features, hashes))
            refs.append(ShardRef(str(path), start, n, selection))
        return refs

    def pairs(self, goal, ids):
        """What the values of some molecules become in a second stage."""
        found = []
        for place, (one, sign) in enumerate(zip(goal.quantities, goal.signs, strict=True)):
            if not one.descriptor:
                below = sign * self.of[one.name][ids]
                above = 0.8 * below - 3.0 + 0.3 * self.raw[ids, 5 + place]
                spread = float(np.std(below)) or 1.0
                features = self.features(ids)
                found.append(Pairs(features, below, above, spread, features[:0], place))
        return tuple(found)

    def task(
        self, name, goal, policy, n, trained, pending, failed=(), without=(), best=0.0, pairs=()
    ):
        folder = self.folder / name
        folder.mkdir()
        task = RankTask(folder, policy, n, (42, 1), goal)
        ids = np.array(trained)
        columns = [
            self.of[one.name][ids] * s for one, s in zip(goal.quantities, goal.signs, strict=True)
        ]
        values = np.stack(columns, axis=1)
        for row in without:  # a further quantity that could not be computed
            values[row, 1:] = np.nan
        Training(
            features=self.features(ids),
            values=values,
            order=np.arange(len(ids)),
            tried=np.array([*trained, *pending, *failed], dtype=np.int64),
            pending=self.features(pending),
            failed=self.features(list(failed)),
            scaling=SCALING,
            best=best,
            pending_fingerprints=self.bits[pending],
            pairs=pairs,
        ).write(task.training)
        return task


def too_near(bits, row, least):
    """Which fingerprints are nearer to one than may be, by their bits one by one."""
    flat = np.unpackbits(bits, axis=1).astype(bool)
    if not least:
        return []
    both, either = (flat & flat[row]).sum(axis=1), (flat | flat[row]).sum(axis=1)
    return np.flatnonzero((either - both) / either < least).tolist()


def within(mean, std, constraint, sign):
    """The probability that a normal value keeps a constraint; the mean is signed."""
    mean *= sign
    low = -inf if constraint.low is None else constraint.low
    high = inf if constraint.high is None else constraint.high
    if std == 0:
        return float(low <= mean <= high)
    below = [(1 + erf((limit - mean) / std / sqrt(2))) / 2 for limit in (low, high)]
    return below[1] - below[0]


def believed_of(task, place, pairs):
    """What the ranking's files say of a quantity, of its last value where there are stages."""
    model = load(model_class(task.policy.model), task.folder / f"model-{place}.npz")
    numbers = [k for k, one in enumerate(pairs) if one.place == place]
    return Chain(model, [Difference.read(task.difference(k)) for k in numbers]) if pairs else model


def scatter_of(model, std, features):
    """The deviation of values as they will be simulated."""
    return model.scattered(features) if isinstance(model, Chain) else model.scatter(std)


def brute_force(table, task, trained, pending, failed=(), pairs=()):
    """Choose from all molecules at once: every probability and covariance written out."""
    goal, policy = task.goal, task.policy
    rank.fit(task)
    everything = table.features(list(range(table.n)))
    means, stds, joints, models = {}, {}, {}, {}
    for place, (one, sign) in enumerate(zip(goal.quantities, goal.signs, strict=True)):
        if one.descriptor:
            means[place], stds[place] = sign * table.of[one.name], np.zeros(table.n)
        else:
            model = believed_of(task, place, pairs)
            means[place], stds[place] = model.predict(everything)
            joints[place], models[place] = model.joint(everything), model
    chance = np.ones(table.n)
    is_chancy = any(not one.quantity.descriptor for one in goal.constraints)
    if failed:
        chance, is_chancy = Chance.read(task.chance(0)).of(everything), True
    is_out = np.zeros(table.n, dtype=bool)
    for one in goal.constraints:
        place = goal.place(one.quantity)
        sign = goal.signs[place]
        # of values as they will be simulated
        spread = (
            stds[place]
            if place not in models
            else scatter_of(models[place], stds[place], everything)
        )
        held = [within(m, s, one, sign) for m, s in zip(means[place], spread, strict=True)]
        if one.quantity.descriptor:
            is_out |= np.array(held) == 0
        else:
            chance = chance * np.array(held)
    aim = goals.learnt(task)[0].aim  # its weights and scales are drawn and taken once
    deviations = 0.5 if policy.acquisition == "ucb" else 0.0
    believed, chosen = list(pending), []
    near = (key for one in pending for key in too_near(table.bits, one, policy.diversity))
    is_out[[*trained, *pending, *failed, *near]] = True
    while len(chosen) < task.n and not is_out.all():
        parts = []
        for place, weight in enumerate(aim.weights[len(chosen) % len(aim.weights)]):
            left = stds[place] ** 2
            if believed and place in joints and deviations:
                joint = joints[place]
                cross = np.stack([joint.covariance(row) for row in believed], axis=1)
                known = cross[believed] + np.diag(joint.noise[believed])
                left = left - np.einsum("ij,ji->i", cross, np.linalg.pinv(known) @ cross.T)
            reach = means[place] + deviations * np.sqrt(np.maximum(left, 0))
            parts.append(weight * (reach - aim.worst[place]) / aim.span[place])
        scalar = np.min(parts, axis=0) + 0.05 * np.sum(parts, axis=0)
        score = scalar
        if is_chancy:
            worth = [log(log(1 + np.exp(max(one, -3.0) / 0.1))) if one > -3 else one / 0.1
                     for one in scalar]  # fmt: skip
            score = np.array(worth) + np.log(np.maximum(chance, 1e-300))
        score = np.where(is_out, -inf, score)
        # molecules with the same features tie but for rounding: the lowest id counts
        pick = int(np.flatnonzero(score >= score.max() - 1e-7 * (1 + abs(score.max())))[0])
        chosen.append(pick)
        believed.append(pick)
        is_out[[pick, *too_near(table.bits, pick, policy.diversity)]] = True
    return chosen


@given(
    st.sampled_from(sorted(GOALS)),
    st.sampled_from(["gp", "gp-greedy", "ridge-ucb"]),
    st.integers(0, 2**32),
    st.integers(2, 20),
    st.integers(0, 3),
    st.integers(1, 8),
    st.lists(st.integers(1, 59), max_size=4),
    st.sampled_from([1, 2, 64]),
    st.sampled_from([0, 0, 6]),
    st.sampled_from([0.0, 0.0, 0.4, 0.65, 0.7]),
    st.sampled_from([None, None, 3, 12]),
)
@example("its own bounds", "gp", 7, 2, 1, 2, [1], 1, 0, 0.0, None)  # five have the same features
@example("two", "gp", 8, 14, 2, 4, [20], 2, 0, 0.0, 12)
@example("two and bounds", "gp", 9, 14, 2, 4, [20], 2, 6, 0.0, 12)
@settings(max_examples=80)
def test_a_ranking_for_a_goal_is_the_exact_choice_from_the_whole_library(
    tmp_path_factory,
    name,
    policy,
    seed,
    n_trained,
    n_pending,
    n,
    cuts,
    per_pick,
    n_failed,
    least,
    n_pairs,
):
    table, goal = Table(tmp_path_factory.mktemp("table"), seed), GOALS[name]
    ids = np.random.default_rng(seed).permutation(table.n).tolist()
    trained, pending = ids[:n_trained], ids[n_trained : n_trained + n_pending]
    failed = sorted(ids[n_trained + n_pending :], key=lambda key: -table.raw[key, 0])[:n_failed]
    policy = replace(policy_named(policy), diversity=least)
    pairs = () if n_pairs is None else table.pairs(goal, trained[:n_pairs])
    before = rank.CANDIDATES_PER_PICK, rank.MIN_PER_PICK
    rank.CANDIDATES_PER_PICK, rank.MIN_PER_PICK = per_pick, 1
    try:
        task = table.task("here", goal, policy, n, trained, pending, failed, pairs=pairs)
        found = rank.rank(task, table.shards(cuts))
    finally:
        rank.CANDIDATES_PER_PICK, rank.MIN_PER_PICK = before
    beside = table.task("there", goal, policy, n, trained, pending, failed, pairs=pairs)
    assert found.is_exact
    assert found.ids.tolist() == brute_force(table, beside, trained, pending, failed, pairs)
    known = [place for place, one in enumerate(goal.quantities) if one.descriptor]
    for place in known:
        values = goal.signs[place] * table.of[goal.quantities[place].name][found.ids]
        assert found.means[:, place].tolist() == values.tolist()
        assert not found.stds[:, place].any()


def test_a_selection_and_known_bounds_leave_molecules_out(tmp_path):
    table, goal = Table(tmp_path, 3), GOALS["three"]
    meant = np.arange(table.n) % 2 == 0
    task = table.task("here", goal, policy_named("gp"), 60, [0, 1, 2], [])
    found = rank.rank(task, table.shards([20], meant))
    ids = {key for key in range(4, table.n, 2) if table.of["logp"][key] >= 0}
    assert set(found.ids.tolist()) == ids


def test_molecules_without_a_further_value_teach_the_first_model_alone(tmp_path):
    table, goal = Table(tmp_path, 5), GOALS["two"]
    trained = list(range(12))
    task = table.task("here", goal, policy_named("ridge"), 3, trained, [], without=[0, 4])
    rank.rank(task, table.shards())
    sizes = [
        len(load(model_class(task.policy.model), task.folder / f"model-{place}.npz").values)
        for place in (0, 1)
    ]
    assert sizes == [12, 10]
    none = table.task("none", goal, policy_named("ridge"), 3, trained, [], without=trained)
    assert len(rank.rank(none, table.shards()).ids) == 3


def test_molecules_like_those_that_lack_a_further_value_are_chosen_later(tmp_path):
    table, goal = Table(tmp_path, 5, n=300, n_different=300), GOALS["two"]
    # where the second number is large, there is no second value; the first one does not need it
    lacks = table.raw[:, 1] > 0.3
    table.of["ie"], table.of["gap"] = (table.raw[:, place].astype(float) for place in (0, 2))
    trained = list(range(120))
    without = [row for row in trained if lacks[row]]
    chosen, among = {}, {}
    for name in ("learns", "forgets"):
        policy = replace(policy_named("gp"), learns_failures=name == "learns")
        task = table.task(name, goal, policy, 20, trained, [], without=without)
        found = rank.rank(task, table.shards([130, 131]))
        assert found.is_exact
        chosen[name] = found.ids.tolist()
        among[name] = int(lacks[chosen[name]].sum())
    assert among["learns"] < among["forgets"] / 2
    # as from all molecules at once: the chance is that of a regression on those that lack it
    task = table.task("one", goal, policy_named("gp"), 1, trained, [], without=without)
    [first] = rank.rank(task, table.shards([130])).ids.tolist()
    beliefs, _ = goals.learnt(task)
    rows = [row for row in trained if row not in without]
    features = table.features(trained)
    rng = np.random.default_rng(task.seed)
    chance = Chance.fit(features[rows], features[without], rng).of(table.features(range(300)))
    np.testing.assert_allclose(beliefs.chances[0].of(table.features(range(300))), chance)
    means, stds, log_chance = beliefs.predict(table.features(range(300)), np.zeros((2, 300)))
    np.testing.assert_allclose(log_chance, np.log(chance))
    worth = beliefs.score(0, means, stds, log_chance)
    assert first == 120 + int(np.argmax(worth[120:]))


def test_expected_improvement_counts_by_the_probability_of_a_bound(tmp_path):
    table, goal = Table(tmp_path, 7, n=40, n_different=40), GOALS["a bound"]
    trained = list(range(15))
    kept = [-table.of["ie"][key] for key in trained if table.of["gap"][key] <= 0.5]
    best = max(kept)
    task = table.task("here", goal, policy_named("gp-ei"), 1, trained, [], best=best)
    found = rank.rank(task, table.shards([11, 30]))
    everything = table.features(list(range(table.n)))
    kind = model_class(task.policy.model)
    ie, gap = (load(kind, task.folder / f"model-{place}.npz") for place in (0, 1))
    mean, std = ie.predict(everything)
    z = (mean - best) / std
    density, below = (
        np.exp(-(z**2) / 2) / sqrt(2 * np.pi),
        [(1 + erf(one / sqrt(2))) / 2 for one in z],
    )
    improvement = std * (density + z * below)
    (mean, std), noise = gap.predict(everything), gap.joint(everything).noise
    spread = np.sqrt(std**2 + noise)
    held = [within(m, s, goal.constraints[0], -1) for m, s in zip(mean, spread, strict=True)]
    worth = improvement * held
    worth[trained] = -1
    assert found.ids.tolist() == [int(np.argmax(worth))]


def test_a_task_goes_by_as_many_weighings_as_it_has_picks():
    task = RankTask(None, policy_named("gp"), 4, (1, 1), GOALS["two"])
    assert (task.n_draws, task.n_candidates) == (4, 128)
    assert replace(task, n=40).n_draws == 16
    assert (replace(task, n=32).n_candidates, replace(task, n=64).n_candidates) == (256, 256)
    one = replace(task, goal=GOALS["a bound"])
    assert (one.n_draws, one.n_candidates) == (1, 256)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_chosen_ones_do_not_depend_on_the_shards(tmp_path, n):
    found = []
    for name, cuts in (("one", ()), ("many", (1, 7, 8, 31, 55))):
        folder = tmp_path / name
        folder.mkdir()
        table = Table(folder, 11)
        task = table.task("task", GOALS["two and bounds"], policy_named("gp"), n, [3, 5, 8, 9], [2])
        merged = rank.rank(task, table.shards(cuts))
        found.append((merged.ids.tolist(), merged.means.tolist(), merged.stds.tolist()))
    assert found[0] == found[1]


def test_values_of_a_bounded_quantity_are_learnt_as_they_are(tmp_path):
    """The gap is bounded from below: what is far above all others may be all that is wanted."""
    table = Table(tmp_path, 0)
    table.of["ie"][0] = table.of["gap"][0] = 1e3
    goal = Goal((Objective(IE),), (Constraint(GAP, low=500.0),))
    task = table.task("here", goal, policy_named("gp-ei"), 2, list(range(20)), [], best=1e3)
    rank.fit(task)
    models = goals.learnt(task)[0].models
    assert models[1].values.tolist() == table.of["gap"][:20].tolist()
    assert models[0].values[0] < 20
    assert models[0].values[1:].tolist() == table.of["ie"][1:20].tolist()
    # expected improvement goes by the best value as the model has learnt it
    assert goals.learnt(task)[0].aim.best == models[0].values[0]
    assert goals.learnt(task)[0].aim.span[0] < 40


def test_an_objective_with_bounds_is_not_drawn_in():
    bounded = Goal((Objective(IE), Objective(GAP, DOWN)), (Constraint(IE, high=3.0),))
    assert bounded.sought == {1}
    assert GOALS["two and bounds"].sought == {0}
    assert GOALS["three"].sought == {0, 1, 2}
