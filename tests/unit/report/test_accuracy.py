import numpy as np
import pytest

from molloop.assembly import replays
from molloop.campaign.jobs import Simulated
from molloop.config.load import load
from molloop.replay.table import Table
from molloop.report.accuracy import Accuracy
from molloop.report.model_error import CHOSEN, OTHERS, RANDOM, on_random
from molloop.results import Results
from molloop.search.policy import policy_named
from molloop.simulate.outcome import Success
from molloop.surrogate.ridge import Ridge


def test_by_hand():
    found = Accuracy.of(
        np.array([1.0, 2.0, 6.0]), np.array([0.5, 3.0, 1.0]), np.array([2.0, 4.0, 3.0])
    )
    assert (found.n, found.error) == (3, 2.0)
    assert found.bias == 0.0
    assert found.within == pytest.approx(1 / 3)
    # 1, 2 and 3: the mean's error is 1 / sqrt(3), t is 4.303, and no error is below 0
    assert found.error_interval == pytest.approx((0.0, 4.484), abs=1e-3)


def test_what_descriptors_say_is_predicted_and_what_they_do_not_is_not(small_library):
    n = small_library.n_molecules
    features = small_library.features("descriptors", list(range(n)))
    noise = np.random.default_rng(0).normal(size=n) * 10
    settings = load(
        None,
        (),
        {
            "campaign.initial_training_count": 12,
            "campaign.max_training_count": 20,
            "campaign.schedule": "batch",
            "search.policy": "ridge",
        },
    )
    errors = []
    for values in (features[:, 0].astype(float), noise):
        table = Table("small", "ie_ev", small_library, values, np.ones(n))
        accuracy = replays.replay_table(table, settings).results.accuracy
        assert list(accuracy) == [RANDOM, CHOSEN, OTHERS]
        assert accuracy[RANDOM].n == 12
        assert accuracy[CHOSEN].n == 8
        assert accuracy[OTHERS].n == n - 20
        errors.append(accuracy[RANDOM].error / values.std())
    assert errors[0] < 0.3
    assert errors[1] > 0.6


def test_a_value_of_another_stage_is_no_value_that_a_model_is_measured_on(small_library):
    settings = load()
    items = [
        Simulated(key, key, stage, "C", 0, 1.0, "w", 0.0, 1.0, Success({"ie": 10.0 + key}))
        for key, stage in enumerate(["gfn2", "gfn2", "ipea1", "gfn2", "gfn2"])
    ]
    results = Results(settings.objective(), settings.protocol(), (), (), tuple(items))
    assert on_random(results, small_library, policy_named("ridge"), 0).n == 4


def test_random_molecules_are_chosen_without_a_model_and_none_is_reported(
    small_library, tmp_path, monkeypatch
):
    n = small_library.n_molecules
    fitted = []
    monkeypatch.setattr(Ridge, "fit", lambda *arguments: fitted.append(arguments))
    settings = load(
        None,
        (),
        {
            "campaign.initial_training_count": 4,
            "campaign.max_training_count": 12,
            "campaign.schedule": "batch",
            "search.policy": "random",
        },
    )
    table = Table("small", "ie_ev", small_library, np.arange(float(n)), np.ones(n))
    found = replays.replay_table(table, settings, out=tmp_path).results
    assert len(found.values) == 12
    assert [len(one.molecule_ids) for one in found.rankings] == [5, 5]
    assert [(one.means, one.stds) for one in found.rankings] == [((), ()), ((), ())]
    assert found.predictions.shape == (0, 3)
    assert found.accuracy == {}
    assert fitted == []
    rows = (tmp_path / "best_molecules.csv").read_text().splitlines()
    assert len(rows) == 1
