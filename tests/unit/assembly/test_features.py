"""Features of one's own, from a configuration to what a model says by them."""

import csv

import numpy as np
import pytest

import molloop
from molloop.assembly.cases import POLICY_NAMES, SettingsSpace
from molloop.assembly.replays import compare_policies, replay_table, tune_settings
from molloop.errors import InputError
from molloop.library.ingest import open_or_build
from molloop.replay.campaign import Scenario
from molloop.replay.table import Table

OWN = """\
import numpy as np
from molloop import FeatureKind
from molloop.surrogate.gp import GaussianProcess


def carbons(molecules):
    return [[sum(atom.GetAtomicNum() == 6 for atom in one.GetAtoms())] for one in molecules]


class Bits(FeatureKind):
    dtype = np.uint8

    def compute(self, molecules):
        return np.repeat(np.array(carbons(molecules), dtype=np.uint8), 8, axis=1)


class ByCarbons(GaussianProcess):
    learns_from = f"{__name__}:carbons"
"""
LINES = [f"{'C' * n}{end}" for n in range(1, 9) for end in ("", "O", "N")]


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return the name of a user's own module with features in it."""
    name = f"own_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return name


@pytest.fixture
def table(tmp_path):
    """Return a table whose values are the numbers of carbon atoms, times ten."""
    (tmp_path / "some.smi").write_text("\n".join(LINES))
    library = open_or_build(str(tmp_path / "some.smi"), cache_dir=tmp_path / "libraries")
    values = np.array([10.0 * one.count("C") for one in LINES])
    return Table("t", "ie_ev", library, values, np.ones(len(LINES)))


def settings(features, **search):
    return molloop.load(
        search={"features": features, **search},
        campaign={
            "schedule": "batch",
            "initial_training_count": 6,
            "max_training_count": 9,
            "batch_size": 3,
        },
    )


def test_a_replay_learns_from_them(module, table):
    found = replay_table(table, settings(f"{module}:carbons", policy="ridge"), top_k=3).results
    [ranking] = found.rankings
    random = {one.molecule_id for one in found.successes if one.batch == 0}
    # the most carbon atoms first, then the lower id: nothing else is known of a molecule
    order = sorted(set(range(24)) - random, key=lambda one: (-LINES[one].count("C"), one))
    assert list(ranking.molecule_ids) == order[: len(ranking.molecule_ids)]


def test_suggestions_go_by_them(module, table):
    known = {"C": 10.0, "CC": 20.0, "CCCCC": 50.0, "CCCCCCCCCC": 100.0}
    found = molloop.suggest(table.library, known, 3, features=f"{module}:carbons", policy="ridge")
    assert {one.smiles for one in found.molecules} == set(LINES[-3:])
    pending = ["CCCCCCCC", "CCCCCCCCCCCC"]  # the second is not in the library
    options = {"features": f"{module}:carbons", "pending": pending}
    found = molloop.suggest(table.library, known, 2, policy="ridge", **options)
    assert {one.smiles for one in found.molecules} == set(LINES[-2:])
    with pytest.raises(InputError, match=r"^features: .*cannot learn from bits: choose another"):
        molloop.suggest(table.library, known, 3, features=f"{module}:Bits")


def test_baselines_keep_their_own(module, table, tmp_path):
    own = (f"{module}:ByCarbons", "gp")
    compare_policies(
        table, own, settings(None), n_seeds=1, top_k=3, out=tmp_path / "out", n_processes=1
    )
    with (tmp_path / "out" / "comparison.csv").open(newline="") as file:
        assert {row["policy"] for row in csv.DictReader(file)} == {
            *own,
            *("random", "train-once", "published"),
        }
    found = compare_policies(
        table, (), settings(f"{module}:carbons"), n_seeds=1, top_k=3, n_processes=1
    )
    assert found.failures() == {}
    with pytest.raises(InputError, match="The model gp cannot learn from bits"):
        compare_policies(table, (), settings(f"{module}:Bits"), n_seeds=1, n_processes=1)


def test_a_search_tries_models_that_can_learn_from_them(module, table):
    def tried(features):
        space = SettingsSpace(settings(features), table, Scenario())
        rng = np.random.default_rng(0)
        return {space.draw(rng).search.policy for _ in range(200)}

    assert tried(None) == set(POLICY_NAMES)
    assert tried(f"{module}:carbons") == set(POLICY_NAMES) - {"published"}
    found = tune_settings(table, settings(f"{module}:carbons"), n_trials=2, n_processes=1)
    assert all(one.settings.search.features == f"{module}:carbons" for one in found.unseen)


def test_other_names_are_none():
    with pytest.raises(InputError, match=r"search\.features.*one of descriptors, fingerprints"):
        molloop.load(search={"features": "colours"})
